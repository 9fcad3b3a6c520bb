"""The directory of a gateway: which accounts there are, and which key is whose. Typed reads and writes of records."""

import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from cerver_core.clock import Clock, to_us
from cerver_core.errors import NotFound, StoreUnavailable
from cerver_core.stores.records import Record, RecordStore

__all__ = ["ACCOUNT", "KEY", "AccountEntry", "Directory", "JsonObject", "change", "every", "new_account_id"]

JsonObject = dict[str, JsonValue]

ACCOUNT = "account"
KEY = "key"
_EMAIL = "email"
_ATTEMPTS = 20
_PAGE = 200


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One account of the directory."""

    id: str
    name: str
    email: str | None
    is_disabled: bool
    is_operator: bool
    created_at_us: int


class Directory:
    """Accounts and the hashes of keys, over the records that belong to no account."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self.records = records
        self._clock = clock

    def now_us(self) -> int:
        """Tell the time as the store keeps it."""
        return to_us(self._clock.now())

    async def key(self, key_id: str) -> Record | None:
        """Read what is kept of a key; null when it is unknown, revoked or expired."""
        return await self.records.get(KEY, key_id, now_us=self.now_us())

    async def put_key(self, key_id: str, data: Mapping[str, JsonValue], *, expires_at_us: int | None) -> None:
        """Let a key in from now on."""
        await self.records.put(KEY, key_id, data, now_us=self.now_us(), expires_at_us=expires_at_us)

    async def drop_key(self, key_id: str) -> None:
        """Revoke a key: no call of it is let in any more, on any replica."""
        await self.records.delete(KEY, key_id)

    async def set_key_enabled(self, key_id: str, *, is_enabled: bool) -> None:
        """Stop a key, or let it in again; one that is gone stays gone."""

        def changed(data: JsonObject) -> JsonObject:
            return {**data, "disabled": not is_enabled}

        await change(self.records, KEY, key_id, changed, now_us=self.now_us())

    async def account(self, account_id: str) -> AccountEntry:
        """Read one account.

        Raises:
            NotFound: there is none by this id.
        """
        record = await self.records.get(ACCOUNT, account_id, now_us=self.now_us())
        if record is None:
            raise NotFound(f"there is no account {account_id!r}")
        return _entry(record)

    async def accounts(self) -> AsyncGenerator[AccountEntry]:
        """Give every account, by id."""
        async for record in every(self.records, ACCOUNT, now_us=self.now_us()):
            yield _entry(record)

    async def add_account(
        self,
        account_id: str,
        *,
        name: str,
        email: str | None = None,
        is_operator: bool = False,
        expires_at_us: int | None = None,
    ) -> bool:
        """Keep a new account; false when the id or the address is taken, and nothing is kept then."""
        now_us = self.now_us()
        if email is not None:
            claimed = await self.records.put(
                _EMAIL, email, {"account_id": account_id}, now_us=now_us, expected_version=0
            )
            if claimed is None:
                return False
        data: JsonObject = {"name": name, "email": email, "operator": is_operator, "disabled": False}
        made = await self.records.put(
            ACCOUNT, account_id, data, now_us=now_us, expected_version=0, expires_at_us=expires_at_us
        )
        return made is not None

    async def set_account_enabled(self, account_id: str, *, is_enabled: bool) -> AccountEntry:
        """Mark an account as stopped or not; its keys are another matter.

        Raises:
            NotFound: there is none by this id.
        """

        def changed(data: JsonObject) -> JsonObject:
            return {**data, "disabled": not is_enabled}

        record = await change(self.records, ACCOUNT, account_id, changed, now_us=self.now_us())
        if record is None:
            raise NotFound(f"there is no account {account_id!r}")
        return _entry(record)


def new_account_id() -> str:
    """Make an account's id: `acct_` and 16 hexadecimal digits."""
    return f"acct_{secrets.token_hex(8)}"


async def change(
    records: RecordStore, kind: str, record_id: str, changed: Callable[[JsonObject], JsonObject], *, now_us: int
) -> Record | None:
    """Change a record as it is at that moment, whoever else writes; null when there is none.

    Raises:
        StoreUnavailable: others changed it every time.
    """
    for _ in range(_ATTEMPTS):
        record = await records.get(kind, record_id, now_us=now_us)
        if record is None:
            return None
        kept = await records.put(
            kind,
            record_id,
            changed(dict(record.data)),
            now_us=now_us,
            expected_version=record.version,
            expires_at_us=record.expires_at_us,
        )
        if kept is not None:
            return kept
    raise StoreUnavailable(f"a {kind} is changed by too many at once; try again")


async def every(records: RecordStore, kind: str, *, now_us: int, prefix: str = "") -> AsyncGenerator[Record]:
    """Give every record of a kind, by id, a page at a time."""
    after: str | None = None
    while page := await records.list(kind, now_us=now_us, prefix=prefix, after=after, limit=_PAGE):
        for record in page:
            yield record
        after = page[-1].id


def _entry(record: Record) -> AccountEntry:
    return AccountEntry(
        id=record.id,
        name=str(record.data.get("name") or ""),
        email=cast("str | None", record.data.get("email")),
        is_disabled=bool(record.data.get("disabled")),
        is_operator=bool(record.data.get("operator")),
        created_at_us=record.created_at_us,
    )
