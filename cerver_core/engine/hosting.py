"""Many accounts over one engine: finds out whose key it is, and gives each caller what is theirs and nothing else."""

import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar, cast

import anyio

from cerver_core.api.caller import Caller, KeyKind, Scope
from cerver_core.api.replies import Replies
from cerver_core.clock import Clock, from_us
from cerver_core.engine.context import Context
from cerver_core.engine.directory import Directory, JsonObject, change, every, new_account_id
from cerver_core.engine.engine import AccountCerver, Engine
from cerver_core.engine.journal import Journal
from cerver_core.engine.keys import KEPT_KEY, USED, Keys, NewKey
from cerver_core.engine.logins import EngineLogins
from cerver_core.engine.own_providers import MakeProvider, OwnProviders
from cerver_core.engine.replies import EngineReplies
from cerver_core.engine.retention import Retention
from cerver_core.engine.scoping import ProjectRows
from cerver_core.engine.secret_sources import CREDENTIALS, SESSION_CREDENTIALS, VAULT, row_of
from cerver_core.engine.tenant import Hosting, HostOptions, OpenVault, Tenant
from cerver_core.errors import CerverError, StoreUnavailable, Unauthorized
from cerver_core.keys import parse_key, same_hash
from cerver_core.sealing import Sealer
from cerver_core.stores.base import Store
from cerver_core.stores.records import Record, RecordStore

__all__ = ["EngineHost"]

_REFUSED = "the key is not accepted: it is unknown, revoked or expired"
"""One answer for every reason, so that nobody learns which keys there are."""

_SERVER = "server"
_PEPPER = "pepper"
_FIRST = "first_account"
_FIRST_KEY = "first_key"
_OPERATOR = "operator"
_NOBODY = "0" * 64
_WARM_ACCOUNTS = 1_000
_WARM_CALLERS = 4_000
_USED_EVERY_US = 60 * 1_000_000
_SWEEP_EVERY_S = 3_600
log = logging.getLogger(__name__)

K = TypeVar("K")
T = TypeVar("T")


