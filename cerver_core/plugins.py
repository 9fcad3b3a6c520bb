"""The members of each plug-in family by name; a member's module loads when it is first asked for.

A provider of someone else's is a Python package with an entry point in the group `cerver.providers`; it is used when
`CERVER_PROVIDERS` names it, so that nothing is searched, loaded or trusted unasked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cerver_core.config import Settings
from cerver_core.errors import (
    CerverError,
    ConfigurationError,
    InvalidInput,
    NotSupported,
    SecretBackendMisconfigured,
)
from cerver_core.providers.base import Provider
from cerver_core.reach import check_url
from cerver_core.secrets.base import SecretBackend
from cerver_core.secrets.connection import VaultConnection
from cerver_core.stores.base import Store

if TYPE_CHECKING:
    from cerver_core.providers.http import Transport

__all__ = [
    "OWN_PROVIDERS",
    "PROVIDERS",
    "PROVIDER_GROUP",
    "SECRET_BACKENDS",
    "VAULTS",
    "OwnMember",
    "ProviderMember",
    "configured_providers",
    "opened_providers",
    "own_provider",
    "provider",
    "secret_backend",
    "store",
]

PROVIDER_GROUP = "cerver.providers"
"""The entry point group of providers: each is a callable that takes the environment and gives a `Provider`."""


@dataclass(frozen=True, slots=True)
class ProviderMember:
    """A provider that comes with Cerver, configured when all variables of one of the groups in `needs` are set."""

    make: Callable[[Settings], Provider]
    needs: tuple[tuple[str, ...], ...] = ((),)

    def is_configured(self, environ: Mapping[str, str]) -> bool:
        """Tell whether the environment holds what it needs; an empty variable counts as unset."""
        return any(all(environ.get(name) for name in group) for group in self.needs)


@dataclass(frozen=True, slots=True)
class OwnMember:
    """A provider that an account of a gateway can use by its own credentials: their names are the variables', small.

    One of the groups in `needs` must be there; `options` may be.
    """

    make: Callable[[Mapping[str, str], "Transport"], Provider]
    needs: tuple[tuple[str, ...], ...]
    options: tuple[str, ...] = ()


def configured_providers(settings: Settings) -> tuple[str, ...]:
    """Name the providers that these settings open: those whose variables are set, then those asked for by name."""
    own = [name for name, member in PROVIDERS.items() if member.is_configured(settings.environ)]
    return (*own, *(name for name in settings.providers if name not in own))


def opened_providers(settings: Settings) -> tuple[Mapping[str, Provider], Mapping[str, str]]:
    """Make the providers that these settings open; and say of each that cannot be made why."""
    made, obstacles = dict[str, Provider](), dict[str, str]()
    for name in configured_providers(settings):
        try:
            made[name] = provider(name, settings)
        except CerverError as error:
            obstacles[name] = error.message
    return made, obstacles


def provider(name: str, settings: Settings) -> Provider:
    """Make a provider by its name: one that comes with Cerver, or an installed plug-in.

    Raises:
        NotSupported: there is none by this name.
        ConfigurationError: its variables are not set, or two packages bring it.
    """
    member = PROVIDERS.get(name)
    if member is None:
        return _plugged(name, settings)
    if not member.is_configured(settings.environ):
        needs = ", or ".join(" and ".join(group) for group in member.needs)
        raise ConfigurationError(f"the provider {name} needs {needs} in the environment", provider=name)
    return member.make(settings)


def own_provider(name: str, credentials: Mapping[str, str], *, allows_private_networks: bool = False) -> Provider:
    """Make a provider by its name from an account's own credentials (`e2b_api_key`, ...); nothing else is read.

    It connects only where a customer's address may lead.

    Raises:
        NotSupported: accounts cannot bring this one.
        ConfigurationError: a credential is missing, or cannot be one. No message holds a value.
        InvalidInput: an address leads where none may.
    """
    from cerver_core.providers.http import trusted
    from cerver_core.secrets.guarded import GuardedTransport

    member = OWN_PROVIDERS.get(name)
    if member is None:
        there = ", ".join(OWN_PROVIDERS)
        raise NotSupported(f"an account cannot bring the provider {name!r}; there are: {there}", provider=name)
    given = {key.upper(): value for key, value in credentials.items() if value}
    taken = dict.fromkeys([*(one for group in member.needs for one in group), *member.options])
    unknown = sorted(key.lower() for key in given if key not in taken)
    if unknown:
        told = f"the credentials of {name} have names that it does not know: {', '.join(unknown)[:200]}"
        raise ConfigurationError(f"{told}; there are: {', '.join(taken).lower()}", provider=name)
    if not any(all(given.get(one) for one in group) for group in member.needs):
        needs = ", or ".join(" and ".join(group) for group in member.needs).lower()
        raise ConfigurationError(f"the credentials of {name} are incomplete: it needs {needs}", provider=name)
    for key, value in given.items():
        if key.endswith("_URL"):
            _check_own_url(name, key, value, allows_private_networks=allows_private_networks)
    guard = partial(GuardedTransport, allows_private_networks=allows_private_networks, verify=trusted())
    try:
        return member.make(given, guard)
    except UnicodeEncodeError:
        # Without its cause: that holds the value.
        raise ConfigurationError(f"a credential of {name} holds a character that none has", provider=name) from None


def _check_own_url(name: str, key: str, url: str, *, allows_private_networks: bool) -> None:
    try:
        check_url(url, allows_private_networks=allows_private_networks)
    except InvalidInput as error:
        raise InvalidInput(f"{key.lower()} of {name}: {error.message}", provider=name) from None


def _plugged(name: str, settings: Settings) -> Provider:
    from importlib.metadata import entry_points

    found = entry_points(group=PROVIDER_GROUP, name=name)
    if not found:
        there = ", ".join(dict.fromkeys((*PROVIDERS, *entry_points(group=PROVIDER_GROUP).names)))
        raise NotSupported(f"there is no provider {name!r}; there are: {there}", provider=name)
    if len(found) > 1:
        brought = " and ".join(sorted(point.value for point in found))
        raise ConfigurationError(f"{brought} both bring the provider {name!r}: uninstall one", provider=name)
    from cerver_core.providers.nine import as_provider

    return as_provider(next(iter(found)).load()(settings.environ), isolation=settings.isolation)


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
    """Make the store: the Postgres of the settings, or else this user's own SQLite file under their home.

    Raises:
        NotSupported: Postgres is asked for and its extra is not installed.
    """
    if settings.database_url is not None:
        return _postgres(settings.database_url)
    from cerver_core.stores.sqlite import SqliteStore

    return SqliteStore(settings.home / "cerver.db", durability=settings.durability)


def _postgres(url: str) -> Store:
    try:
        from cerver_core.stores.postgres import PostgresStore
    except ModuleNotFoundError as error:
        raise NotSupported(
            "CERVER_DATABASE_URL is set and asyncpg is not installed: install cerver-mcp[postgres]"
        ) from error
    return PostgresStore(url)


def _local(settings: Settings) -> Provider:
    from cerver_core.providers.local import LocalProvider

    return LocalProvider(settings.home, isolation=settings.isolation)


def _p69(settings: Settings) -> Provider:
    from cerver_core.providers.p69 import P69Provider

    return P69Provider(settings.environ)


def _daytona(settings: Settings) -> Provider:
    from cerver_core.providers.daytona import DaytonaProvider

    return DaytonaProvider(settings.environ)


def _cloudflare(settings: Settings) -> Provider:
    from cerver_core.providers.cloudflare import KeepingCloudflareProvider

    return KeepingCloudflareProvider(settings.environ, keep=settings.home / "cloudflare")


def _vercel(settings: Settings) -> Provider:
    from cerver_core.providers.vercel import VercelProvider

    return VercelProvider(settings.environ)


def _e2b(settings: Settings) -> Provider:
    from cerver_core.providers.e2b import E2bProvider

    return E2bProvider(settings.environ)


def _own_p69(given: Mapping[str, str], transport: "Transport") -> Provider:
    from cerver_core.providers.p69 import P69Provider

    return P69Provider(given, transport=transport)


def _own_daytona(given: Mapping[str, str], transport: "Transport") -> Provider:
    from cerver_core.providers.daytona import DaytonaProvider

    return DaytonaProvider(given, transport=transport)


def _own_cloudflare(given: Mapping[str, str], transport: "Transport") -> Provider:
    from cerver_core.providers.cloudflare import CloudflareProvider

    # It keeps no archives of paused sandboxes: several gateways may serve one account, and share no folder.
    return CloudflareProvider(given, transport=transport)


def _own_vercel(given: Mapping[str, str], transport: "Transport") -> Provider:
    from cerver_core.providers.vercel import VercelProvider

    return VercelProvider(given, transport=transport)


def _own_e2b(given: Mapping[str, str], transport: "Transport") -> Provider:
    from cerver_core.providers.e2b import E2bProvider

    return E2bProvider(given, transport=transport)


def _env(settings: Settings) -> SecretBackend:
    from cerver_core.secrets.env import EnvBackend

    return EnvBackend(settings.environ)


def _infisical(settings: Settings) -> SecretBackend:
    from cerver_core.secrets.infisical import InfisicalBackend, InfisicalSettings

    return InfisicalBackend(InfisicalSettings.from_environ(settings.environ))


def _infisical_vault(connection: VaultConnection) -> SecretBackend:
    from cerver_core.secrets.guarded import guarded_transport
    from cerver_core.secrets.infisical import InfisicalBackend, InfisicalSettings
    from cerver_core.secrets.infisical_settings import DEFAULT_SITE_URL

    allows = connection.allows_private_networks
    site_url = (connection.site_url or DEFAULT_SITE_URL).rstrip("/").removesuffix("/api")
    check_url(site_url, allows_private_networks=allows)
    settings = InfisicalSettings(
        project_id=connection.project_id or "",
        token=connection.token,
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        environment=connection.environment or "prod",
        site_url=site_url,
    )
    return InfisicalBackend(settings, transport=partial(guarded_transport, allows_private_networks=allows))


PROVIDERS: Mapping[str, ProviderMember] = {
    "local": ProviderMember(_local),
    "p69": ProviderMember(_p69, (("P69_BASE_URL",),)),
    "vercel": ProviderMember(
        _vercel, (("VERCEL_OIDC_TOKEN",), ("VERCEL_TOKEN", "VERCEL_TEAM_ID", "VERCEL_PROJECT_ID"))
    ),
    "e2b": ProviderMember(_e2b, (("E2B_API_KEY",),)),
    "daytona": ProviderMember(_daytona, (("DAYTONA_API_KEY",), ("DAYTONA_JWT_TOKEN", "DAYTONA_ORGANIZATION_ID"))),
    "cloudflare": ProviderMember(_cloudflare, (("CLOUDFLARE_SANDBOX_URL", "SANDBOX_API_KEY"),)),
}
"""Those that come with Cerver, each with the variables that its adapter reads from `settings.environ`."""

OWN_PROVIDERS: Mapping[str, OwnMember] = {
    "p69": OwnMember(_own_p69, PROVIDERS["p69"].needs, ("P69_API_TOKEN",)),
    "vercel": OwnMember(_own_vercel, PROVIDERS["vercel"].needs, ("VERCEL_REGION", "VERCEL_API_URL")),
    "e2b": OwnMember(
        _own_e2b, PROVIDERS["e2b"].needs, ("E2B_API_URL", "E2B_SANDBOX_URL", "E2B_DOMAIN", "E2B_TEMPLATE")
    ),
    "daytona": OwnMember(
        _own_daytona, PROVIDERS["daytona"].needs, ("DAYTONA_API_URL", "DAYTONA_TARGET", "DAYTONA_SNAPSHOT")
    ),
    "cloudflare": OwnMember(_own_cloudflare, PROVIDERS["cloudflare"].needs),
}
"""Those that accounts of a gateway can bring their own credentials for."""

VAULTS: Mapping[str, Callable[[VaultConnection], SecretBackend]] = {"infisical": _infisical_vault}
"""The kinds of vaults that customers of a gateway can connect, beside those that it keeps itself."""

SECRET_BACKENDS: Mapping[str, Callable[[Settings], SecretBackend]] = {"env": _env, "infisical": _infisical}
