"""One caller's Cerver at a gateway: opens the connection and hands out the resources, which do the asking."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import anyio

from cerver_core.client.account import ClientAccount, ClientAdmin
from cerver_core.client.computes import ClientComputes
from cerver_core.client.files import ClientFiles
from cerver_core.client.projects import ClientProjects
from cerver_core.client.routing import ClientRouting
from cerver_core.client.sessions import ClientSessions
from cerver_core.client.transcripts import ClientTranscripts
from cerver_core.client.vaults import ClientVaults
from cerver_core.errors import ConfigurationError

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["Client"]


class Client:
    """Satisfies `cerver_core.api.Cerver`. An async context manager; entering makes no call.

    `timeout_s` limits a whole answer that runs nothing; executions have their own limits. `sleep` waits between the
    attempts of a read that failed to connect; a test passes its own.

    Raises:
        ConfigurationError: the URL or the token cannot be one.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 60,
        connect_timeout_s: float = 10,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        _check(base_url, token)
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._sleep = sleep
        self._opened: Transport | None = None
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"Client({urlsplit(self._base_url).hostname!r})"

    async def __aenter__(self) -> Self:
        """Get ready to ask; the HTTP library loads here, so that importing Cerver stays cheap."""
        from cerver_core.client.transport import Transport  # noqa: PLC0415

        self._opened = await self._stack.enter_async_context(
            Transport(
                self._base_url,
                self._token,
                timeout_s=self._timeout_s,
                connect_timeout_s=self._connect_timeout_s,
                sleep=self._sleep,
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._opened = None
        await self._stack.__aexit__(kind, error, trace)

    @property
    def sessions(self) -> ClientSessions:
        """Open, find, pause, resume, spawn and end sessions."""
        return ClientSessions(self._transport)

    @property
    def transcripts(self) -> ClientTranscripts:
        """Append to transcripts, read and export them."""
        return ClientTranscripts(self._transport)

    @property
    def computes(self) -> ClientComputes:
        """Find places and run code in a session's sandbox."""
        return ClientComputes(self._transport)

    @property
    def files(self) -> ClientFiles:
        """Move files in and out of a session's workspace."""
        return ClientFiles(self._transport)

    @property
    def routing(self) -> ClientRouting:
        """Ask where work should run, and why."""
        return ClientRouting(self._transport)

    @property
    def account(self) -> ClientAccount:
        """Keys, bills, limits, the audit trail."""
        return ClientAccount(self._transport)

    @property
    def admin(self) -> ClientAdmin:
        """What the operator of a gateway does about accounts."""
        return ClientAdmin(self._transport)

    @property
    def projects(self) -> ClientProjects:
        """Projects, their environments and repos."""
        return ClientProjects(self._transport)

    @property
    def vaults(self) -> ClientVaults:
        """Connections to secret stores, and providers' credentials."""
        return ClientVaults(self._transport)

    @property
    def _transport(self) -> "Transport":
        if self._opened is None:
            raise RuntimeError("the client is not open: use it inside `async with Client(...)`")
        return self._opened


def _check(base_url: str, token: str) -> None:
    if not base_url.startswith(("https://", "http://")) or not urlsplit(base_url).hostname:
        raise ConfigurationError("the gateway's address must be an http or https URL: check CERVER_GATEWAY_URL")
    if not token or not all("!" <= character <= "~" for character in token):
        raise ConfigurationError("the token is empty or holds characters no key has: check CERVER_API_TOKEN")
