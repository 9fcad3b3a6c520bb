"""Lets pages of any origin ask: a key is sent by hand, never by a browser, and says itself for which pages it is."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from cerver_core.gateway.reading import header

__all__ = ["CrossOrigin"]


class CrossOrigin(CORSMiddleware):
    """Starlette's own, passed by where no browser asks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the headers that a browser wants to see."""
        if scope["type"] == "http" and header(scope, b"origin") is None:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
