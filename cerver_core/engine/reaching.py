"""What the provider of a session's sandbox can do beside running code: move its end, make a port reachable."""

from urllib.parse import urlsplit

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.reachable import Reachable
from cerver_core.errors import NotSupported
from cerver_core.providers.abilities import Extendable, Previews
from cerver_core.wire.sandboxes import Lifetime, Port, PortHost, SandboxDone

__all__ = ["Reaching"]


class Reaching:
    """The abilities of providers, asked for a session."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reachable = Reachable(context)

    async def set_lifetime(self, session_id: str, request: Lifetime) -> SandboxDone:
        """Let the sandbox live so long from now on."""
        session = await self._context.rows.sessions.get(session_id)
        provider = await self._reachable.of_session(session)
        if not isinstance(provider, Extendable):
            raise NotSupported(
                f"sandboxes of {provider.name} have no end that can be moved: they live until they are deleted",
                provider=provider.name,
            )
        await provider.set_timeout(sandbox_from_json(session), request.timeout)
        return SandboxDone(sandbox_id=session_id)

    async def host(self, session_id: str, request: Port) -> PortHost:
        """Tell where a port is reached."""
        session = await self._context.rows.sessions.get(session_id)
        provider = await self._reachable.of_session(session)
        if not isinstance(provider, Previews):
            raise NotSupported(
                f"{provider.name} cannot make a port of a sandbox reachable; choose a provider with public_preview",
                provider=provider.name,
            )
        preview = await provider.preview(sandbox_from_json(session), request.port)
        return PortHost(
            url=preview.url, host=urlsplit(preview.url).netloc, port=request.port, headers=dict(preview.headers)
        )
