"""The members of each plug-in family by name; a member's module loads when it is first asked for."""

from collections.abc import Callable, Mapping

from cerver_core.config import Settings
from cerver_core.errors import NotSupported, SecretBackendMisconfigured
from cerver_core.providers.base import Provider
from cerver_core.secrets.base import SecretBackend
from cerver_core.stores.base import Store

__all__ = ["PROVIDERS", "SECRET_BACKENDS", "provider", "secret_backend", "store"]


def provider(name: str, settings: Settings) -> Provider:
    """Make a provider by its name.

    Raises:
        NotSupported: there is none by this name.
    """
    if name not in PROVIDERS:
        raise NotSupported(f"there is no provider {name!r}; there are: {', '.join(PROVIDERS)}", provider=name)
    return PROVIDERS[name](settings)


def secret_backend(settings: Settings) -> SecretBackend:
    """Make the secret backend that the settings name.

    Raises:
        SecretBackendMisconfigured: it is unknown, or its own settings are incomplete.
    """
    name = settings.secrets_backend
    if name not in SECRET_BACKENDS:
        known = ", ".join(SECRET_BACKENDS)
        raise SecretBackendMisconfigured(f"CERVER_SECRETS_BACKEND is {name!r}; it must be one of: {known}")
    return SECRET_BACKENDS[name](settings)


def store(settings: Settings) -> Store:
    """Make the embedded store of this user: a SQLite file under the settings' home."""
    from cerver_core.stores.sqlite import SqliteStore

    return SqliteStore(settings.home / "cerver.db", durability=settings.durability)


def _local(settings: Settings) -> Provider:
    from cerver_core.providers.local import LocalProvider

    return LocalProvider(settings.home, isolation=settings.isolation)


def _env(settings: Settings) -> SecretBackend:
    from cerver_core.secrets.env import EnvBackend

    return EnvBackend(settings.environ)


def _infisical(settings: Settings) -> SecretBackend:
    from cerver_core.secrets.infisical import InfisicalBackend, InfisicalSettings

    return InfisicalBackend(InfisicalSettings.from_environ(settings.environ))


PROVIDERS: Mapping[str, Callable[[Settings], Provider]] = {"local": _local}
SECRET_BACKENDS: Mapping[str, Callable[[Settings], SecretBackend]] = {"env": _env, "infisical": _infisical}
