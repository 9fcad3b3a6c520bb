"""Opens the embedded engine for a test, on a home of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from cerver_core.clock import Clock, SystemClock
from cerver_core.config import Settings
from cerver_core.engine import Engine
from cerver_core.engine.engine import AccountCerver
from cerver_core.plugins import configured_providers, provider, secret_backend, store
from cerver_core.redaction import KnownSecrets
from cerver_core.testing.cerver import SECRET

__all__ = ["embedded", "settings_for"]


def settings_for(home: Path) -> Settings:
    """Give the settings of a fresh user whose environment holds one secret."""
    return Settings.from_environ({"CERVER_HOME": str(home), "HOME": str(home), "SUITE_TOKEN": SECRET})


@asynccontextmanager
async def embedded(
    home: Path, *, clock: Clock | None = None, known: KnownSecrets | None = None
) -> AsyncGenerator[AccountCerver]:
    """Open the engine as `connect` does, with a clock that the test drives."""
    settings = settings_for(home)
    providers = {name: provider(name, settings) for name in configured_providers(settings)}
    engine = Engine(store(settings), providers, secret_backend(settings), known=known, clock=clock or SystemClock())
    async with engine:
        yield engine.account("local", sweep=False)
