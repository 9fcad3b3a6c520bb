"""Providers of accounts' own credentials, opened when they are first needed and closed when they are not any more."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup, TaskStatus

from cerver_core.errors import CerverError, NoComputeAvailable, NotSupported, RateLimited, StoreUnavailable
from cerver_core.providers.base import Provider

__all__ = ["MakeProvider", "OwnProviders"]

MakeProvider = Callable[[Mapping[str, str]], Provider]
"""Makes a provider from credentials by their names; raises a `CerverError` that holds no value of them."""

Fetch = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the credentials by their names."""

_MOST = 512
_FRESH_S = 60.0
_FAILED_FOR_S = 10.0
_IDLE_S = 15 * 60.0
_GRACE_S = 15 * 60.0
"""How long one that was replaced stays open for calls that hold it: longer than any but an execution takes."""

_LOOK_EVERY_S = 30.0
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Opened:
    """A provider that is open; `busy` counts the executions on it."""

    provider: Provider
    used_s: float
    retired: anyio.Event = field(default_factory=anyio.Event)
    freed: anyio.Event = field(default_factory=anyio.Event)
    is_over: bool = False
    busy: int = 0


@dataclass(slots=True, eq=False)
class _Slot:
    """What is known under one key: of which version, and what came of it."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    version: object = None
    fetched_s: float = 0.0
    credentials: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    opened: _Opened | None = None
    failure: str | None = None


class OwnProviders:
    """Opens what `makers` can make, by name. Every provider is entered and left in one task of `tasks`.

    The most recently used are kept, up to a bound; one that is replaced, or was not used for 15 minutes, is closed when
    nothing runs on it.
    """

    def __init__(self, makers: Mapping[str, MakeProvider], tasks: TaskGroup) -> None:
        self._makers = makers
        self._tasks = tasks
        self._slots: OrderedDict[tuple[str, str, str], _Slot] = OrderedDict()
        self._held: dict[int, _Opened] = {}

    def can_make(self, name: str) -> bool:
        """Tell whether accounts can bring this provider."""
        return name in self._makers

    def require(self, name: str) -> None:
        """Raise `NotSupported` where accounts cannot bring this provider."""
        if name not in self._makers:
            there = ", ".join(self._makers) or "none"
            raise NotSupported(
                f"credentials cannot be brought for the provider {name[:100]!r}; there are: {there}", provider=name
            )

    async def get(
        self, owner: tuple[str, str], name: str, version: object, fetch: Fetch, *, refetch: bool = False
    ) -> Provider:
        """Give the provider of an owner (an account and what of it), opened of the credentials of this version.

        With `refetch` they are fetched again each minute: their values are elsewhere, and may change there.

        Raises:
            NoComputeAvailable: it cannot be used; the message says why, and is remembered for 10 s.
        """
        key = (*owner, name)
        slot = self._slots.setdefault(key, _Slot())
        self._slots.move_to_end(key)
        async with slot.lock:
            now_s = anyio.current_time()
            age_s = now_s - slot.fetched_s
            if slot.version == version and slot.failure is not None and age_s < _FAILED_FOR_S:
                raise NoComputeAvailable(slot.failure, provider=name)
            is_fresh = slot.version == version and (age_s < _FRESH_S or not refetch)
            if slot.opened is None or slot.opened.is_over or not is_fresh or slot.failure is not None:
                await self._renew(slot, name, version, fetch)
            opened = slot.opened
            assert opened is not None
            opened.used_s = anyio.current_time()
        self._let_go_of_the_oldest()
        return opened.provider

    async def _renew(self, slot: _Slot, name: str, version: object, fetch: Fetch) -> None:
        """Fetch the credentials, and open them unless they are those that are open."""
        slot.version, slot.fetched_s, slot.failure = version, anyio.current_time(), None
        try:
            credentials = await fetch()
            if slot.opened is None or slot.opened.is_over or credentials != slot.credentials:
                _retire(slot)
                slot.opened = await self._open(self._makers[name](credentials))
                slot.credentials = credentials
        except (StoreUnavailable, RateLimited):
            slot.version = None
            raise
        except CerverError as error:
            _retire(slot)
            slot.failure = f"{name} cannot be used with the account's credentials: {error.message}"
            raise NoComputeAvailable(slot.failure, provider=name) from error
        except BaseException:
            slot.version = None
            raise

    async def _open(self, provider: Provider) -> _Opened:
        if len(self._held) >= 2 * _MOST:
            raise RateLimited("too many accounts' providers are open on this gateway: try again in some minutes")
        opened = _Opened(provider, anyio.current_time())
        await self._tasks.start(self._hold, opened)
        return opened

    async def _hold(self, opened: _Opened, *, task_status: TaskStatus[None]) -> None:
        # One task opens and closes: a provider's cancel scopes may not be left from another task than entered them.
        try:
            async with opened.provider:
                self._held[id(opened.provider)] = opened
                task_status.started()
                while not opened.retired.is_set() and (opened.busy or _unused_s(opened) < _IDLE_S):
                    with anyio.move_on_after(_LOOK_EVERY_S):
                        await opened.retired.wait()
                opened.is_over = True
                while opened.busy or _unused_s(opened) < _GRACE_S:
                    with anyio.move_on_after(_LOOK_EVERY_S):
                        await opened.freed.wait()
                    opened.freed = anyio.Event()
        except CerverError:
            if id(opened.provider) not in self._held:
                raise
            log.warning("a provider of an account was not closed in order", exc_info=True)
        finally:
            opened.is_over = True
            self._held.pop(id(opened.provider), None)

    @contextmanager
    def busy(self, provider: Provider) -> Generator[None]:
        """Keep a provider open within the block, however long that takes."""
        opened = self._held.get(id(provider))
        if opened is None:
            yield
            return
        opened.busy += 1
        try:
            yield
        finally:
            opened.busy -= 1
            opened.used_s = anyio.current_time()
            opened.freed.set()

    def drop(self, owner: tuple[str, str], name: str) -> None:
        """Let go of one whose owner is no more."""
        slot = self._slots.pop((*owner, name), None)
        if slot is not None:
            _retire(slot)

    def _let_go_of_the_oldest(self) -> None:
        for key, slot in list(self._slots.items())[: max(0, len(self._slots) - _MOST)]:
            if not slot.lock.locked():
                _retire(slot)
                del self._slots[key]


def _retire(slot: _Slot) -> None:
    if slot.opened is not None:
        slot.opened.retired.set()
        slot.opened.is_over = True
        slot.opened = None


def _unused_s(opened: _Opened) -> float:
    return anyio.current_time() - opened.used_s
