"""The audit trail of an account: who did what with which key. Names, never values."""

import secrets
import time
from collections.abc import Mapping

from pydantic import JsonValue

from cerver_core.clock import from_us
from cerver_core.engine.directory import JsonObject
from cerver_core.engine.tenant import Tenant
from cerver_core.stores.records import Record, RecordStore
from cerver_core.wire.account import AuditEntry, AuditPage, ListAudit

__all__ = ["Audit"]

_KIND = "audit"
_KEPT_US = 400 * 24 * 3600 * 1_000_000
"""How long a line is kept: a year and a month. Our choice."""


class Audit:
    """Writes and reads the trail of one account for one caller. An embedded Cerver keeps none."""

    def __init__(self, tenant: Tenant, records: RecordStore) -> None:
        self._tenant = tenant
        self._records = records

    async def note(
        self,
        action: str,
        target: str | None = None,
        *,
        now_us: int,
        project: str | None = None,
        detail: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write a line, durably."""
        if self._tenant.hosting is None:
            return
        data: JsonObject = {
            "action": action,
            "key": self._tenant.key,
            "target": target,
            "project": project or self._tenant.project,
            "detail": {**(detail or {})},
        }
        line_id = (
            f"{now_us:020d}-{time.monotonic_ns():020d}-{secrets.token_hex(2)}"  # in order within a microsecond too
        )
        await self._records.put(_KIND, line_id, data, now_us=now_us, expires_at_us=now_us + _KEPT_US)

    async def read(self, request: ListAudit, *, now_us: int) -> AuditPage:
        """Read a page, newest first; a key of a project gets that project's lines."""
        found: list[Record] = []
        after = request.cursor
        while len(found) <= request.limit:
            page = await self._records.list(_KIND, now_us=now_us, after=after, limit=200, newest=True)
            found += [record for record in page if self._is_shown(record)]
            if not page:
                break
            after = page[-1].id
        shown = found[: request.limit]
        return AuditPage(
            entries=tuple(_entry(record) for record in shown),
            next_cursor=shown[-1].id if len(found) > request.limit else None,
        )

    def _is_shown(self, record: Record) -> bool:
        project = self._tenant.project
        return project is None or record.data.get("project") == project


def _entry(record: Record) -> AuditEntry:
    data = record.data
    target, project, detail = data.get("target"), data.get("project"), data.get("detail")
    return AuditEntry(
        id=record.id,
        at=from_us(record.created_at_us),
        action=str(data.get("action")),
        key=str(data.get("key")),
        target=target if isinstance(target, str) else None,
        project_slug=project if isinstance(project, str) else None,
        detail=detail if isinstance(detail, dict) else {},
    )
