"""HTTP to a cloud that sells sandboxes: deadlines, bounded answers, its errors turned into ours; no wire of its own.

Nothing is ever sent twice: who asks for something that can be repeated repeats it above. A credential is in no message,
whatever the other side echoes.
"""

import json
import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

import anyio
import httpx2
from pydantic import JsonValue

from cerver_core.errors import (
    CerverError,
    Conflict,
    DeadlineExceeded,
    Detail,
    InvalidInput,
    NotFound,
    PaymentRequired,
    ProviderFailed,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    TooLarge,
)

if TYPE_CHECKING:
    import ssl

__all__ = ["CloudHttp", "Content", "Transport", "Vendor", "placeable", "trusted"]

Content = bytes | AsyncIterable[bytes]

Transport = Callable[[], httpx2.AsyncBaseTransport]
"""Makes what connects, where that is guarded: the address, and those that answers lead to, are a stranger's."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The largest JSON answer that is read. Our choice; the largest known is a page of a list."""

_PROBLEM_BYTES = 64 * 1024
_SHOWN = 300
_CLOSE_S = 5.0
_WHERE = "which was set where Cerver runs, or given by POST /v2/account/providers"


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who is asked, in the words that a message needs.

    `credential` names the variable or setting that holds the credential, never its value; `secrets` are the values to
    keep out of every message. `request_id` is the response header by which the vendor's support finds a request.
    """

    name: str
    credential: str
    secrets: tuple[str, ...] = ()
    request_id: str = "x-request-id"


class CloudHttp:
    """Asks one vendor, with the credential in `headers`. An async context manager; one for each provider.

    Every call raises what the answer's status stands for: `ProviderRefused` (401, 403), `PaymentRequired` (402),
    `NotFound` (404, 410), `Conflict` (409), `TooLarge` (413), `RateLimited` (429, with `retry_after_s`),
    `ProviderUnavailable` (5xx, no connection), `ProviderFailed` (any other, and what cannot be read), and
    `DeadlineExceeded` when `timeout_s` is over. `detail` holds `provider`, `status` and `request_id`, where known.
    """

    def __init__(
        self, vendor: Vendor, base_url: str, headers: Mapping[str, str], *, timeout_s: float = 60.0,
        connect_timeout_s: float = 10.0, transport: Transport | None = None,
    ) -> None:  # fmt: skip
        """Get ready to ask `base_url`; `timeout_s` bounds each call that names no other limit, in seconds.

        With a `transport` no proxy of the environment is used.
        """
        self.vendor = vendor
        self.base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self.transport = transport
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": "cerver", **headers},
            verify=trusted(),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4),
            transport=None if transport is None else transport(),
            trust_env=transport is None,
        )

    async def __aenter__(self) -> Self:
        """Open the pool of connections; makes no call."""
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            await self._http.__aexit__(kind, error, trace)

    async def json(
        self, method: str, url: str, *, query: Mapping[str, str] | None = None, body: JsonValue = None,
        headers: Mapping[str, str] | None = None, timeout_s: float | None = None,
    ) -> dict[str, JsonValue]:  # fmt: skip
        """Ask, with a JSON body if one is given, and read the answer as a JSON object; an empty answer is `{}`."""
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        whole = await self.whole(
            method, url, query=query, content=content, headers={**kind, **(headers or {})}, timeout_s=timeout_s
        )
        return self.object(whole, f"{method} {url}") if whole.strip() else {}

    async def whole(
        self, method: str, url: str, *, query: Mapping[str, str] | None = None, content: Content | None = None,
        headers: Mapping[str, str] | None = None, timeout_s: float | None = None, max_bytes: int = MAX_ANSWER_BYTES,
        told: dict[str, str] | None = None,
    ) -> bytes:  # fmt: skip
        """Ask, and give the body of the answer whole; `TooLarge` beyond `max_bytes`. `told` as in `stream`."""
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        with anyio.move_on_after(limit_s):
            opened = self.stream(
                method, url, query=query, content=content, headers=headers, silence_s=limit_s, told=told
            )
            async with opened as pieces:
                return await _collected(pieces, max_bytes, f"the answer of {self.vendor.name}")
        raise DeadlineExceeded(
            f"{self.vendor.name} did not answer {method} {_path(url)} within {limit_s:g} s; it may have been done",
            provider=self.vendor.name,
        )

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, *, query: Mapping[str, str] | None = None, content: Content | None = None,
        headers: Mapping[str, str] | None = None, silence_s: float | None = None, told: dict[str, str] | None = None,
    ) -> AsyncGenerator[AsyncIterator[bytes]]:  # fmt: skip
        """Ask, and give the body as it comes; leaving the block closes the connection.

        `url` is a path below the base URL, or whole. `silence_s` is how long the other side may say nothing; null for
        as long as it likes. `told` is filled with the headers of the answer, in small letters.
        """
        asked = f"{method} {_path(url)}"
        with self.mapped(asked):
            request = self._http.build_request(
                method, url if "://" in url else self.base_url + url, params=query, content=content, headers=headers,
                timeout=httpx2.Timeout(silence_s, connect=self._connect_timeout_s, pool=self._connect_timeout_s),
            )  # fmt: skip
            response = await self._http.send(request, stream=True)
            try:
                if response.status_code >= 300:
                    raise await self._problem(response, asked)
                if told is not None:
                    told.update(response.headers)
                async with aclosing(self._pieces(response, asked)) as pieces:
                    yield pieces
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                    await response.aclose()

    async def _pieces(self, response: httpx2.Response, asked: str) -> AsyncGenerator[bytes]:
        """Give the body piece by piece; whoever iterates meets our errors, not the client's."""
        with self.mapped(asked):
            async with aclosing(response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    yield piece

    def object(self, content: bytes, asked: str) -> dict[str, JsonValue]:
        """Read a JSON object.

        Raises:
            ProviderFailed: it is none.
        """
        try:
            value: object = json.loads(content)
        except ValueError as error:
            raise self.broken(f"answered {asked} with something that is not JSON") from error
        if not isinstance(value, dict):
            raise self.broken(f"answered {asked} with JSON that is no object")
        return cast("dict[str, JsonValue]", value)

    def text(self, told: Mapping[str, JsonValue], name: str) -> str:
        """Take a text out of an answer.

        Raises:
            ProviderFailed: it is not there, or empty.
        """
        value = told.get(name)
        if not isinstance(value, str) or not value:
            raise self.broken(f"answered without {name}")
        return value

    def broken(self, what: str) -> ProviderFailed:
        """Make the error for an answer that breaks the vendor's own protocol."""
        return ProviderFailed(f"{self.vendor.name} {what}", provider=self.vendor.name)

    def problem(self, status: int, asked: str, *, code: str = "", message: str = "", **detail: Detail) -> CerverError:
        """Make the error that a status stands for; also for failures told inside of a stream."""
        name = self.vendor.name
        kind, told = _kind(status, self.vendor)
        said = self._said(f"{code}: {message}" if code and message else code or message)
        facts = {"provider": name, "status": status, "reason": self._said(code) or None, **detail}
        known = {key: value for key, value in facts.items() if value is not None}
        return kind(f"{name} {told} ({asked}: {status}{f', {said}' if said else ''})", **known)

    async def _problem(self, response: httpx2.Response, asked: str) -> CerverError:
        body = bytearray()
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > _PROBLEM_BYTES:
                    break
        code, message = _problem_text(bytes(body[:_PROBLEM_BYTES]))
        return self.problem(
            response.status_code, asked, code=code, message=message,
            request_id=response.headers.get(self.vendor.request_id), retry_after_s=_retry_after_s(response.headers),
        )  # fmt: skip

    def _said(self, text: str) -> str:
        for secret in self.vendor.secrets:
            text = text.replace(secret, "[redacted]") if secret else text
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    @contextmanager
    def mapped(self, asked: str) -> Generator[None]:
        """Turn what httpx raises while the block asks for something into our errors."""
        name = self.vendor.name
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.PoolTimeout) as error:
            raise ProviderUnavailable(
                f"{name} at {urlsplit(self.base_url).netloc.rpartition('@')[2]} cannot be reached "
                f"({self._said(str(error)) or type(error).__name__})",
                provider=name, never_sent=True,
            ) from error  # fmt: skip
        except httpx2.TimeoutException as error:
            raise DeadlineExceeded(f"{name} stopped answering {asked}; it may have been done", provider=name) from error
        except httpx2.TransportError as error:
            raise ProviderUnavailable(
                f"the connection to {name} broke during {asked} ({self._said(str(error)) or type(error).__name__}); "
                "what was asked may have been done",
                provider=name,
            ) from error
        except (httpx2.DecodingError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise self.broken(f"cannot be asked, or answered {asked} in an encoding that cannot be read") from error
        except UnicodeEncodeError as error:
            raise InvalidInput("what is asked holds text that is not Unicode (half of a surrogate pair)") from error


@cache
def trusted() -> "ssl.SSLContext":
    """Give the certificates that this process trusts. Reading them takes up to 0.1 s of CPU, so it is done once."""
    return httpx2.create_ssl_context()


@contextmanager
def placeable() -> Generator[None]:
    """Around the making of a sandbox: let every failure that another provider could make good be `ProviderUnavailable`.

    Those are a quota that is used up, too many requests, an answer that does not come, and one that makes no sense.
    A credential that is not accepted stays what it is: falling back would hide it.
    """
    try:
        yield
    except (RateLimited, PaymentRequired, DeadlineExceeded, Conflict, ProviderFailed) as error:
        raise ProviderUnavailable(error.message, **{**error.detail, "because": error.code}) from error


def _kind(status: int, vendor: Vendor) -> tuple[type[CerverError], str]:
    simple: dict[int, tuple[type[CerverError], str]] = {
        401: (ProviderRefused, f"does not accept the credential: check {vendor.credential}, {_WHERE}"),
        402: (PaymentRequired, "asks for payment: a quota is used up, or the plan does not cover this"),
        403: (ProviderRefused, f"refuses this to the credential in {vendor.credential}: check its rights, {_WHERE}"),
        404: (NotFound, "has no such thing (any more)"),
        409: (Conflict, "says that the present state does not allow this"),
        410: (NotFound, "says that this is gone"),
        413: (TooLarge, "takes no more bytes than that at once"),
        429: (RateLimited, "asks to slow down, or a quota is used up"),
    }
    if status in simple:
        return simple[status]
    if status >= 500:
        return ProviderUnavailable, "cannot serve this now"
    return ProviderFailed, "did not understand what was asked"


def _problem_text(body: bytes) -> tuple[str, str]:
    """Find code and message in the forms in which vendors tell problems."""
    try:
        value: object = json.loads(body)
    except ValueError:
        return "", body.decode(errors="replace")
    if not isinstance(value, dict):
        return "", ""
    found = cast("dict[str, object]", value)
    if isinstance(found.get("error"), dict):
        found = cast("dict[str, object]", found["error"])
    texts = [found.get("message"), found.get("error"), found.get("detail")]
    message = next((text for text in texts if isinstance(text, str)), "")
    code = found.get("code")
    return (str(code) if isinstance(code, str | int) else ""), message


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    try:
        value = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


async def _collected(pieces: AsyncIterator[bytes], max_bytes: int, what: str) -> bytes:
    collected = bytearray()
    async for piece in pieces:
        collected += piece
        if len(collected) > max_bytes:
            raise TooLarge(f"{what} has more than {max_bytes} bytes", max_bytes=max_bytes)
    return bytes(collected)


def _path(url: str) -> str:
    return urlsplit(url).path
