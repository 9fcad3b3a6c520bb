"""Serves the operations of the HTTP map: finds one by its path, checks the key, reads the body, has it done."""

from collections.abc import Awaitable, Callable, Mapping

import anyio
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cerver_core.api import Caller
from cerver_core.api.rights import check_rights
from cerver_core.errors import CerverError, DeadlineExceeded, Forbidden, InvalidInput, Unauthorized
from cerver_core.gateway.answers import json_answer, packed, problem
from cerver_core.gateway.call import NO_KEY, Call, Handler, Serving
from cerver_core.gateway.idempotency import once
from cerver_core.gateway.paths import Found, Paths
from cerver_core.gateway.reading import body_bytes, header
from cerver_core.wire.operations import JSON, Operation

__all__ = ["Operations", "address", "admit", "bearer", "identify"]


class Operations:
    """An ASGI middleware that answers all operations that have a handler, and passes everything else on.

    It stands before Starlette's own routing, which tries one route after the other.
    """

    def __init__(self, app: ASGIApp, operations: Mapping[str, Operation], handlers: Mapping[str, Handler]) -> None:
        self._app = app
        self._paths = Paths(operation for name, operation in operations.items() if name in handlers)
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        found = self._found(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        operation = found.operation
        if operation is None:
            allowed = ", ".join(found.allowed)
            refusal = InvalidInput(f"{scope['method']} is not served here; there are: {allowed}", allowed=found.allowed)
            await problem(refusal, status=405, headers={"Allow": allowed})(scope, receive, send)
            return
        scope["cerver.operation"] = operation.name
        serving: Serving = scope["app"].state.serving
        call = Call(serving, operation, scope, receive, found.parameters, None, bearer(scope))
        response = await packed(await self._answer(call), header(scope, b"accept-encoding"))
        await response(scope, receive, send)

    def _found(self, scope: Scope) -> Found | None:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        return self._paths.find(scope["method"], raw_path.decode("latin-1"))

    async def _answer(self, call: Call) -> Response:
        operation, limits = call.operation, call.serving.limits
        if operation.is_open or (operation.needs_no_key and call.token is None):
            # A key that comes along is not looked at: whoever logs in again may still send the old one.
            call.serving.rates.admit_stranger(address(call.scope))
        else:
            call.caller = await _caller(call)
        if operation.body_media == JSON:
            most = limits.body_of(operation)
            call.content = await body_bytes(
                call.scope, call.receive, most=most, pause_s=limits.body_pause_s, whole_s=limits.body_s
            )
        key = header(call.scope, b"idempotency-key") if operation.method == "POST" else None
        if key is None or call.caller is None:
            return await self._done(call)
        return await once(operation, key, _said(call), call.serving.host.replies(call.caller), self._kept(call))

    def _kept(self, call: Call) -> Callable[[], Awaitable[Response]]:
        async def do() -> Response:
            try:
                return await self._done(call)
            except CerverError as error:
                return problem(error)

        return do

    async def _done(self, call: Call) -> Response:
        handler = self._handlers[call.operation.name]
        limit_s = call.serving.limits.answer_of(call.operation)
        if limit_s is None:
            return _response(await handler(call), call.operation)
        with anyio.move_on_after(limit_s):
            return _response(await handler(call), call.operation)
        raise DeadlineExceeded(f"{call.operation.name} was not done within {limit_s:g} s; it may have been begun")


def bearer(scope: Scope) -> str | None:
    """Give the key of a request: `Authorization: Bearer <key>`; null when there is none."""
    told = header(scope, b"authorization")
    if told is None:
        return None
    scheme, _, token = told.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("the header Authorization must be `Bearer <key>`")
    return token.strip()


async def _caller(call: Call) -> Caller:
    caller = await identify(call.serving, call.scope, call.token)
    call.scope["cerver.key_id"] = caller.key_id
    check_rights(caller, call.operation, origin=header(call.scope, b"origin"))
    return caller


async def identify(serving: Serving, scope: Scope, token: str | None) -> Caller:
    """Find out who asks, and count the request: by the key, or by the address it came from if there is no good key.

    Raises:
        Unauthorized: there is no key, or it is not accepted.
        RateLimited: the key, or the address, has asked too often.
    """
    try:
        caller = await _known(serving, token)
    except Unauthorized:
        serving.rates.admit_stranger(address(scope))
        raise
    serving.rates.admit_key(caller.key_id)
    return caller


async def _known(serving: Serving, token: str | None) -> Caller:
    if not token:
        raise Unauthorized(NO_KEY)
    return await serving.host.authenticate(token)


def address(scope: Scope) -> str:
    """Give the address a request came from, as the server saw it."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else "unknown"


def admit(caller: Caller, scope: str, origin: str | None) -> None:
    """Check that a key has a right, and a publishable one is used where it may be.

    Raises:
        Forbidden: it lacks the right, or the page that uses it is not among its `allowed_origins`.
    """
    if caller.kind == "publishable" and origin not in caller.allowed_origins:
        raise Forbidden("this publishable key is not for this page: add its origin to the key's allowed_origins")
    if scope not in caller.scopes:
        has = ", ".join(sorted(caller.scopes)) or "none"
        raise Forbidden(f"this key lacks the scope {scope}; it has: {has}", scope=scope)


def _said(call: Call) -> bytes:
    """Give all that makes the call what it is."""
    path: bytes = call.scope.get("raw_path") or call.scope["path"].encode()
    return b"\0".join((path, call.scope["query_string"], call.content))


def _response(answer: BaseModel | Response, operation: Operation) -> Response:
    return answer if isinstance(answer, Response) else json_answer(answer, operation.status)