class EngineHost:
    """Satisfies `cerver_core.api.host.Host`. Open the engine first, then `await EngineHost.open(...)`.

    Every call reads its key from the store (one look into an index), so a key that is revoked on any replica is let
    in nowhere from that moment on.
    """

    def __init__(self, engine: Engine, hosting: Hosting, clock: Clock, *, first_account: str | None = None) -> None:
        self._first_account = first_account
        self._engine = engine
        self.hosting = hosting
        self._directory = hosting.directory
        self._clock = clock
        self._accounts = _Warm[str, Context](_WARM_ACCOUNTS)
        self._callers = _Warm[str, AccountCerver](_WARM_CALLERS)
        self._used = _Warm[str, int](_WARM_CALLERS)
        self._known = _Warm[bytes, _Known](_WARM_CALLERS)
        self.logins = EngineLogins(hosting, clock)

    @classmethod
    async def open(
        cls,
        engine: Engine,
        sealer: Sealer,
        options: HostOptions,
        open_vault: Mapping[str, OpenVault],
        *,
        makers: Mapping[str, MakeProvider] | None = None,
        first_account: str | None = None,
        sweep: bool = True,
    ) -> "EngineHost":
        """Make a host over an open engine; `first_account` is the id of the operator's account (null: a new one).

        `makers` make the providers that accounts bring credentials for, by name.

        Raises:
            ConfigurationError, StoreCorrupt: the master key is not the one that the store was used with.
        """
        directory = Directory(engine.store.directory, engine.clock)
        pepper = await _pepper(directory, sealer)
        own = OwnProviders(makers or {}, engine.tasks)
        hosting = Hosting(directory, sealer, pepper, options, open_vault, partial(_records_of, engine.store), own)
        host = cls(engine, hosting, engine.clock, first_account=first_account)
        if sweep:
            engine.tasks.start_soon(host._sweep)
        return host

    async def authenticate(self, token: str) -> Caller:
        """Find out whose key this is. An unknown key takes as long as a wrong one.

        A key that was let in before is not hashed again, but what the store says of it is read every time.
        """
        digest = hashlib.blake2b(token.encode(errors="replace"), digest_size=16, key=self.hosting.pepper).digest()
        known = self._known.get(digest)
        if known is not None:
            record = await self._directory.key(known.caller.key_id)
            if record is not None and (record.version, record.created_at_us) == known.version:
                self._note_use(record)
                return known.caller
        return await self._recognise(token, digest)

    async def _recognise(self, token: str, digest: bytes) -> Caller:
        key = parse_key(token)
        if key is None:
            raise Unauthorized(_REFUSED)
        record = await self._directory.key(key.key_id)
        kept = _NOBODY if record is None else str(record.data["hash"])
        is_same = same_hash(kept, key.hash(self.hosting.pepper))
        if record is None or not is_same or record.data["disabled"] is True:
            raise Unauthorized(_REFUSED)
        self._note_use(record)
        caller = self._caller(record)
        self._known.put(digest, _Known(caller, (record.version, record.created_at_us)))
        return caller

    def cerver(self, caller: Caller) -> AccountCerver:
        """Give the caller's Cerver."""
        name = f"{caller.account_id} {caller.key_id} {caller.project_slug} {sorted(caller.scopes)}"
        found = self._callers.get(name)
        if found is None:
            found = AccountCerver(self._scoped(Tenant(caller, self.hosting)))
            self._callers.put(name, found)
        return found

    def replies(self, caller: Caller) -> Replies:
        """Give what was answered to the account under idempotency keys."""
        records = self._context(Tenant(caller, self.hosting)).rows.records
        return EngineReplies(records, self._clock, project=caller.project_slug)

    async def is_ready(self) -> bool:
        """Tell whether the store answers."""
        try:
            await self._directory.records.get(_SERVER, _PEPPER, now_us=self._directory.now_us())
        except StoreUnavailable:
            return False
        return True

    async def first_key(self) -> str | None:
        """Make the first key, of the first account, which is the operator's; null when that was done before."""
        account_id = await self._first()
        done = await self._directory.records.put(
            _SERVER, _FIRST_KEY, {}, now_us=self._directory.now_us(), expected_version=0
        )
        if done is None:
            return None
        return (await self.keys(account_id).create(NewKey("first", is_operator=True))).key

    async def operator(self) -> Caller:
        """Give the operator, for work at the gateway's own store; the first account is made if need be."""
        return Caller(await self._first(), _OPERATOR, is_operator=True)

    async def _first(self) -> str:
        records, now_us = self._directory.records, self._directory.now_us()
        data: JsonObject = {"account_id": self._first_account or new_account_id()}
        record = await records.put(_SERVER, _FIRST, data, now_us=now_us, expected_version=0) or await records.get(
            _SERVER, _FIRST, now_us=now_us
        )
        if record is None:
            raise StoreUnavailable("the store does not give back what was just kept in it")
        account_id = str(record.data["account_id"])
        await self._directory.add_account(account_id, name="operator", is_operator=True)
        return account_id

    async def rotate(self) -> int:
        """Seal everything under the newest master key; gives how many rows were not yet. Can be repeated at any time.

        What is sealed stays as it is, only the keys of its rows are sealed anew; calls are served meanwhile.
        """
        done = await self._rewrap(_SERVER, self._directory.records, _SERVER, lambda _: _PEPPER)
        async for entry in self._directory.accounts():
            records = self.hosting.records_of(entry.id)
            for kind in (VAULT, CREDENTIALS, SESSION_CREDENTIALS):
                done += await self._rewrap(entry.id, records, kind, partial(row_of, kind))
            done += await self._rewrap(entry.id, records, KEPT_KEY, lambda key_id: key_id)
        return done

    async def _rewrap(self, account_id: str, records: RecordStore, kind: str, row: Callable[[str], str]) -> int:
        done = 0
        now_us = self._directory.now_us()
        async for record in every(records, kind, now_us=now_us):
            if not isinstance(record.data.get("sealed"), dict):
                continue

            def moved(data: JsonObject, row_id: str = row(record.id)) -> JsonObject:
                sealed = data["sealed"]
                fresh = self.hosting.sealer.rewrap(account_id, row_id, sealed) if isinstance(sealed, dict) else None
                return data if fresh is None else {**data, "sealed": fresh}

            if moved(dict(record.data)) != record.data:
                done += await change(records, kind, record.id, moved, now_us=now_us) is not None
        return done

    def keys(self, account_id: str) -> Keys:
        """Give the keys of an account."""
        return Keys(account_id, self.hosting.records_of(account_id), self.hosting, self._clock)

    def _caller(self, record: Record) -> Caller:
        data = record.data
        account_id = str(data["account_id"])
        scopes = cast("frozenset[Scope]", frozenset(map(str, cast("list[str]", data["scopes"]))))
        is_owner = data["operator"] is True or account_id in self.hosting.options.owners
        project = cast("str | None", data["project_slug"])
        return Caller(
            account_id=account_id,
            key_id=record.id,
            kind=cast("KeyKind", data["kind"]),
            scopes=scopes,
            project_slug=project,
            allowed_origins=tuple(map(str, cast("list[str]", data["origins"]))),
            is_operator=is_owner and project is None and "admin" in scopes,
            expires_at=None if record.expires_at_us is None else from_us(record.expires_at_us),
        )

    def _note_use(self, record: Record) -> None:
        """Write when the key was used, at most once a minute, beside the call."""
        now_us = self._directory.now_us()
        last_us = self._used.get(record.id)
        if last_us is None or now_us - last_us >= _USED_EVERY_US:
            self._used.put(record.id, now_us)
            self._engine.tasks.start_soon(self._write_use, str(record.data["account_id"]), record.id, now_us)

    async def _write_use(self, account_id: str, key_id: str, now_us: int) -> None:
        try:
            await self.hosting.records_of(account_id).put(USED, key_id, {}, now_us=now_us)
        except CerverError:
            self._used.put(key_id, 0)

    def _context(self, tenant: Tenant) -> Context:
        found = self._accounts.get(tenant.account_id)
        if found is None:
            found = self._engine.context(tenant)
            self._accounts.put(tenant.account_id, found)
        return found

    def _scoped(self, tenant: Tenant) -> Context:
        context = self._context(tenant)
        if tenant.project is None:
            return replace(context, tenant=tenant)
        rows = ProjectRows(context.rows, tenant.project)
        journal = Journal(rows.transcripts, context.masking, context.clock, context.feed)
        return replace(context, tenant=tenant, rows=rows, journal=journal)

    async def _sweep(self) -> None:
        """Put right every hour what crashes left behind, account by account."""
        while True:
            try:
                async for entry in self._directory.accounts():
                    caller = Caller(account_id=entry.id, key_id="sweep")
                    await Retention(self._engine.context(Tenant(caller, self.hosting))).sweep_quietly()
            except CerverError:
                log.warning("the accounts could not be listed for a sweep; it will be tried again", exc_info=True)
            await anyio.sleep(_SWEEP_EVERY_S)


