"""A stand-in for Infisical on this machine: its wire as the server of 2024 and as today's speak it, and its failures.

It answers log-ins and reads of one secret. The vendor's own clients run against it in the tests.
"""

import json
import secrets
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, cast

from cerver_core.testing.infisical_rules import Age, Asked, Identity, Reply, Rules, ServiceToken

__all__ = ["Age", "Canned", "InfisicalStandIn", "Seen", "refusing_url"]


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer to give whatever is asked; `drop` closes the connection instead of answering."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: bool = False

    @classmethod
    def error(cls, status: int, message: object, error: str = "", **headers: str) -> Self:
        """Give an error as Infisical writes it; headers are named with `_` for `-`."""
        body = json.dumps({"statusCode": status, "message": message, "error": error}).encode()
        return cls(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came: its target is the raw path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class InfisicalStandIn:
    """A server of one project on a free port; use it as a context manager.

    `vault` holds name and value by environment. `answers` are given first, one to each request; `rewrite` changes the
    secret in later good replies, field by field (null takes a field out). `seen` lists all requests.
    """

    def __init__(self, age: Age = "today", *, vault: Mapping[str, Mapping[str, str]], project: str = "proj-1") -> None:
        self.rules = Rules(age, project, vault)
        self.answers: list[Canned] = []
        self.rewrite: dict[str, object] = {}
        self.seen: list[Seen] = []
        self._changed = threading.Condition()
        self._open = threading.Event()
        self._open.set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="infisical-stand-in")

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close every connection and stop."""
        self._server.shutdown()
        self._open.set()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add_identity(self, *, reads: Literal["values", "names", "nothing"] = "values", lasts_s: int = 7200) -> Identity:
        """Add a machine identity that may read values, only names, or nothing."""
        identity = Identity(secrets.token_hex(8), secrets.token_hex(16), reads, lasts_s)
        self.rules.identities[identity.client_id] = identity
        return identity

    def add_service_token(self, *, environment: str = "prod", path: str = "/") -> str:
        """Add a service token of the old kind, with one scope; give it in its form with four parts."""
        token = ServiceToken(f"st.{secrets.token_hex(4)}.{secrets.token_hex(8)}", environment, path)
        self.rules.service_tokens[token.text] = token
        return f"{token.text}.{secrets.token_hex(8)}"

    def revoke_access_tokens(self) -> None:
        """Forget every access token that a log-in gave."""
        self.rules.access_tokens.clear()

    def hold(self) -> None:
        """Take requests and answer none until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Answer what was held."""
        self._open.set()

    def wait_for_requests(self, count: int) -> None:
        """Block until so many requests have come; for a worker thread.

        Raises:
            TimeoutError: they did not come within five seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.seen) >= count, 5):
                raise TimeoutError(f"only {len(self.seen)} of {count} requests came")

    def answer(self, seen: Seen) -> Canned:
        """Answer one request; called by the server's threads."""
        with self._changed:
            self.seen.append(seen)
            canned = self.answers.pop(0) if self.answers else None
            self._changed.notify_all()
        self._open.wait(30)
        if canned is not None:
            return canned
        reply = self.rules.answer(Asked(seen.method, seen.target, seen.headers.get("authorization"), seen.body))
        return _canned(reply, self.rewrite)


def refusing_url() -> str:
    """Give an address on this machine at which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def _canned(reply: Reply, rewrite: Mapping[str, object]) -> Canned:
    body = reply.body
    secret = body.get("secret")
    if rewrite and isinstance(secret, dict):
        merged = {**cast("dict[str, Any]", secret), **rewrite}
        body = {**body, "secret": {name: value for name, value in merged.items() if value is not None}}
    return Canned(reply.status, json.dumps(body).encode())


class _Server(ThreadingHTTPServer):
    """Keeps its connections, so that closing it does not wait for clients that keep theirs."""

    daemon_threads = False

    def __init__(self, stand_in: InfisicalStandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stand_in = stand_in
        self.connections: set[socket.socket] = set()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that went away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    """Reads requests, leaves the answers to the stand-in."""

    protocol_version = "HTTP/1.1"

    @property
    def ours(self) -> _Server:
        return cast("_Server", self.server)

    def setup(self) -> None:
        super().setup()
        self.ours.connections.add(self.connection)

    def finish(self) -> None:
        self.ours.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing to the terminal."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        canned = self.ours.stand_in.answer(Seen(self.command, self.path, headers, self.rfile.read(length)))
        if canned.drop:
            self.close_connection = True
            return
        self.send_response(canned.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **canned.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(canned.body)))
        self.end_headers()
        self.wfile.write(canned.body)
