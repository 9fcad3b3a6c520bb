"""An HTTP transport that connects only where a customer's address may lead, and to the very address that was judged."""

import ipaddress
import ssl
from collections.abc import Mapping
from typing import Any

import httpx2

from cerver_core.errors import InvalidInput
from cerver_core.reach import check_url, public_addresses

__all__ = ["GuardedTransport", "guarded_transport"]


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Resolves, judges, connects to the judged address with the name in SNI and Host; follows no redirect."""

    def __init__(self, *, allows_private_networks: bool, verify: ssl.SSLContext | bool = True) -> None:
        self._allows_private_networks = allows_private_networks
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, verify=verify)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            check_url(str(url.copy_with(raw_path=b"/")), allows_private_networks=self._allows_private_networks)
            addresses = await public_addresses(url.host, port, allows_private_networks=self._allows_private_networks)
        except (InvalidInput, OSError) as error:
            raise httpx2.ConnectError(str(error), request=request) from None
        pinned = httpx2.Request(
            request.method,
            url.copy_with(host=addresses[0]),
            headers=request.headers,
            stream=request.stream,
            extensions=_named(request.extensions, url.host),
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def guarded_transport(*, allows_private_networks: bool) -> GuardedTransport:
    """Make one; the certificates of the system are trusted."""
    return GuardedTransport(allows_private_networks=allows_private_networks)


def _named(extensions: Mapping[str, Any], host: str) -> dict[str, Any]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return {**extensions, "sni_hostname": host}
    return dict(extensions)
