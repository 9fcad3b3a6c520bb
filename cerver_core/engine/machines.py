"""Registered machines of one account: kept as records, listed as computes, offline when nothing was heard of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from cerver_core.clock import from_us
from cerver_core.engine.context import Context
from cerver_core.errors import ComputeNotFound, ProviderUnavailable
from cerver_core.stores.records import Record
from cerver_core.wire.computes import Compute
from cerver_core.wire.machines import (
    OFFLINE_AFTER_S,
    HeartbeatCompute,
    RegisterCompute,
    RelayReply,
    RelayRequest,
    RemovedCompute,
)

__all__ = ["Machines"]

_KIND = "compute"
_MOST = 200


class Machines:
    """Registers machines and hears of them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list(self) -> tuple[Compute, ...]:
        """List them, by id."""
        now_us = self._context.now_us()
        kept = await self._context.rows.records.list(_KIND, now_us=now_us, limit=_MOST)
        return tuple(self._shown(record, now_us) for record in kept)

    async def register(self, request: RegisterCompute) -> Compute:
        """Make one known. What its relay connects with is not kept."""
        masked = self._context.masking.object
        data: dict[str, JsonValue] = {
            "label": request.label or request.compute_id,
            "kind": request.kind,
            "provider": request.provider,
            "capabilities": dict(masked(request.capabilities)),
            "metadata": dict(masked(request.metadata)),
            "status": "online",
        }
        return await self._put(request.compute_id, data)

    async def heartbeat(self, compute_id: str, request: HeartbeatCompute) -> Compute:
        """Hear of one."""
        kept = await self._get(compute_id)
        said: dict[str, Any] = {"status": request.status}
        for name, facts in (("capabilities", request.capabilities), ("metadata", request.metadata)):
            if facts is not None:
                said[name] = dict(self._context.masking.object(facts))
        return await self._put(compute_id, {**kept.data, **said})

    async def remove(self, compute_id: str) -> RemovedCompute:
        """Forget one."""
        if not await self._context.rows.records.delete(_KIND, compute_id):
            raise _unknown(compute_id)
        return RemovedCompute(compute_id=compute_id)

    async def relay(self, compute_id: str, request: RelayRequest) -> RelayReply:
        """Find that no relay is connected: none can be yet, on any gateway of this version."""
        del request
        kept = await self._get(compute_id)
        raise ProviderUnavailable(
            f"the relay of {kept.data['label']} is offline: start it on that machine", compute_id=compute_id
        )

    async def _get(self, compute_id: str) -> Record:
        # What no id can be is not there, rather than refused.
        kept = None
        if 0 < len(compute_id) <= 200:
            kept = await self._context.rows.records.get(_KIND, compute_id, now_us=self._context.now_us())
        if kept is None:
            raise _unknown(compute_id)
        return kept

    async def _put(self, compute_id: str, data: Mapping[str, JsonValue]) -> Compute:
        now_us = self._context.now_us()
        kept = await self._context.rows.records.put(_KIND, compute_id, data, now_us=now_us)
        if kept is None:
            raise _unknown(compute_id)
        return self._shown(kept, now_us)

    def _shown(self, record: Record, now_us: int) -> Compute:
        return _compute(record, now_us, self._context.tenant.account_id)


def _unknown(compute_id: str) -> ComputeNotFound:
    return ComputeNotFound(f"there is no registered machine {compute_id}; list the computes to see those there are")


def _compute(record: Record, now_us: int, owner_id: str) -> Compute:
    is_heard = now_us - record.updated_at_us <= OFFLINE_AFTER_S * 1_000_000 and record.data["status"] != "offline"
    capabilities = record.data["capabilities"]
    return Compute(
        compute_id=record.id,
        label=str(record.data["label"]),
        provider=str(record.data["provider"]),
        status="ready" if is_heard else "offline",
        kind=str(record.data["kind"]),
        last_heartbeat_at=from_us(record.updated_at_us),
        owner_id=owner_id,
        capabilities=capabilities if isinstance(capabilities, dict) else {},
    )
