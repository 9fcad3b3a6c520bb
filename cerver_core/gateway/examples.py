"""One example per operation for the document: what is sent and what comes back. The tests hold them against the models.

Ids, times and names are made up; the shapes are the real ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from cerver_core.gateway.examples_accounts import ACCOUNT_EXAMPLES
from cerver_core.gateway.examples_routing import ROUTING_EXAMPLES
from cerver_core.gateway.examples_sandboxes import SANDBOX_EXAMPLES

__all__ = ["EXAMPLES", "Example"]


@dataclass(frozen=True, slots=True)
class Example:
    """What one call of an operation looks like; null where it has no body."""

    request: JsonValue = None
    reply: JsonValue = None


_ID = "5f0c7a52-9d0e-4b8b-a7a5-3f1f8f6f2c11"
_AT = "2026-11-22T10:15:00Z"
_ENTRY: dict[str, JsonValue] = {
    "seq": 1,
    "at": _AT,
    "role": "user",
    "kind": "text",
    "content": "Which store did we pick?",
}
_ENVELOPE: dict[str, JsonValue] = {
    "session_id": _ID,
    "session_name": "pick a store",
    "status": "ready",
    "provider": "e2b",
    "compute_id": "comp_0123456789abcdef",
    "sandbox_id": "sbx_1",
    "metrics": {"provision_time_ms": 512.4, "engagement_label": "warming"},
}
_RECORD: dict[str, JsonValue] = {
    "sessionId": _ID,
    "sessionName": "pick a store",
    "status": "idle",
    "state": "ready",
    "createdAt": _AT,
    "updatedAt": _AT,
    "messageCount": 1,
    "transcriptTotal": 1,
}
_RESULT: dict[str, JsonValue] = {
    "session_id": _ID,
    "stdout": "hello\n",
    "stderr": "",
    "exit_code": 0,
    "duration_ms": 4.6,
    "provider": "e2b",
    "tool_id": "tool_0123456789abcdef",
    "seq": 3,
}
_MACHINE: dict[str, JsonValue] = {
    "compute_id": "comp_0123456789abcdef",
    "label": "studio",
    "provider": "cerver_local_provider",
    "status": "ready",
    "kind": "local",
    "last_heartbeat_at": _AT,
}
_FOLDER: dict[str, JsonValue] = {"files": 2, "bytes": 2048}

EXAMPLES: Mapping[str, Example] = {
    "sessions.create": Example({"session_name": "pick a store", "compute": {"provider": "e2b"}}, _ENVELOPE),
    "sessions.list": Example(None, {"sessions": [_RECORD], "next_cursor": None}),
    "sessions.get": Example(None, {**_RECORD, "transcript": [_ENTRY]}),
    "sessions.update": Example({"metadata": {"title": "Stores"}}, _RECORD),
    "sessions.terminate": Example(None, {**_ENVELOPE, "status": "terminated"}),
    "sessions.pause": Example(None, {**_ENVELOPE, "status": "paused"}),
    "sessions.resume": Example(None, _ENVELOPE),
    "sessions.spawn": Example({"task": "Compare two stores"}, {**_ENVELOPE, "parent_session_id": _ID}),
    "sessions.attach": Example({"compute": {"provider": "vercel"}}, {**_ENVELOPE, "provider": "vercel"}),
    "sessions.metrics": Example(
        None, {"session_id": _ID, "provider": "e2b", "status": "idle", "metrics": {"total_exec_count": 1}}
    ),
    "transcripts.append": Example(
        {"entries": [{"role": "user", "content": "Which store did we pick?"}]},
        {"session_id": _ID, "seqs": [1], "added": 1, "last_seq": 1},
    ),
    "transcripts.search": Example(None, {"sessions": [], "indexed_up_to": _AT}),
    "transcripts.digest": Example(
        None,
        {
            "sessions": [
                {
                    "session_id": _ID,
                    "title": "pick a store",
                    "status": "idle",
                    "created_at": _AT,
                    "updated_at": _AT,
                    "entries": 12,
                    "entries_read": 12,
                    "decisions": [{"seq": 7, "at": _AT, "role": "user", "text": "Let's go with SQLite."}],
                }
            ],
            "more": False,
        },
    ),
    "transcripts.redact": Example(
        {"detected": True, "dry_run": True}, {"dry_run": True, "sessions": [], "sessions_read": 1, "entries_read": 12}
    ),
    "transcripts.export": Example(None, {"session_id": _ID, "format": "text", "text": "user: hello\n"}),
    "transcripts.import": Example({"document": "{}\n"}, {"session_id": _ID, "entries": 1}),
    "computes.list": Example(
        None,
        {"computes": [{"compute_id": "comp_0123456789abcdef", "label": "E2B", "provider": "e2b", "status": "ready"}]},
    ),
    "computes.exec": Example(
        {"code": "echo hello"}, {**_RESULT, "result": {"stdout": "hello\n", "stderr": "", "exit_code": 0}}
    ),
    "computes.exec_stream": Example({"code": "echo hello"}),
    "computes.register": Example({"compute_id": "comp_0123456789abcdef", "label": "studio"}, _MACHINE),
    "computes.heartbeat": Example({"status": "online"}, _MACHINE),
    "computes.remove": Example(None, {"compute_id": "comp_0123456789abcdef", "status": "removed"}),
    "computes.relay": Example({"method": "GET", "path": "/api/cerver/provider"}, {"status": 200, "body": {}}),
    "sessions.close": Example(None, _ENVELOPE),
    "sessions.input": Example(
        {"content": "go on", "role": "user"}, {"session_id": _ID, "seqs": [4], "added": 1, "last_seq": 4}
    ),
    "sessions.report_status": Example({"status": "completed"}, _ENVELOPE),
    "sessions.switch_tool": Example({"cli_tool": "codex", "cli_model": ""}, _ENVELOPE),
    "sessions.run_llm": Example({"input": "hello", "systemPrompt": "be brief"}),
    "computes.install": Example({"packages": ["requests"]}, _RESULT),
    "files.list": Example(None, {"path": ".", "entries": [{"path": "a.txt", "kind": "file", "size_bytes": 5}]}),
    "files.upload": Example(None, _FOLDER),
    "routing.recommend": Example(
        {"task": "run the tests", "requirements": {"runtime": "python"}},
        {
            "request_id": "req_0123456789abcdef",
            "task": "run the tests",
            "workload": "general",
            "providers": [{"name": "e2b", "status": "viable", "score": 0.71, "estimated_cost_usd": 0.02}],
            "decision": {
                "recommended_provider": "e2b",
                "confidence": "low",
                "primary_reason": "E2B scores best for mode balanced (0.71).",
            },
            "human_summary": {"headline": "Run this on E2B.", "next_action": "Open a session on E2B."},
        },
    ),
    **{name: Example(*pair) for name, pair in ACCOUNT_EXAMPLES.items()},
    **{name: Example(*pair) for name, pair in SANDBOX_EXAMPLES.items()},
    **{name: Example(*pair) for name, pair in ROUTING_EXAMPLES.items()},
}
"""By the operation's name. Streams and bytes have no reply here."""
