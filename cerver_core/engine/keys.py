"""The keys of one account: made, listed, revoked. What lets a key in stands in the directory; the rest, beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from pydantic import JsonValue

from cerver_core.clock import Clock, from_us, to_us
from cerver_core.engine.directory import Directory, JsonObject, every
from cerver_core.engine.tenant import Hosting
from cerver_core.errors import AmbiguousReference, InvalidInput, NotFound
from cerver_core.keys import KeyText, make_key, parse_key, prefix_of
from cerver_core.stores.records import Record, RecordStore
from cerver_core.wire.account import CreateKey, KeyCreated, KeyKind, KeyRecord, KeyScope

__all__ = ["KEPT_KEY", "USED", "Keys", "NewKey", "read_request"]

KEPT_KEY = "key"
USED = "key_used"
_MOST_KEYS = 1_000
_LEAST_PREFIX = 8
_DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a new key shall be; `ends_by` is when it ends at the latest, whatever `expires_in_days` says."""

    label: str
    kind: KeyKind = "secret"
    scopes: tuple[KeyScope, ...] = ("read", "write", "admin")
    project_id: str | None = None
    project_slug: str | None = None
    origins: tuple[str, ...] = ()
    expires_in_days: int | None = None
    ends_by: datetime | None = None
    is_operator: bool = False


class Keys:
    """The keys of one account."""

    def __init__(self, account_id: str, records: RecordStore, hosting: Hosting, clock: Clock) -> None:
        self._account_id = account_id
        self._records = records
        self._hosting = hosting
        self._directory: Directory = hosting.directory
        self._clock = clock

    async def create(self, new: NewKey) -> KeyCreated:
        """Make a key: it works when this returns."""
        if len(await self._records.list(KEPT_KEY, now_us=self._now_us(), limit=_MOST_KEYS)) >= _MOST_KEYS:
            raise InvalidInput(f"an account has at most {_MOST_KEYS:,} keys: revoke those that are not used")
        key = make_key(new.kind)
        now_us = self._now_us()
        expires_at_us = _end_us(new, now_us)
        # What is beside it first: broken off in between, a key is listed that lets nobody in, never the reverse.
        await self._records.put(
            KEPT_KEY, key.key_id, self._beside(key, new), now_us=now_us, expires_at_us=expires_at_us
        )
        await self._directory.put_key(key.key_id, self._admission(key, new), expires_at_us=expires_at_us)
        if (await self._directory.account(self._account_id)).is_disabled:
            await self._directory.set_key_enabled(key.key_id, is_enabled=False)
        return KeyCreated(
            key=key.text,
            label=new.label,
            project_id=new.project_id,
            project_slug=new.project_slug,
            kind=new.kind,
            scopes=new.scopes,
            allowed_origins=new.origins,
            expires_at=None if expires_at_us is None else from_us(expires_at_us),
        )

    async def find_publishable(self, new: NewKey) -> KeyCreated | None:
        """Find a publishable key with this label, project and these origins; it is no secret, so it can be shown."""
        async for record in every(self._records, KEPT_KEY, now_us=self._now_us()):
            data = record.data
            sealed = data.get("sealed")
            asked = ("publishable", new.label, new.project_slug, list(new.origins))
            if isinstance(sealed, dict) and asked == tuple(
                data.get(name) for name in ("kind", "label", "project_slug", "origins")
            ):
                text = self._hosting.sealer.open(self._account_id, record.id, sealed)["key"]
                return KeyCreated(
                    key=text,
                    label=new.label,
                    project_id=new.project_id,
                    project_slug=new.project_slug,
                    kind="publishable",
                    scopes=_scopes(data.get("scopes")),
                    allowed_origins=new.origins,
                )
        return None

    async def list(self, project: str | None) -> Sequence[KeyRecord]:
        """List the keys, newest first: those of the project, or all of them (null)."""
        records = [record async for record in every(self._records, KEPT_KEY, now_us=self._now_us())]
        used = {record.id: record async for record in every(self._records, USED, now_us=self._now_us())}
        names = {
            record.id: str(record.data.get("name"))
            async for record in every(self._records, "project", now_us=self._now_us())
        }
        shown = [record for record in records if project is None or record.data.get("project_slug") == project]
        shown.sort(key=lambda record: (record.created_at_us, record.id), reverse=True)
        return [_shown(record, used.get(record.id), names) for record in shown]

    async def resolve(self, reference: str, project: str | None) -> KeyRecord:
        """Find a key by its prefix, a beginning of it, or as a whole.

        Raises:
            NotFound: there is none.
            AmbiguousReference: several begin so.
        """
        whole = parse_key(reference)
        wanted = reference if whole is None else whole.prefix
        exact = whole is not None
        found = [
            key
            for key in await self.list(project)
            if key.prefix == wanted or (not exact and len(wanted) >= _LEAST_PREFIX and key.prefix.startswith(wanted))
        ]
        if not found:
            raise NotFound("there is no such key here: list the keys to see those there are")
        if len(found) > 1:
            raise AmbiguousReference(
                f"{len(found)} keys begin so; use more of the prefix", candidates=[key.prefix for key in found[:5]]
            )
        return found[0]

    async def delete(self, prefix: str) -> None:
        """Revoke the key with this prefix."""
        key_id = prefix.partition("_")[2]
        await self._directory.drop_key(key_id)
        await self._records.delete(KEPT_KEY, key_id)
        await self._records.delete(USED, key_id)

    async def delete_of_project(self, project: str) -> int:
        """Revoke every key of a project; gives how many there were."""
        keys = await self.list(project)
        for key in keys:
            await self.delete(key.prefix)
        return len(keys)

    async def set_enabled(self, *, is_enabled: bool) -> None:
        """Stop every key of the account, or let them in again."""
        async for record in every(self._records, KEPT_KEY, now_us=self._now_us()):
            await self._directory.set_key_enabled(record.id, is_enabled=is_enabled)

    def _admission(self, key: KeyText, new: NewKey) -> JsonObject:
        return {
            "account_id": self._account_id,
            "hash": key.hash(self._hosting.pepper),
            "kind": new.kind,
            "scopes": _json(new.scopes),
            "project_slug": new.project_slug,
            "origins": _json(new.origins),
            "operator": new.is_operator,
            "disabled": False,
        }

    def _beside(self, key: KeyText, new: NewKey) -> JsonObject:
        data: JsonObject = {
            "label": new.label,
            "kind": new.kind,
            "scopes": _json(new.scopes),
            "project_id": new.project_id,
            "project_slug": new.project_slug,
            "origins": _json(new.origins),
            "last4": key.last4,
        }
        if new.kind == "publishable":
            data["sealed"] = self._hosting.sealer.seal(self._account_id, key.key_id, {"key": key.text})
        return data

    def _now_us(self) -> int:
        return to_us(self._clock.now())


