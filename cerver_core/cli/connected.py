"""Commands that need a Cerver: opened as the environment says, stopped by signals, closed in any case."""

import signal
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import anyio
from pydantic import BaseModel, ValidationError

from cerver_core.api import Cerver
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import CerverError, InvalidInput
from cerver_core.remembering.spool import Spool

__all__ = ["Asked", "ask", "connected", "perform"]

Asked = Callable[[Cerver, Namespace, Terminal], Awaitable[int]]
"""A command that needs a Cerver; gives the exit code."""

RequestT = TypeVar("RequestT", bound=BaseModel)

_FLAGS = {
    "expected_seq": "--expected-seq",
    "max_cost_usd": "--max-spend-usd",
    "max_tokens": "--max-tokens",
    "project_slug": "--project",
    "sample_size": "--samples",
    "session_name": "--name",
    "session_type": "--type",
    "timeout_s": "--timeout",
}
"""Fields that go by another name on the command line."""

_WORDS = (
    ("String should have at least 1 character", "must not be empty"),
    ("Input should be", "must be"),
    ("String should have", "must have"),
    ("Value should have", "must have a length of"),
    (" items after validation", ""),
)
"""The validator's words, and those of the other messages."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def connected(work: Asked, *, sees_to_notes: bool = True) -> Callable[[Namespace, Terminal], int]:
    """Make a command of what needs a Cerver: opened as the environment says, closed afterwards.

    What hooks noted while nobody was there is then seen to as well, by a process of its own.
    """

    def run(args: Namespace, terminal: Terminal) -> int:
        async def with_cerver() -> int:
            async with connect(settings) as cerver:
                outcome = await _outcome(work(cerver, args, terminal))
            return _answer(outcome)

        settings = Settings.from_environ()
        if sees_to_notes:
            _see_to_notes(Spool(settings.environ))
        return perform(with_cerver)

    return run


def _see_to_notes(spool: Spool) -> None:
    """Start a drainer if hooks left notes and nobody is at them: the next command after a time of being down."""
    if spool.waiting() or spool.taken():
        with suppress(OSError):
            spool.start_drainer()


def perform(work: Callable[[], Awaitable[int]]) -> int:
    """Run something in an event loop; SIGINT, SIGTERM and SIGHUP cancel it, and the code is then 128 + N.

    What was cancelled cleans up first; a second signal does not wait for it.
    """
    return anyio.run(_until_signalled, work)


def ask(model: type[RequestT], fields: Mapping[str, object]) -> RequestT:
    """Build a request from what the command line says; nulls count as left out.

    Raises:
        InvalidInput: a value is not allowed; the message names the field and says why, without the value.
    """
    try:
        return model.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise InvalidInput("; ".join(_reason(item["loc"], item["msg"]) for item in error.errors())) from None


def _reason(place: Sequence[str | int], message: str) -> str:
    """Say what is wrong with a value, by the name that it has on the command line."""
    field = ".".join(map(str, place))
    text = message.removeprefix("Value error, ")
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return f"{_FLAGS.get(field, field)}: {text}" if field else text


async def _until_signalled(work: Callable[[], Awaitable[int]]) -> int:
    outcome: int | Exception = 0
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            nonlocal outcome
            with anyio.open_signal_receiver(*_SIGNALS) as signals:
                async for number in signals:
                    outcome = 128 + number
                    group.cancel_scope.cancel()
                    return

        group.start_soon(watch)
        outcome = await _outcome(work())
        group.cancel_scope.cancel()
    return _answer(outcome)


async def _outcome(work: Awaitable[int]) -> int | Exception:
    """Keep expected errors out of the task groups around, which would wrap them."""
    try:
        return await work
    except (CerverError, BrokenPipeError) as error:
        return error


def _answer(outcome: int | Exception) -> int:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
