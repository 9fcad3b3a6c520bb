"""What existing clients send and read, request by request: the command-line client, the relay, the chat widget, the
Claude Code plugin. None of them knows this project; their words are the contract's.
"""

import json
from typing import Any

import httpx2
import pytest

SESSIONS = "/v2/sessions"
Json = dict[str, Any]


async def opened(http: httpx2.AsyncClient, **fields: Any) -> str:
    answer = await http.post(SESSIONS, json={"compute": None, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["session_id"]


async def told(http: httpx2.AsyncClient, path: str, **query: Any) -> Json:
    answer = await http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestTheCommandLineClient:
    """CLI, 2026-08."""

    async def test_it_opens_a_session_says_something_and_polls_for_the_answer(self, http: httpx2.AsyncClient) -> None:
        body = {
            "task": "fix the login",
            "session_name": "fix-login",
            "session_type": "coding",
            "workload": "coding",
            "harness": "claude",
            "compute": {"provider": "local"},
            "project_slug": None,
            "metadata": {"cli_tool": "claude", "cli_model": "opus", "source": "cerver-cli", "surface": "run"},
        }
        answer = await http.post(SESSIONS, json=body)
        made = answer.json()
        assert answer.is_success
        assert {"session_id", "session_name", "status", "provider", "compute_id", "sandbox_id", "harness"} <= set(made)
        assert (made["status"], made["harness"], len(made["session_id"])) == ("ready", "claude", 36)
        session = f"{SESSIONS}/{made['session_id']}"

        cursor = (await told(http, session))["transcriptTotal"]
        assert cursor == 1
        said = await http.post(f"{session}/input", json={"content": "and the logout", "role": "user"})
        assert said.is_success
        page = await told(http, session, since=cursor)
        assert [(entry["role"], entry["content"]) for entry in page["transcript"]] == [("user", "and the logout")]
        assert page["transcriptTotal"] == cursor + 1

        done = {"type": "session_completed", "exit_code": 0, "duration_ms": 12}
        entries = [
            {"at": "2026-08-01T10:00:00Z", "role": "assistant", "kind": "text", "content": "done"},
            {"at": "2026-08-01T10:00:01Z", "role": "system", "kind": "session_completed", "content": json.dumps(done)},
        ]
        await http.post(f"{session}/transcript", json={"entries": entries})
        page = await told(http, session, since=cursor + 1)
        assert [entry["kind"] for entry in page["transcript"]] == ["text", "session_completed"]
        assert page["transcript"][0]["at"] == "2026-08-01T10:00:00Z"
        assert (await told(http, session, since=99))["transcript"] == []

    async def test_a_name_made_of_a_prompt_and_fields_left_empty_are_taken(self, http: httpx2.AsyncClient) -> None:
        left_out = dict.fromkeys(("project_slug", "environment_slug", "agent", "harness", "target_compute_id"), "")
        session_id = await opened(http, session_name="fix\nthe\tlogin", **left_out)
        record = await told(http, f"{SESSIONS}/{session_id}")
        assert (record["sessionName"], record["projectSlug"], record["harness"]) == ("fix the login", None, None)

    async def test_it_logs_in_again_while_it_still_sends_a_revoked_key(self, http: httpx2.AsyncClient) -> None:
        stale = {"Authorization": "Bearer ck_gone_0000"}
        begun = await http.post("/v2/auth/device", json={"machine_name": "laptop"}, headers=stale)
        assert begun.status_code == 200, begun.text
        device_code = begun.json()["device_code"]
        polled = await http.get("/v2/auth/device", params={"device_code": device_code}, headers=stale)
        assert (polled.status_code < 400, polled.json()["error"]) == (True, "authorization_pending")

    async def test_a_chat_is_memory_alone_unless_it_names_its_compute(self, http: httpx2.AsyncClient) -> None:
        body: Json = {"session_type": "chat", "task": "", "harness": "claude"}
        assert (await http.post(SESSIONS, json=body)).json()["provider"] == "none"
        made = (await http.post(SESSIONS, json={**body, "compute": {"provider": "local"}})).json()
        assert (made["provider"], made["status"]) == ("local", "ready")

    async def test_an_empty_task_appends_nothing(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, task="", session_type="chat")
        record = await told(http, f"{SESSIONS}/{session_id}")
        assert (record["transcriptTotal"], record["messageCount"]) == (0, 0)
        assert "transcript" not in record

    async def test_a_list_has_the_fields_it_shows_and_no_transcripts(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, session_name="listed", metadata={"source": "my-project"})
        rows = (await told(http, SESSIONS, limit=50, source="my-project"))["sessions"]
        row = rows[0]
        shown = {"sessionId", "sessionName", "status", "computeId", "createdAt", "updatedAt", "workload", "metadata"}
        assert shown | {"messageCount", "harness", "task"} <= set(row)
        assert "transcript" not in row
        assert (row["sessionId"], row["metadata"]) == (session_id, {"source": "my-project"})
        assert row["createdAt"].endswith("Z")
        newest = [found["sessionId"] for found in (await told(http, SESSIONS, limit=50))["sessions"]]
        assert newest[0] == session_id

    async def test_it_reads_the_end_and_the_whole_of_a_transcript(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http)
        for start in range(0, 2_500, 500):
            entries = [{"role": "user", "content": f"m{number}"} for number in range(start, start + 500)]
            await http.post(f"{SESSIONS}/{session_id}/transcript", json={"entries": entries})
        tail = await told(http, f"{SESSIONS}/{session_id}", tail=3)
        assert [entry["content"] for entry in tail["transcript"]] == ["m2497", "m2498", "m2499"]
        whole = await told(http, f"{SESSIONS}/{session_id}", full=1)
        assert [entry["seq"] for entry in whole["transcript"]] == list(range(1, 2_501))
        since = await told(http, f"{SESSIONS}/{session_id}", since=100)
        assert [entry["seq"] for entry in since["transcript"]] == list(range(101, 2_501))
        assert {page["transcriptTotal"] for page in (tail, whole, since)} == {2_500}
        for no in (0, "false"):
            summary = await told(http, f"{SESSIONS}/{session_id}", full=no)
            assert ("transcript" in summary, summary["transcriptTotal"]) == (False, 2_500)

    async def test_it_moves_a_session_and_switches_its_tool(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, harness="claude")
        (here,) = [row for row in (await told(http, "/v2/computes"))["computes"] if row["provider"] == "local"]
        session = f"{SESSIONS}/{session_id}"
        moved = await http.post(f"{session}/change-compute", json={"compute_priority": [here["compute_id"]]})
        assert (moved.status_code, moved.json()["session_id"]) == (200, session_id)
        assert (await told(http, session))["computeId"] == here["compute_id"]
        switch = {"cli_tool": "codex", "cli_model": "", "content": ""}
        switched = await http.post(f"{session}/switch-tool", json=switch)
        assert (switched.status_code, switched.json()["harness"]) == (200, "codex")
        (entry,) = (await told(http, session, full=1))["transcript"]
        assert (entry["kind"], entry["role"]) == ("tool_switch", "system")

    async def test_work_that_nothing_can_take_is_409_with_the_report(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(SESSIONS, json={"requirements": {"desktop": True, "browser": True}})
        report = answer.json()
        assert answer.status_code == 409
        assert report["error"]
        assert {"providers", "decision", "human_summary"} <= set(report)
        assert report["decision"]["recommended_provider"] is None

    async def test_a_cloud_that_is_not_set_up_here_is_409_with_the_report(self, http: httpx2.AsyncClient) -> None:
        for compute in ({"provider": "e2b"}, {"compute_id": "provider_e2b"}):
            answer = await http.post(SESSIONS, json={"compute": compute})
            report = answer.json()
            assert (answer.status_code, report["code"]) == (409, "no_compute")
            assert "e2b_api_key" in report["error"].lower()
            assert {"request_id", "providers", "decision", "human_summary"} <= set(report)
        answer = await http.post(SESSIONS, json={"compute": {"provider": "nowhere"}})
        assert (answer.status_code, answer.json()["code"]) == (404, "compute_not_found")

    async def test_following_ends_when_the_session_is_no_longer_running(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http)
        session = f"{SESSIONS}/{session_id}"
        await http.post(f"{session}/status", json={"status": "running"})
        assert (await told(http, session))["status"] == "running"
        await http.post(f"{session}/status", json={"status": "idle", "end_reason": None})
        assert (await told(http, session))["status"] != "running"

    async def test_it_runs_code_within_its_time(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, compute={"provider": "local"})
        body = {"code": 'echo "$WORD"; echo err >&2; exit 3', "timeout": 30, "envs": {"WORD": "hello"}}
        answer = (await http.post(f"{SESSIONS}/{session_id}/run", json=body)).json()
        assert answer["session_id"] == session_id
        assert answer["duration_ms"] > 0
        assert answer["result"] == {"stdout": "hello\n", "stderr": "err\n", "exit_code": 3}


class TestTheRelay:
    """RELAY, 2026-06."""

    COMPUTE = "comp_0a1b2c3d4e5f6071"
    REGISTRATION: Json = {  # noqa: RUF012 - a request as it is sent
        "compute_id": COMPUTE,
        "label": "studio.local",
        "kind": "local",
        "provider": "cerver_local_provider",
        "capabilities": {"runtimes": ["shell"], "streaming": True, "cli_tools": ["claude", "codex"]},
        "metadata": {
            "machine_name": "studio",
            "mode": "headless",
            "relay": {"connected": True, "machine_id": "m1", "last_heartbeat": "2026-06-24T10:00:00Z"},
        },
        "connection": {"transport": "cerver_connect", "connect_id": "c1", "api_token": "ck_of_the_relay"},
    }

    async def test_it_registers_is_heard_of_and_goes(self, http: httpx2.AsyncClient) -> None:
        made = await http.post("/v2/computes/register", json=self.REGISTRATION)
        assert made.is_success
        assert made.json()["compute_id"] == self.COMPUTE
        assert made.json()["owner_id"] == (await told(http, "/v2/auth/whoami"))["account_id"]
        assert "ck_of_the_relay" not in made.text
        beat = {"status": "online", "capabilities": {"cli_tools": ["claude"]}, "metadata": {"mode": "tui"}}
        heard = await http.post(f"/v2/computes/{self.COMPUTE}/heartbeat", json=beat)
        assert (heard.status_code, heard.json()["compute_id"]) == (200, self.COMPUTE)
        rows = {row["compute_id"]: row for row in (await told(http, "/v2/computes"))["computes"]}
        row = rows[self.COMPUTE]
        assert (row["label"], row["kind"], row["status"], row["scope"]) == ("studio.local", "local", "ready", "private")
        assert row["provider"] == "cerver_local_provider"
        assert row["capabilities"] == {"cli_tools": ["claude"]}
        assert row["last_heartbeat_at"].endswith("Z")
        tail = await http.post(f"/v2/computes/{self.COMPUTE}/exec", json={"method": "GET", "path": "/logs/tail?n=5"})
        assert (tail.status_code, tail.json()["code"]) == (503, "provider_unavailable")
        assert (await http.delete(f"/v2/computes/{self.COMPUTE}")).is_success
        late = await http.post(f"/v2/computes/{self.COMPUTE}/heartbeat", json=beat)
        assert (late.status_code, late.json()["code"]) == (404, "compute_not_found")

    async def test_it_pushes_a_turn_and_what_it_learned(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, metadata={"cli_tool": "claude", "complete_on_exit": True})
        session = f"{SESSIONS}/{session_id}"
        at = "2026-06-24T10:00:00.123456+00:00"
        use = {"tool_id": "toolu_1", "tool_name": "Bash", "tool_input": {"command": "ls", "n": [1, None]}}
        entries = [
            {"at": at, "role": "assistant", "kind": "thinking", "content": "hm"},
            {"at": at, "role": "assistant", "kind": "tool_use", "content": "", **use},
            {
                "at": at,
                "role": "tool",
                "kind": "tool_result",
                "content": "a.txt",
                "tool_id": "toolu_1",
                "is_error": False,
            },
            {"at": at, "role": "assistant", "content": "there is a file"},
        ]
        assert (await http.post(f"{session}/transcript", json={"entries": entries})).is_success
        read = (await told(http, session, full=1))["transcript"]
        assert read[1]["tool_input"] == {"command": "ls", "n": [1, None]}
        assert (read[2]["tool_id"], read[2]["is_error"], read[3]["kind"]) == ("toolu_1", False, "text")
        learned = {
            "cli_session_id": "abc",
            "usage_total": {"input_tokens": 10, "output_tokens": 2, "turns": 1},
            "usage_last": {"cache_read_input_tokens": 5},
        }
        patched = await http.patch(session, json={"metadata": learned})
        assert patched.json()["metadata"] == {"cli_tool": "claude", "complete_on_exit": True, **learned}

    async def test_a_time_without_an_offset_is_utc(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http)
        entries = [{"at": at, "role": "user", "content": "x"} for at in ("2026-06-24T10:00:00.5", "2026-06-24 10:00")]
        assert (await http.post(f"{SESSIONS}/{session_id}/transcript", json={"entries": entries})).is_success
        read = (await told(http, f"{SESSIONS}/{session_id}", full=1))["transcript"]
        assert [entry["at"] for entry in read] == ["2026-06-24T10:00:00.500000Z", "2026-06-24T10:00:00Z"]
        bill = await told(http, "/v2/accounts/me/billing", since="2026-06-01", until="2026-07-01T00:00:00")
        assert bill["period"] == {"start": "2026-06-01T00:00:00Z", "end": "2026-07-01T00:00:00Z"}

    async def test_an_entry_without_content_is_400(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http)
        body = {"entries": [{"role": "assistant", "kind": "text", "content": ""}]}
        answer = await http.post(f"{SESSIONS}/{session_id}/transcript", json=body)
        assert (answer.status_code, answer.json()["field"]) == (400, "entries.0")
        assert (await told(http, f"{SESSIONS}/{session_id}"))["transcriptTotal"] == 0

    @pytest.mark.parametrize(("word", "status", "reason"), [("completed", "idle", None), ("failed", "ended", "boom")])
    async def test_it_says_how_a_session_ended(
        self, http: httpx2.AsyncClient, word: str, status: str, reason: str | None
    ) -> None:
        session_id = await opened(http)
        body = {"status": word, "end_reason": reason}
        assert (await http.post(f"{SESSIONS}/{session_id}/status", json=body)).is_success
        record = await told(http, f"{SESSIONS}/{session_id}")
        assert (record["status"], record["endReason"]) == (status, reason)

    async def test_a_key_that_is_no_longer_good_is_401(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/v2/computes", headers={"Authorization": "Bearer ck_gone"})
        assert (answer.status_code, set(answer.json())) == (401, {"error", "code"})


class TestTheChatWidget:
    """CHAT, 2026-06: it stands in a page of another origin."""

    ORIGIN = "https://shop.example"

    async def test_its_page_may_ask_before_it_asks(self, http: httpx2.AsyncClient) -> None:
        asked = {"Origin": self.ORIGIN, "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "authorization,content-type"
        answer = await http.options(SESSIONS, headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")

    async def test_it_opens_a_chat_for_a_visitor(self, http: httpx2.AsyncClient) -> None:
        body = {"session_type": "chat", "compute": None, "metadata": {"external_user_id": "v-1", "title": "Help"}}
        answer = await http.post(SESSIONS, json=body, headers={"Origin": self.ORIGIN})
        assert answer.json()["session_id"]
        assert answer.headers["access-control-allow-origin"] == "*"

    async def test_a_session_that_is_gone_is_404_so_that_it_opens_another(self, http: httpx2.AsyncClient) -> None:
        body = {"input": "hello", "model": "haiku", "systemPrompt": "be brief"}
        answer = await http.post(f"{SESSIONS}/5f0c7a52-9d0e-4b8b-a7a5-3f1f8f6f2c11/run-llm", json=body)
        assert answer.status_code == 404

    async def test_a_question_to_a_model_says_that_none_is_driven_here(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http, session_type="chat")
        answer = await http.post(f"{SESSIONS}/{session_id}/run-llm", json={"input": "hello", "systemPrompt": "x"})
        assert (answer.status_code, answer.json()["code"]) == (501, "not_supported")


class TestThePlugin:
    """PLUGIN, 2026-05: shell commands with curl."""

    async def test_an_empty_request_opens_a_session(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(SESSIONS)
        assert (answer.status_code, answer.json()["status"]) == (201, "ready")

    async def test_a_body_that_curl_calls_a_form_is_json(self, http: httpx2.AsyncClient) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await http.post(SESSIONS, content='{"compute":null,"app_slug":"web"}', headers=headers)
        assert answer.status_code == 201
        assert (await told(http, f"{SESSIONS}/{answer.json()['session_id']}"))["projectSlug"] == "web"

    @pytest.mark.parametrize(
        "word", ["running", "ready", "idle", "paused", "resting", "ended", "archived", "completed", "failed"]
    )
    async def test_every_word_for_a_status_is_a_filter(self, http: httpx2.AsyncClient, word: str) -> None:
        assert "sessions" in await told(http, SESSIONS, status=word, limit=5)

    async def test_a_session_is_paused_resumed_spawned_from_and_ended(self, http: httpx2.AsyncClient) -> None:
        made = (await http.post(SESSIONS, json={"compute": {"provider": "local"}})).json()
        session = f"{SESSIONS}/{made['session_id']}"
        assert (await http.post(f"{session}/pause")).json()["status"] == "paused"
        resumed = (await http.post(f"{session}/resume", json={})).json()
        assert (resumed["session_id"], resumed["status"]) == (made["session_id"], "ready")
        spawned = await http.post(f"{session}/spawn", json={"task": "look", "session_name": "child"})
        assert (spawned.status_code, spawned.json()["parent_session_id"]) == (201, made["session_id"])
        left = (await http.post(f"{session}/compute", json={"compute": None})).json()
        assert (left["provider"], left["compute_id"], left["sandbox_id"]) == ("none", None, None)
        assert (await http.post(f"{session}/close")).json()["status"] == "terminated"
        assert (await http.delete(session)).json()["status"] == "terminated"
        assert (await told(http, session))["status"] == "ended"

    async def test_memory_alone_has_no_provider_and_does_not_resume(self, http: httpx2.AsyncClient) -> None:
        made = (await http.post(SESSIONS, json={"session_type": "transcript", "session_name": "inbox"})).json()
        assert (made["provider"], made["compute_id"], made["sandbox_id"]) == ("none", None, None)
        answer = await http.post(f"{SESSIONS}/{made['session_id']}/resume", json={})
        assert (answer.status_code, answer.json()["code"]) == (409, "session_state")

    async def test_metrics_have_the_fields_of_the_contract(self, http: httpx2.AsyncClient) -> None:
        session_id = await opened(http)
        told_of = await told(http, f"{SESSIONS}/{session_id}/metrics")
        assert {"session_id", "provider", "status", "routing", "metrics"} <= set(told_of)
        assert told_of["metrics"]["engagement_label"] == "warming"
        assert told_of["metrics"]["last_exec_latency_ms"] is None
        assert set(told_of["metrics"]) == {
            "provision_time_ms",
            "time_to_first_exec_ms",
            "last_exec_latency_ms",
            "average_exec_latency_ms",
            "average_stream_open_latency_ms",
            "total_exec_count",
            "total_stream_count",
            "interaction_count",
            "session_length_ms",
            "cost_estimate_usd",
            "uptime_percent",
            "predicted_startup_ms",
            "engagement_score",
            "engagement_label",
        }

    async def test_every_field_of_a_create_request_is_understood(self, http: httpx2.AsyncClient) -> None:
        body = {
            "session_type": "coding",
            "compute": {"provider": "local"},
            "task": "",
            "session_name": "all",
            "workload": "long_running",
            "harness": "gemma",
            "repo": {"name": "r", "framework": "next", "languages": ["ts"], "signals": ["pnpm"]},
            "requirements": {
                "runtime": "shell",
                "package_install": False,
                "public_preview": False,
                "persistence_level": "medium",
                "timeout_minutes": 20,
                "browser": False,
                "desktop": False,
            },
            "policy": {
                "mode": "balanced",
                "pinned_provider": None,
                "allowed_providers": ["local"],
                "max_startup_ms": 60_000,
                "max_cost_usd": 5,
            },
            "metadata": {"importance": "high", "comparison_group": "g", "working_dir": "/tmp"},
            "project_slug": "web",
        }
        answer = await http.post(SESSIONS, json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["routing"]["recommended_provider"] == "local"

    async def test_what_cannot_be_had_is_said_and_not_passed_over(self, http: httpx2.AsyncClient) -> None:
        own = {"compute": {"provider": "vercel", "credentials": {"vercel_token": "vt_secret"}}}
        answer = await http.post(SESSIONS, json=own)
        assert answer.status_code in {409, 501}
        assert "vt_secret" not in answer.text
        assert (await http.post(SESSIONS, json={"agent": "agt_1"})).status_code == 404
