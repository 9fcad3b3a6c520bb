"""What programs of the first gateway send and read, under the paths of that time."""

import json

import httpx2

from tests.gateway.test_existing_clients import told


class TestTheFirstGateway:
    """S2 and S3, 2026-03: the same operations under /gateway."""

    async def test_a_session_lives_under_the_old_paths(self, http: httpx2.AsyncClient) -> None:
        body = {"task": "count", "requirements": {"runtime": "shell"}, "policy": {"mode": "cheapest"}}
        made = (await http.post("/gateway/sessions", json=body)).json()
        session = f"/gateway/sessions/{made['session_id']}"
        assert (await http.post(f"{session}/input", json={"content": "more", "role": "assistant"})).is_success
        ran = (await http.post(f"{session}/run", json={"code": "echo hi", "timeout": 10})).json()
        assert ran["result"]["stdout"] == "hi\n"
        assert (await told(http, f"{session}/metrics"))["metrics"]["total_exec_count"] == 1
        assert (await told(http, session, tail=1))["transcriptTotal"] == 4
        assert (await http.delete(session)).json()["status"] == "terminated"

    async def test_a_stream_carries_its_headers_and_ends_with_the_result(self, http: httpx2.AsyncClient) -> None:
        made = (await http.post("/gateway/sessions", json={"compute": {"provider": "local"}})).json()
        path = f"/gateway/sessions/{made['session_id']}/run/stream"
        async with http.stream("POST", path, json={"code": "echo one; echo two"}) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert answer.headers["x-cerver-session-id"] == made["session_id"]
            assert answer.headers["x-cerver-provider"] == "local"
            assert float(answer.headers["x-cerver-stream-latency-ms"]) > 0
            text = (await answer.aread()).decode()
        frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith(":")]
        kinds = [frame.splitlines()[0] for frame in frames]
        assert (kinds[0], kinds[-1]) == ("event: started", "event: finished")
        assert all(line.startswith(("event: ", "data: ")) for frame in frames for line in frame.splitlines())
        result = json.loads(frames[-1].splitlines()[1].removeprefix("data: "))["result"]
        assert (result["stdout"], result["exit_code"]) == ("one\ntwo\n", 0)

    async def test_a_recommendation_is_a_report_and_never_a_conflict(self, http: httpx2.AsyncClient) -> None:
        body = {
            "task": "render",
            "workload": "preview",
            "requirements": {"desktop": True},
            "policy": {"mode": "fastest"},
        }
        answer = await http.post("/gateway/recommend", json=body)
        report = answer.json()
        assert answer.status_code == 200
        assert {"request_id", "task", "workload", "providers", "decision", "human_summary"} <= set(report)
        assert {"headline", "next_action"} <= set(report["human_summary"])
