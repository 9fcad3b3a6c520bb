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

    A provider that is named and cannot be made is left out; the catalog says why, and so does a call that needs it.

    `known` holds secrets this process has handed out, to be masked in everything that is stored.

    Raises:
        ConfigurationError: the settings contradict themselves.
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

    providers, obstacles = plugins.opened_providers(settings)
    secrets = plugins.secret_backend(settings)
    store = plugins.store(settings)
    engine = Engine(store, providers, secrets, known=known, detection=settings.redact, obstacles=obstacles)
    async with engine:
        yield engine.account(_LOCAL_ACCOUNT)
