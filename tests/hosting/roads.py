"""Opens a host for a test, on a store of its own and with a clock that the test drives; and people to ask as."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cerver_core import plugins
from cerver_core.clock import Clock, SystemClock
from cerver_core.engine import Engine
from cerver_core.engine.engine import AccountCerver
from cerver_core.engine.hosting import EngineHost
from cerver_core.engine.tenant import HostOptions
from cerver_core.hosting import own_makers
from cerver_core.sealing import Sealer
from cerver_core.wire.account import CreateInvite, CreateKey
from tests.engine.roads import settings_for

__all__ = ["KEY", "Person", "account_of", "hosted", "key_of", "operator", "stored_bytes"]

KEY = bytes(range(32))


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    host: EngineHost
    key: str
    account_id: str

    async def cerver(self) -> AccountCerver:
        """Ask as every call does: with the key."""
        return self.host.cerver(await self.host.authenticate(self.key))


@asynccontextmanager
async def hosted(
    home: Path, *, options: HostOptions | None = None, clock: Clock | None = None, keys: tuple[bytes, ...] = (KEY,)
) -> AsyncGenerator[EngineHost]:
    """Open a host over a SQLite store and the local provider."""
    settings = settings_for(home)
    engine = Engine(
        plugins.store(settings),
        {"local": plugins.provider("local", settings)},
        plugins.secret_backend(settings),
        clock=clock or SystemClock(),
    )
    chosen = replace(options or HostOptions(), shares_own_providers=True)
    async with engine:
        makers = own_makers(chosen)
        yield await EngineHost.open(engine, Sealer(keys), chosen, plugins.VAULTS, makers=makers, sweep=False)


async def operator(host: EngineHost) -> Person:
    """Give the first account's operator."""
    key = await host.first_key()
    assert key is not None
    return Person(host, key, (await host.authenticate(key)).account_id)


async def account_of(owner: Person, email: str) -> Person:
    """Invite somebody, who comes."""
    invite = await (await owner.cerver()).admin.invite(CreateInvite(email=email))
    made = await owner.host.logins.accept(invite.url.partition("token=")[2])
    return Person(owner.host, made.api_key, made.account_id)


async def key_of(person: Person, **request: object) -> Person:
    """Make another key of the same account."""
    made = await (await person.cerver()).account.create_key(CreateKey.model_validate(request))
    return replace(person, key=made.key)


def stored_bytes(home: Path) -> bytes:
    """Read all that the store keeps in its files."""
    return b"".join(path.read_bytes() for path in home.glob("*.db*"))
