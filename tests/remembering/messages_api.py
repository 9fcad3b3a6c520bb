"""A stand-in for models, as far as Claude Code and Codex ask them: every prompt gets the same short answer."""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["ANSWER", "messages_api"]

ANSWER = "Because of a.py."
_USAGE = {"input_tokens": 3, "output_tokens": 5}


class _Handler(BaseHTTPRequestHandler):
    prompts: list[str]

    def do_HEAD(self) -> None:
        self._send("application/json", b"")

    def do_GET(self) -> None:
        self._send("application/json", b"{}")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path.endswith("/responses"):
            self._send("text/event-stream", b"".join(_event(event) for event in _responses()))
            return
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            self._send("application/json", b'{"input_tokens": 3}')
            return
        self.prompts.append(json.dumps(asked, ensure_ascii=False))
        if asked.get("stream"):
            self._send("text/event-stream", b"".join(_event(event) for event in _events(str(asked.get("model")))))
        else:
            content = [{"type": "text", "text": ANSWER}]
            self._send(
                "application/json", json.dumps({**_message(str(asked.get("model"))), "content": content}).encode()
            )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        del format, args

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _message(model: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"stop_sequence": None, "content": [], "usage": _USAGE}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn", **empty}


def _events(model: str) -> list[Mapping[str, Any]]:
    block = {"type": "text", "text": ""}
    return [
        {"type": "message_start", "message": {**_message(model), "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": _USAGE},
        {"type": "message_stop"},
    ]


def _responses() -> list[Mapping[str, Any]]:
    content = [{"type": "output_text", "text": ANSWER}]
    item = {"type": "message", "id": "m1", "role": "assistant", "content": content}
    return [
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": "r1", "usage": {**_USAGE, "total_tokens": 8}}},
    ]


def _event(value: Mapping[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()


@contextmanager
def messages_api() -> Generator[tuple[str, list[str]]]:
    """Serve on a free port; gives the address, and the list that the bodies of the requests go to."""
    prompts: list[str] = []
    handler = type("Handler", (_Handler,), {"prompts": prompts})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", prompts
        server.shutdown()
        thread.join()