def _end_us(new: NewKey, now_us: int) -> int | None:
    asked = None if new.expires_in_days is None else now_us + new.expires_in_days * _DAY_US
    latest = None if new.ends_by is None else to_us(new.ends_by)
    return min((end for end in (asked, latest) if end is not None), default=None)


def read_request(request: CreateKey, held: frozenset[str]) -> NewKey:
    """Read what a new key shall be; without scopes it gets those of the asking key.

    Raises:
        InvalidInput: a publishable key without origins, or with the scope `admin`; an origin that is none.
    """
    if request.kind == "secret":
        if request.allowed_origins:
            raise InvalidInput("allowed_origins are for publishable keys: a secret key must not be in a page")
        scopes = request.scopes or tuple(scope for scope in _ALL if scope in held)
        return NewKey(request.label, "secret", scopes, expires_in_days=request.expires_in_days)
    if request.scopes is not None and "admin" in request.scopes:
        raise InvalidInput("a publishable key cannot have the scope admin")
    if not request.allowed_origins:
        raise InvalidInput(
            "a publishable key needs allowed_origins: the pages it may be used in, as https://example.com"
        )
    new = NewKey(request.label, "publishable", request.scopes or ("read", "write"))
    return replace(new, origins=tuple(map(_origin, request.allowed_origins)), expires_in_days=request.expires_in_days)


_ALL: tuple[KeyScope, ...] = ("read", "write", "admin")


def _origin(text: str) -> str:
    parts = urlsplit(text.strip().lower().rstrip("/"))
    try:
        port = parts.port
    except ValueError:
        port = -1
    plain = parts.scheme in {"https", "http"} and parts.hostname and parts.netloc.rpartition("@")[1] == ""
    if not plain or parts.path or parts.query or parts.fragment or port == -1:
        raise InvalidInput(f"{text[:100]!r} is no origin: give scheme and host, as https://example.com")
    return f"{parts.scheme}://{parts.netloc}"


def _shown(record: Record, used: Record | None, names: dict[str, str]) -> KeyRecord:
    data = record.data
    kind: KeyKind = "publishable" if data.get("kind") == "publishable" else "secret"
    prefix = prefix_of(kind, record.id)
    slug = cast("str | None", data.get("project_slug"))
    return KeyRecord(
        key_masked=f"{prefix}…{data.get('last4')}",
        prefix=prefix,
        label=str(data.get("label")),
        kind=kind,
        scopes=_scopes(data.get("scopes")),
        created_at=from_us(record.created_at_us),
        last_used_at=None if used is None else from_us(used.updated_at_us),
        expires_at=None if record.expires_at_us is None else from_us(record.expires_at_us),
        project_id=cast("str | None", data.get("project_id")),
        project_slug=slug,
        project_name=None if slug is None else names.get(slug),
        allowed_origins=tuple(map(str, cast("list[str]", data.get("origins") or []))),
    )


def _scopes(value: JsonValue) -> tuple[KeyScope, ...]:
    kept = value if isinstance(value, list) else []
    return tuple(scope for scope in _ALL if scope in kept)


def _json(values: Iterable[str]) -> JsonValue:
    return [*values]
