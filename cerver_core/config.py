"""Settings, read once from the environment; nothing else in Cerver looks there.

The standard library only: `cerver-mcp` checks them before it loads anything heavy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from cerver_core.errors import ConfigurationError

if TYPE_CHECKING:
    from cerver_core.wire.computes import IsolationLevel

__all__ = ["DEFAULT_GATEWAY_URL", "Settings"]

DEFAULT_GATEWAY_URL = "https://gateway.cerver.ai"
"""The public gateway (wire contract §0, generation G2)."""

Durability = Literal["full", "relaxed"]
Detection = Literal["off", "detect", "on"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    With `api_token` the road is the gateway at `gateway_url`; without, the engine, on the Postgres of `database_url` or
    else on the SQLite file under `home`.
    `redact` says what is done about credentials that nobody named.
    `isolation` is the level asked for this machine's sandboxes; null means the strongest it can do. `providers` names
    those that other packages bring and that shall be used. `digest` offers an
    agent the last sessions in its folder when one begins. `environ` is the whole environment, for the secret backends;
    it shows in no repr.
    """

    home: Path
    api_token: str | None = field(default=None, repr=False)
    gateway_url: str = DEFAULT_GATEWAY_URL
    database_url: str | None = field(default=None, repr=False)
    durability: Durability = "full"
    redact: Detection = "on"
    isolation: IsolationLevel | None = None
    secrets_backend: str = "env"
    providers: tuple[str, ...] = ()
    digest: bool = False
    environ: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_remote(self) -> bool:
        """Tell whether calls go to a gateway."""
        return self.api_token is not None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; empty variables count as unset.

        Raises:
            ConfigurationError: a variable has a value that is not among those allowed; the message lists them.
        """
        everything = dict(os.environ if environ is None else environ)
        values = {key: value for key, value in everything.items() if value}
        home = Path(values.get("CERVER_HOME") or Path(values.get("HOME") or Path.home()) / ".cerver")
        return cls(
            home=home.expanduser().absolute(),
            api_token=values.get("CERVER_API_TOKEN"),
            gateway_url=_url(values.get("CERVER_GATEWAY_URL", DEFAULT_GATEWAY_URL)),
            database_url=_database(values.get("CERVER_DATABASE_URL")),
            durability=_choice(values, "CERVER_DURABILITY", _DURABILITIES, "full"),
            redact=_choice(values, "CERVER_REDACT", _DETECTIONS, "on"),
            isolation=_choice(values, "CERVER_ISOLATION", _LEVELS, None),
            secrets_backend=values.get("CERVER_SECRETS_BACKEND", "env"),
            providers=tuple(dict.fromkeys(values.get("CERVER_PROVIDERS", "").replace(",", " ").split())),
            digest=_choice(values, "CERVER_DIGEST", _SWITCH, default=False),
            environ=everything,
        )


def _choice(values: Mapping[str, str], name: str, allowed: Mapping[str, T], default: T) -> T:
    word = values.get(name)
    if word is None:
        return default
    if word not in allowed:
        raise ConfigurationError(f"{name} must be one of {', '.join(allowed)}; it is {word!r}")
    return allowed[word]


def _url(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ConfigurationError("CERVER_GATEWAY_URL must start with https:// or http://")
    return value.rstrip("/")


def _database(value: str | None) -> str | None:
    if value is not None and not value.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError("CERVER_DATABASE_URL must start with postgresql://; unset it to use SQLite")
    return value


_DURABILITIES: Mapping[str, Durability] = {"full": "full", "relaxed": "relaxed"}
_DETECTIONS: Mapping[str, Detection] = {"off": "off", "detect": "detect", "on": "on"}
_SWITCH: Mapping[str, bool] = {"on": True, "off": False}
_LEVELS: Mapping[str, IsolationLevel | None] = {"process": "process", "confined": "confined", "sandbox": "sandbox"}
