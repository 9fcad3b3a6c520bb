"""What an account spends: reserved before the work, in sums that never pass the limit; counted by month and day.

A session costs what the price table says; an execution, what its provider's time costs. Money is in micro-USD.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.prices import cost_usd
from cerver_core.errors import CerverError, PaymentRequired

if TYPE_CHECKING:
    from cerver_core.clock import Clock
    from cerver_core.engine.tenant import Tenant
    from cerver_core.stores.records import RecordStore
    from cerver_core.wire.account import SpendingLimit

__all__ = ["SESSION_MICRO_USD", "Meter", "day_of", "month_of"]

log = logging.getLogger(__name__)

SESSION_MICRO_USD = 2_000
"""What a session costs: 0.002 USD (wire contract §4, prices shown)."""

_LIMIT = "spending_limit"
_ACCOUNT_LIMIT = "account"
_MICRO = 1_000_000
_SETTLE_LIMIT_S = 10


class Meter:
    """Reserves and counts for one account. An embedded Cerver is charged for nothing and counts by project alone."""

    def __init__(self, tenant: Tenant, records: RecordStore, clock: Clock) -> None:
        self._tenant = tenant
        self._records = records
        self._clock = clock

    @asynccontextmanager
    async def session(self, project: str | None) -> AsyncGenerator[None]:
        """Charge a session that is opened within the block; given back when the block fails.

        Raises:
            PaymentRequired: it would pass the limit of the account or of the project.
        """
        price = 0 if self._tenant.hosting is None else SESSION_MICRO_USD
        await self._reserve(price, project)
        try:
            yield
        except BaseException:
            await self._settle(-price, project)
            raise
        await self._count({"sessions": 1, "service": price}, project)

    @asynccontextmanager
    async def execution(self, provider: str, project: str | None, *, timeout_s: float) -> AsyncGenerator[None]:
        """Charge an execution within the block: its whole time limit is reserved, what it did not take is given back.

        Raises:
            PaymentRequired: the reservation would pass the limit; nothing ran.
        """
        rate = 0.0 if self._tenant.hosting is None else _micro_usd_per_s(provider)
        reserved = math.ceil(rate * timeout_s)
        await self._reserve(reserved, project)
        began_s = self._clock.monotonic()
        try:
            yield
        finally:
            took_s = self._clock.monotonic() - began_s
            cost = min(reserved, math.ceil(rate * took_s))
            await self._settle(cost - reserved, project)
            with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_LIMIT_S):
                await self._count({"compute_ms": round(took_s * 1_000), "compute": cost}, project)

    async def limit(self, project: str | None) -> tuple[int | None, bool]:
        """Give the monthly limit of the account (null) or a project, and whether it is the operator's default."""
        now_us = int(self._clock.now().timestamp() * _MICRO)
        record = await self._records.get(_LIMIT, _limit_id(project), now_us=now_us)
        kept = None if record is None else record.data.get("micro_usd")
        if isinstance(kept, int):
            return kept, False
        default = None if self._tenant.hosting is None else self._tenant.hosting.options.spending_limit_usd
        return (None if project is not None or default is None else round(default * _MICRO)), True

    async def set_limit(self, limit_usd: float | None, project: str | None) -> None:
        """Set a limit, or take it away."""
        if limit_usd is None:
            await self._records.delete(_LIMIT, _limit_id(project))
            return
        now_us = int(self._clock.now().timestamp() * _MICRO)
        await self._records.put(_LIMIT, _limit_id(project), {"micro_usd": round(limit_usd * _MICRO)}, now_us=now_us)

    async def show_limit(self, project: str | None) -> SpendingLimit:
        """Tell the limit and how much of it is left."""
        from cerver_core.wire.account import SpendingLimit

        limit, is_default = await self.limit(project)
        spent = await self.spent(project)
        return SpendingLimit(
            enabled=limit is not None,
            limit_usd=None if limit is None else limit / _MICRO,
            is_default=is_default,
            spent_usd=spent / _MICRO,
            remaining_usd=None if limit is None else max(0, limit - spent) / _MICRO,
            resets_at=_next_month(self._clock.now()),
            project_slug=project,
        )

    async def spent(self, project: str | None) -> int:
        """Tell what was spent in this month, what is reserved included."""
        return await self._records.counter(_spent(self._clock.now(), project))

    async def sessions_of_month(self, project: str) -> int:
        """Tell how many sessions a project opened in this month."""
        return await self._records.counter(f"sessions:{month_of(self._clock.now())}/{project}")

    async def day(self, day: datetime, project: str | None) -> Mapping[str, int]:
        """Tell one day's sums: `sessions`, `service`, `compute_ms`, `compute`."""
        return {
            name: await self._records.counter(_daily(day, name, project))
            for name in ("sessions", "service", "compute_ms", "compute")
        }

    async def _reserve(self, amount: int, project: str | None) -> None:
        if not amount:
            return
        await self._reserve_one(amount, None)
        if project is None:
            return
        try:
            await self._reserve_one(amount, project)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_LIMIT_S):
                await self._records.add(_spent(self._clock.now(), None), -amount)
            raise

    async def _reserve_one(self, amount: int, project: str | None) -> None:
        limit, _ = await self.limit(project)
        name = _spent(self._clock.now(), project)
        if await self._records.add(name, amount, ceiling=limit) is not None or limit is None:
            return
        spent = await self._records.counter(name)
        whose = "the account" if project is None else f"project {project}"
        raise PaymentRequired(
            f"the monthly limit of {whose} is {limit / _MICRO:g} USD, and {spent / _MICRO:g} USD are spent or "
            "reserved: raise the limit, or wait for the next month",
            kind="spend_per_month",
            spent_usd=spent / _MICRO,
            limit_usd=limit / _MICRO,
            project_slug=project,
        )

    async def _settle(self, amount: int, project: str | None) -> None:
        if not amount:
            return
        now = self._clock.now()
        with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_LIMIT_S):
            await self._records.add(_spent(now, None), amount)
            if project is not None:
                await self._records.add(_spent(now, project), amount)

    async def _count(self, amounts: Mapping[str, int], project: str | None) -> None:
        now = self._clock.now()
        names = {f"{_daily(now, name, None)}": amount for name, amount in amounts.items()}
        if project is not None:
            names |= {_daily(now, name, project): amount for name, amount in amounts.items()}
            if "sessions" in amounts:
                names[f"sessions:{month_of(now)}/{project}"] = amounts["sessions"]
        if self._tenant.hosting is None:
            names = {name: amount for name, amount in names.items() if "/" in name}
        try:
            async with anyio.create_task_group() as tasks:
                for name, amount in names.items():
                    if amount:
                        tasks.start_soon(self._records.add, name, amount)
        except* CerverError:
            # What was done stays done, and its price is in the sum that the limit is held against.
            log.warning("the use of an account could not be counted", exc_info=True)


def month_of(moment: datetime) -> str:
    """Name a month as the counters do."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def day_of(moment: datetime) -> str:
    """Name a day as the counters do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def _spent(moment: datetime, project: str | None) -> str:
    return f"spent:{month_of(moment)}" + ("" if project is None else f"/{project}")


def _daily(moment: datetime, name: str, project: str | None) -> str:
    return f"day:{day_of(moment)}:{name}" + ("" if project is None else f"/{project}")


def _limit_id(project: str | None) -> str:
    return _ACCOUNT_LIMIT if project is None else f"project/{project}"


def _next_month(moment: datetime) -> datetime:
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _micro_usd_per_s(provider: str) -> float:
    profile = PROFILES.get(provider)
    if profile is None or profile.price is None:
        return 0.0
    return cost_usd(profile.price, hours=1 / 3_600, cpu_duty=1.0) * _MICRO
