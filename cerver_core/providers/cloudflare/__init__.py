"""Cloudflare's sandboxes, over the vendor's own bridge Worker, which the user deploys."""

from cerver_core.providers.cloudflare.keeping import KeepingCloudflareProvider
from cerver_core.providers.cloudflare.provider import CloudflareProvider

__all__ = ["CloudflareProvider", "KeepingCloudflareProvider"]
