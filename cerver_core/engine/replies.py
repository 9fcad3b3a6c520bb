"""Kept replies over an account's records."""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import cast

from pydantic import JsonValue

from cerver_core.api.replies import KEPT_FOR_S, KeptReply
from cerver_core.clock import Clock, to_us
from cerver_core.errors import IdempotencyInProgress, IdempotencyMismatch
from cerver_core.stores.records import Record, RecordStore

__all__ = ["EngineReplies"]

_KIND = "reply"
_SECOND_US = 1_000_000
_LONGEST_CALL_S = 15 * 60
"""A call that has not ended after this long died with its process: the key can be used again. Our choice."""


class EngineReplies:
    """See `cerver_core.api.replies.Replies`. What was answered to a project's keys is told to that project's alone."""

    def __init__(self, records: RecordStore, clock: Clock, *, project: str | None = None) -> None:
        self._records = records
        self._clock = clock
        self._project = project

    async def claim(self, operation: str, key: str, fingerprint: str) -> KeptReply | None:
        """Write a mark where there is none; else read what the one that is there says."""
        now_us = to_us(self._clock.now())
        record_id = self._id(operation, key)
        made = await self._records.put(
            _KIND,
            record_id,
            {"fingerprint": fingerprint},
            now_us=now_us,
            expected_version=0,
            expires_at_us=now_us + _LONGEST_CALL_S * _SECOND_US,
        )
        if made is not None:
            return None
        record = await self._records.get(_KIND, record_id, now_us=now_us)
        if record is None:  # it expired, or was released, between the two
            return await self.claim(operation, key, fingerprint)
        return _told(record, fingerprint)

    async def keep(self, operation: str, key: str, reply: KeptReply) -> None:
        """Write the reply over the mark, whose fingerprint stays."""
        now_us = to_us(self._clock.now())
        record_id = self._id(operation, key)
        mark = await self._records.get(_KIND, record_id, now_us=now_us)
        if mark is None:
            return
        body = None if reply.body is None else b64encode(reply.body).decode()
        headers: dict[str, JsonValue] = {**reply.headers}
        data: dict[str, JsonValue] = {**mark.data, "status": reply.status, "headers": headers, "body": body}
        await self._records.put(_KIND, record_id, data, now_us=now_us, expires_at_us=now_us + KEPT_FOR_S * _SECOND_US)

    async def release(self, operation: str, key: str) -> None:
        """Remove the mark."""
        await self._records.delete(_KIND, self._id(operation, key))

    def _id(self, operation: str, key: str) -> str:
        told = key if self._project is None else f"{self._project}\0{key}"
        return f"{operation} {sha256(told.encode()).hexdigest()}"


def _told(record: Record, fingerprint: str) -> KeptReply:
    if record.data["fingerprint"] != fingerprint:
        raise IdempotencyMismatch(
            "this Idempotency-Key was used before with another request: use a new key for a new request"
        )
    if "status" not in record.data:
        raise IdempotencyInProgress("the first request with this Idempotency-Key is still being done: wait for it")
    body = record.data["body"]
    return KeptReply(
        status=cast("int", record.data["status"]),
        body=b64decode(body) if isinstance(body, str) else None,
        headers=cast("dict[str, str]", record.data["headers"]),
    )
