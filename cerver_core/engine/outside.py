"""Asks an address from outside, as a visitor would; hosted, only where an address of a customer may lead."""

import anyio
import httpx2

from cerver_core.engine.tenant import Hosting
from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.abilities import Preview
from cerver_core.secrets.guarded import guarded_transport

__all__ = ["Outside"]

_EVERY_S = 0.2
_ANSWER_LIMIT_S = 10.0
_LIMIT_S = 60.0


class Outside:
    """Asks from this process, not from within a sandbox. A gateway goes by way of the guard against inner networks."""

    def __init__(self, hosting: Hosting | None, *, limit_s: float = _LIMIT_S) -> None:
        self._hosting = hosting
        self._limit_s = limit_s

    async def answered(self, preview: Preview) -> None:
        """Ask until a page is answered, again and again: an address often takes a moment to lead anywhere.

        Raises:
            ProviderUnavailable: it answered no page in time; says what came instead.
        """
        last = "nothing"
        with anyio.move_on_after(self._limit_s):
            async with self._client() as client:
                while True:
                    try:
                        answer = await client.get(preview.url, headers=dict(preview.headers))
                        last = f"status {answer.status_code}"
                        if answer.is_success:
                            return
                    except httpx2.HTTPError as error:
                        last = str(error) or type(error).__name__
                    await anyio.sleep(_EVERY_S)
        raise ProviderUnavailable(
            f"the preview address {preview.url} gave no page within {self._limit_s:g} s when asked from outside; the "
            f"last answer was: {last}"
        )

    def _client(self) -> httpx2.AsyncClient:
        if self._hosting is None:
            return httpx2.AsyncClient(timeout=_ANSWER_LIMIT_S)
        transport = guarded_transport(allows_private_networks=self._hosting.options.allows_private_networks)
        return httpx2.AsyncClient(timeout=_ANSWER_LIMIT_S, transport=transport)