@dataclass(frozen=True, slots=True)
class _Known:
    """A key that was let in, and the version of what the store said of it then."""

    caller: Caller
    version: tuple[int, int]


class _Warm(Generic[K, T]):
    """Keeps what was used last, up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, T] = OrderedDict()

    def get(self, name: K) -> T | None:
        """Give what is kept by this name."""
        found = self._kept.get(name)
        if found is not None:
            self._kept.move_to_end(name)
        return found

    def put(self, name: K, value: T) -> None:
        """Keep, and let go of what was used longest ago."""
        self._kept[name] = value
        self._kept.move_to_end(name)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _records_of(store: Store, account_id: str) -> RecordStore:
    return store.account(account_id).records


async def _pepper(directory: Directory, sealer: Sealer) -> bytes:
    """Read the key under which API keys are hashed; made once, and sealed, so that it outlives every master key."""
    now_us = directory.now_us()
    record = await directory.records.get(_SERVER, _PEPPER, now_us=now_us)
    if record is None:
        sealed = sealer.seal(_SERVER, _PEPPER, {_PEPPER: secrets.token_hex(32)})
        record = await directory.records.put(
            _SERVER, _PEPPER, {"sealed": sealed}, now_us=now_us, expected_version=0
        ) or await directory.records.get(_SERVER, _PEPPER, now_us=now_us)
    sealed = None if record is None else record.data.get("sealed")
    if not isinstance(sealed, dict):
        raise StoreUnavailable("the store does not give back what was just kept in it")
    return bytes.fromhex(sealer.open(_SERVER, _PEPPER, sealed)[_PEPPER])
