"""Assembly: one call gives a caller's Cerver, over the engine on this machine or over a gateway."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cerver_core import plugins
from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.redaction import KnownSecrets

__all__ = ["connect"]

_LOCAL_ACCOUNT = "local"


@asynccontextmanager
async def connect(settings: Settings | None = None, *, known: KnownSecrets | None = None) -> AsyncGenerator[Cerver]:
    """Open Cerver as the settings say (by default as the environment does), and close it afterwards.

    `known` holds secrets this process has handed out, to be masked in everything that is stored.

    Raises:
        ConfigurationError: the settings contradict themselves, or a provider's own are incomplete.
        NotSupported: `CERVER_PROVIDERS` names a provider that is not installed.
        SecretBackendMisconfigured: the secret backend is unknown or its settings are incomplete.
        StoreUnavailable, StoreCorrupt, SchemaTooNew: the embedded store cannot be opened.
    """
    settings = settings or Settings.from_environ()
    if settings.api_token is not None:
        from cerver_core.client import Client

        async with Client(settings.gateway_url, settings.api_token) as client:
            yield client
        return
    from cerver_core.engine import Engine

    providers = {name: plugins.provider(name, settings) for name in plugins.configured_providers(settings)}
    secrets = plugins.secret_backend(settings)
    engine = Engine(plugins.store(settings), providers, secrets, known=known, detection=settings.redact)
    async with engine:
        yield engine.account(_LOCAL_ACCOUNT)
