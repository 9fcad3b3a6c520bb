"""Assembly of a host: the engine over a store, for all accounts whose keys are kept in the store's directory."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from cerver_core import plugins
from cerver_core.config import Settings
from cerver_core.engine import Engine
from cerver_core.engine.hosting import EngineHost
from cerver_core.engine.own_providers import MakeProvider
from cerver_core.engine.tenant import LOCAL_ACCOUNT, HostOptions, SignUp
from cerver_core.errors import ConfigurationError
from cerver_core.providers.base import Provider
from cerver_core.redaction import KnownSecrets
from cerver_core.sealing import load_sealer

__all__ = ["host_options", "open_host", "own_makers"]

_SIGN_UPS: Mapping[str, SignUp] = {"open": "open", "invite": "invite", "closed": "closed"}
_DEFAULT_URL = "http://127.0.0.1:8787"


@asynccontextmanager
async def open_host(
    settings: Settings, *, is_local_compute: bool, known: KnownSecrets | None = None, url: str | None = None
) -> AsyncGenerator[EngineHost]:
    """Open what a gateway serves; without `is_local_compute` no code runs on this machine.

    `url` is where people reach it, unless `CERVER_PUBLIC_URL` says so.

    Raises:
        ConfigurationError: a setting is wrong, or the master key is not the one that the store was used with.
        NotSupported: the extra `gateway` is not installed.
    """
    options = host_options(settings, is_single_user=is_local_compute, url=url)
    sealer = load_sealer(settings.environ, settings.home)
    secret_backend = plugins.secret_backend(settings)
    providers = _providers(settings, is_local_compute)
    engine = Engine(plugins.store(settings), providers, secret_backend, known=known, detection=settings.redact)
    # On this user's own file the first account is the one that an embedded Cerver works in: its sessions are there.
    first = LOCAL_ACCOUNT if settings.database_url is None else None
    async with engine:
        yield await EngineHost.open(
            engine, sealer, options, plugins.VAULTS, makers=own_makers(options), first_account=first
        )


def host_options(settings: Settings, *, is_single_user: bool = False, url: str | None = None) -> HostOptions:
    """Read what the operator decided.

    Raises:
        ConfigurationError: a variable has a value that is not among those allowed.
    """
    environ = {name: value for name, value in settings.environ.items() if value}
    sign_up = environ.get("CERVER_SIGNUP", "closed")
    if sign_up not in _SIGN_UPS:
        raise ConfigurationError(f"CERVER_SIGNUP must be one of {', '.join(_SIGN_UPS)}; it is {sign_up!r}")
    return HostOptions(
        base_url=(environ.get("CERVER_PUBLIC_URL") or url or _DEFAULT_URL).rstrip("/"),
        signup=_SIGN_UPS[sign_up],
        allows_trials=_switch(environ, "CERVER_TRIALS"),
        spending_limit_usd=_usd(environ, "CERVER_SPENDING_LIMIT_USD"),
        requires_project_key=_switch(environ, "CERVER_REQUIRE_PROJECT_KEY"),
        allows_private_networks=_switch(environ, "CERVER_ALLOW_PRIVATE_NETWORKS"),
        shares_own_secrets=is_single_user,
        shares_own_providers=is_single_user,
        owners=frozenset(environ.get("CERVER_OWNER_ACCOUNT_IDS", "").replace(",", " ").split()),
    )


def _switch(environ: Mapping[str, str], name: str) -> bool:
    word = environ.get(name, "off").lower()
    if word not in {"on", "off", "1", "0", "true", "false"}:
        raise ConfigurationError(f"{name} must be on or off; it is {word!r}")
    return word in {"on", "1", "true"}


def _usd(environ: Mapping[str, str], name: str) -> float | None:
    word = environ.get(name)
    if word is None:
        return None
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1_000_000_000:
        raise ConfigurationError(f"{name} must be a number of US dollars; it is {word!r}")
    return value


def own_makers(options: HostOptions) -> Mapping[str, MakeProvider]:
    """Give what makes the providers that accounts bring credentials for, by name."""
    allows = options.allows_private_networks
    return {name: partial(plugins.own_provider, name, allows_private_networks=allows) for name in plugins.OWN_PROVIDERS}


def _providers(settings: Settings, is_local_compute: bool) -> Mapping[str, Provider]:
    return {
        name: plugins.provider(name, settings)
        for name in plugins.configured_providers(settings)
        if is_local_compute or name != "local"
    }
