"""Secrets from Infisical over its REST API, in the two ages of it that are in use; leaves the settings to their file.

No value is kept. What is kept: the identity's access token until shortly before it ends, and which API version the
server speaks. A vendor's exception holds the request, and with it the token, so none is ever chained to ours.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote, urlencode

import anyio

from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import (
    SecretBackendMisconfigured,
    SecretBackendUnreachable,
    SecretEmpty,
    SecretError,
    SecretHidden,
    SecretNotFound,
)
from cerver_core.secrets.base import Secret
from cerver_core.secrets.infisical_answers import Answer, Verdict, error_for, judge, judge_login
from cerver_core.secrets.infisical_settings import InfisicalSettings
from cerver_core.secrets.names import check_name, quote_name

if TYPE_CHECKING:
    import httpx2

__all__ = ["InfisicalBackend", "InfisicalLimits", "InfisicalSettings"]

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class InfisicalLimits:
    """How long to wait for Infisical, and for how many bytes.

    `call_s` bounds a whole fetch with its retries, the others one attempt. A server that asks for a pause of more than
    `patience_s` is not waited for.
    """

    connect_s: float = 3.0
    attempt_s: float = 5.0
    call_s: float = 6.0
    patience_s: float = 5.0
    answer_bytes: int = 1024 * 1024


@dataclass(slots=True)
class _Flight:
    """One request that several callers of the same name wait for."""

    landed: anyio.Event = field(default_factory=anyio.Event)
    secret: Secret | None = None
    error: SecretError | None = None


class InfisicalBackend:
    """Fetches secrets from one environment and path of one Infisical project. Open it with `async with`.

    `transport` makes what connects, for one that looks where it connects to.
    """

    def __init__(
        self,
        settings: InfisicalSettings,
        *,
        limits: InfisicalLimits | None = None,
        clock: Clock | None = None,
        sleep: Sleep = anyio.sleep,
        transport: "Callable[[], httpx2.AsyncBaseTransport] | None" = None,
    ) -> None:
        self._make_transport = transport
        self._settings = settings
        self._limits = limits or InfisicalLimits()
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._transport: httpx2.AsyncBaseTransport | None = None
        self._flights: dict[str, _Flight] = {}
        self._login_lock = anyio.Lock()
        self._access_token: str | None = None
        self._access_until_s = 0.0
        self._speaks_v4 = True

    @property
    def name(self) -> str:
        """`infisical`."""
        return "infisical"

    async def __aenter__(self) -> Self:
        """Get ready to connect; makes no call."""
        import httpx2  # noqa: PLC0415 - loads only where this backend is used

        # The transport, not the client above it: that one logs every URL (project id, name), follows what it finds in
        # the environment and keeps cookies.
        if self._make_transport is not None:
            self._transport = self._make_transport()
        else:
            self._transport = httpx2.AsyncHTTPTransport(trust_env=False)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the connections and forget the access token."""
        transport, self._transport = self._transport, None
        self._access_token = None
        if transport is not None:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await transport.aclose()

    async def fetch(self, name: str) -> Secret:
        """Fetch one secret by its exact name; callers who ask for one name at the same time share one request.

        Raises:
            SecretError: one of its classes, as the contract says, within `InfisicalLimits.call_s`.
        """
        check_name(name)
        with anyio.move_on_after(self._limits.call_s):
            return await self._share(name)
        raise error_for(Verdict.SILENT, name, Answer())

    async def check(self) -> str:
        """Say that Infisical answers, accepts the credential and has the project, environment and path.

        Raises:
            SecretError: as `fetch`.
        """
        with suppress(SecretNotFound, SecretEmpty, SecretHidden):
            await self.fetch(_PROBE_NAME)
        place = self._settings
        return f"infisical: accepts the credential for environment {place.environment}, path {place.secret_path}"

    async def _share(self, name: str) -> Secret:
        while (flight := self._flights.get(name)) is not None:
            await flight.landed.wait()
            if flight.secret is not None:
                return flight.secret
            if flight.error is not None:
                raise type(flight.error)(flight.error.message, **flight.error.detail)
            # The caller who led it was cancelled: the next one leads.
        flight = self._flights[name] = _Flight()
        try:
            flight.secret = await self._ask(name)
        except SecretError as error:
            flight.error = error
            raise
        finally:
            del self._flights[name]
            flight.landed.set()
        return flight.secret

    async def _ask(self, name: str) -> Secret:
        token = await self._token(name)
        answer, verdict = await self._read(name, token)
        if verdict is Verdict.UNAUTHENTICATED and self._settings.is_identity:
            token = await self._token(name, rejected=token)
            answer, verdict = await self._read(name, token)
        if verdict is not Verdict.GIVEN:
            raise error_for(verdict, name, answer)
        return self._accept(name, answer)

    async def _token(self, name: str, *, rejected: str | None = None) -> str:
        """Give a credential to send; an identity logs in when it has no access token, or only the `rejected` one."""
        if not self._settings.is_identity:
            return self._settings.bearer
        async with self._login_lock:
            now_s = self._clock.monotonic()
            if self._access_token is not None and self._access_token != rejected and now_s < self._access_until_s:
                return self._access_token
            self._access_token = None
            credentials = {"clientId": self._settings.client_id, "clientSecret": self._settings.client_secret}
            answer, verdict = await self._call("POST", _LOGIN_PATH, sent=json.dumps(credentials).encode())
            verdict = judge_login(verdict, answer)
            if verdict is not Verdict.GIVEN:
                raise error_for(verdict, name, answer)
            lasts_s = answer.facts.get("expiresIn")
            self._access_token = str(answer.facts["accessToken"])
            self._access_until_s = now_s + (lasts_s - _EARLY_S if isinstance(lasts_s, int) else 0)
            return self._access_token

    async def _read(self, name: str, token: str) -> tuple[Answer, Verdict]:
        place = self._settings
        asked = {
            "environment": place.environment,
            "secretPath": place.secret_path,
            "type": "shared",
            "expandSecretReferences": "true",
            "include_imports": "true",
        }
        segment = quote(name, safe="")
        if self._speaks_v4:
            query = urlencode({"projectId": place.project_id, **asked}, quote_via=quote)
            answer, verdict = await self._call("GET", f"/api/v4/secrets/{segment}?{query}", token=token)
            if verdict is not Verdict.UNROUTED:
                return answer, verdict
        query = urlencode({"workspaceId": place.project_id, **asked}, quote_via=quote)
        answer, verdict = await self._call("GET", f"/api/v3/secrets/raw/{segment}?{query}", token=token)
        self._speaks_v4 = verdict is Verdict.UNROUTED
        return answer, verdict

    async def _call(
        self, method: str, target: str, *, token: str | None = None, sent: bytes = b""
    ) -> tuple[Answer, Verdict]:
        """Send until there is an answer to keep. Only reads are repeated after a failure; a pause that was asked for
        is kept once, by reads and log-ins alike.
        """
        delays: dict[Verdict, list[float]] = {}
        if method == "GET":
            delays = {Verdict.FAILING: list(_FAILING_DELAYS_S), Verdict.DROPPED: [0.0]}
        may_pause = True
        while True:
            answer = await self._send(method, target, token, sent)
            verdict = judge(answer)
            pause_s = answer.retry_after_s
            if verdict is Verdict.THROTTLED and may_pause and pause_s is not None:
                may_pause = False
                if pause_s > self._limits.patience_s:
                    return answer, verdict
                await self._sleep(pause_s)
            elif delays.get(verdict):
                await self._sleep(delays[verdict].pop(0))
            else:
                return answer, verdict

    async def _send(self, method: str, target: str, token: str | None, sent: bytes) -> Answer:
        import httpx2  # noqa: PLC0415 - loads only where this backend is used

        limits = self._limits
        timeouts = httpx2.Timeout(limits.attempt_s, connect=limits.connect_s).as_dict()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "cerver"}
        if sent:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = self._settings.site_url + target
        request = httpx2.Request(method, url, headers=headers, content=sent, extensions={"timeout": timeouts})
        try:
            with anyio.fail_after(limits.attempt_s):
                return await self._exchange(request)
        except (httpx2.TimeoutException, TimeoutError):
            return Answer(fault=Verdict.SILENT)
        except httpx2.ConnectError as error:
            return Answer(fault=Verdict.UNTRUSTED if "CERTIFICATE" in str(error) else Verdict.CLOSED)
        except httpx2.HTTPError:
            return Answer(fault=Verdict.DROPPED)

    async def _exchange(self, request: "httpx2.Request") -> Answer:
        if self._transport is None:
            raise RuntimeError("InfisicalBackend is not open: use it inside `async with`")
        response = await self._transport.handle_async_request(request)
        body = bytearray()
        try:
            async with aclosing(response.aiter_raw()) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) > self._limits.answer_bytes:
                        return Answer(response.status_code, fault=Verdict.OVERSIZED)
        finally:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await response.aclose()
        facts = _facts(bytes(body))
        return Answer(response.status_code, facts, retry_after_s=_seconds(response.headers.get("Retry-After")))

    def _accept(self, name: str, answer: Answer) -> Secret:
        """Take the secret out of a good answer, after checking that it is the one that was asked for."""
        said = _mapping(answer.facts.get("secret"))
        key, value = said.get("secretKey"), said.get("secretValue")
        if not isinstance(key, str) or not isinstance(value, str):
            raise error_for(Verdict.GARBLED, name, answer)
        if key != name:
            raise SecretBackendUnreachable(f"Infisical answered for another name than {quote_name(name)}; not used")
        self._compare(name, "environment", self._settings.environment, said.get("environment"))
        self._compare(name, "project", self._settings.project_id, said.get("workspace"))
        if said.get("secretValueHidden") is True or value == _HIDDEN_VALUE:
            raise SecretHidden(f"Infisical hides the value of {quote_name(name)} from this credential: not readable")
        if not value:
            raise SecretEmpty(f"Secret {quote_name(name)} has an empty value (backend infisical)")
        return Secret(name=name, value=value, source=self.name)

    def _compare(self, name: str, what: str, asked: str, said: object) -> None:
        """Refuse a value from elsewhere: Infisical answers some tokens from their own scope, whatever was asked."""
        if said is None or said == asked:
            return
        shown = f" {said}" if what == "environment" and isinstance(said, str) and _is_slug(said) else " another one"
        raise SecretBackendMisconfigured(
            f"Infisical answered for {quote_name(name)} from {what}{shown}, not from the one configured: the token is "
            f"scoped to it, or the secret is imported from there; the value is not used"
        )


def _facts(body: bytes) -> Mapping[str, Any]:
    """Read a JSON object; anything else gives no facts."""
    try:
        return _mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _mapping(parsed: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", parsed) if isinstance(parsed, dict) else {}


def _seconds(header: str | None) -> float | None:
    """Read a `Retry-After` in seconds; a date or anything else is unknown."""
    return float(header) if header is not None and re.fullmatch("[0-9]{1,9}", header) else None


def _is_slug(text: str) -> bool:
    return len(text) <= _SLUG_CHARS and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


_LOGIN_PATH = "/api/v1/auth/universal-auth/login"
_PROBE_NAME = "CERVER_CHECK"
_HIDDEN_VALUE = "<hidden-by-infisical>"
_FAILING_DELAYS_S = (0.2, 0.6)
_EARLY_S = 60
_CLOSE_S = 1.0
_SLUG_CHARS = 64
