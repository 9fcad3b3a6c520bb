"""Examples of the raw sandbox layer for the document; see `examples`."""

from collections.abc import Mapping

from pydantic import JsonValue

__all__ = ["SANDBOX_EXAMPLES"]

_ID = "5f0c7a52-9d0e-4b8b-a7a5-3f1f8f6f2c11"
_AT = "2026-11-22T10:15:00Z"
_SANDBOX: JsonValue = {
    "sandbox_id": _ID,
    "status": "idle",
    "provider": "e2b",
    "created_at": _AT,
    "updated_at": _AT,
    "metadata": {"source": "sandbox"},
}
_DONE: JsonValue = {"success": True, "sandbox_id": _ID}

SANDBOX_EXAMPLES: Mapping[str, tuple[JsonValue, JsonValue]] = {
    "sandboxes.create": ({"timeout": 600}, {"sandbox_id": _ID, "provider": "e2b", "status": "ready"}),
    "sandboxes.list": (None, {"sandboxes": [_SANDBOX]}),
    "sandboxes.get": (None, _SANDBOX),
    "sandboxes.delete": (None, _DONE),
    "sandboxes.run": (
        {"code": "echo hello", "timeout": 30},
        {"output": "hello\n", "error": "", "exit_code": 0, "duration": 0.005},
    ),
    "sandboxes.run_stream": ({"code": "echo hello"}, None),
    "sandboxes.install": ({"package": "requests"}, {"success": True, "output": "installed\n", "error": ""}),
    "sandboxes.write_file": ({"path": "notes.txt", "content": "hello"}, _DONE),
    "sandboxes.files": (None, {"files": [{"path": "notes.txt", "kind": "file", "size_bytes": 5}], "truncated": False}),
    "computes.set_lifetime": ({"timeout": 600}, _DONE),
    "computes.host": (None, {"url": "https://8000-x.e2b.app", "host": "8000-x.e2b.app", "port": 8000, "headers": {}}),
}
"""What is sent, and what comes back."""
