"""`cerver hook`: leaves a note of what an agent's hook tells, and sees that somebody acts on it; never in the way.

An agent waits for it at every step: it loads next to nothing, says nothing, and ends with 0 whatever happens.
"""

from __future__ import annotations

import os
import sys
from select import select
from zlib import crc32

from cerver_core.remembering.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType
    from typing import Any, NoReturn

__all__ = ["HOOKS", "hook"]

HOOKS = ("claude-code", "codex")
"""The agents whose hooks are understood, named as the sources of histories are."""

_SILENCE_S = 2.0
_CHUNK_BYTES = 1 << 20
_DIGEST_S = 2.0
_DIGEST_AT = frozenset({"startup", "clear"})


def hook(arguments: Sequence[str]) -> int:
    """Take note of one event: of the agent named first, told on standard input or as the last argument. Gives 0."""
    try:
        _take_note(arguments, os.environ)
    except Exception as error:  # noqa: BLE001 - the edge to the agent, which must not fail because of us
        sys.stderr.write(f"cerver: the hook took no note: {type(error).__name__}\n")
    return 0


def _take_note(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    if not arguments or arguments[0] not in HOOKS:
        sys.stderr.write(f"cerver: say whose hook this is: cerver hook {' or '.join(HOOKS)}\n")
        return
    agent = arguments[0]
    told = _parsed(arguments[-1] if len(arguments) > 1 else _standard_input())
    path = _text(told, "transcript_path")
    session = _text(told, "session_id") or _text(told, "thread-id")
    if not path and not session:
        return
    place = "" if path else environ.get("CODEX_HOME") or ""
    spool = Spool(environ)
    spool.put(_name(agent, path, session), _object(source=agent, path=path, session=session, place=place))
    try:
        # First the digest: a drainer would take the time that it has.
        if environ.get("CERVER_DIGEST") == "on" and _begins(told):
            _show_digest(told)
    finally:
        spool.start_drainer()


def _begins(told: Mapping[str, object]) -> bool:
    return _text(told, "hook_event_name") == "SessionStart" and _text(told, "source") in _DIGEST_AT


def _name(agent: str, path: str, session: str) -> str:
    """Name a note after its transcript, so that a thousand of them come to one."""
    plain = "".join(character for character in session if character.isascii() and character.isalnum())[:40]
    return f"{agent}-{crc32(os.fsencode(path or session)):08x}-{plain}"


def _show_digest(told: Mapping[str, object]) -> None:
    """Show the digest within its time, loading included: this is for those alone who asked for it."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, _DIGEST_S)
    from cerver_core.cli.digest import show_digest  # noqa: PLC0415

    show_digest(_text(told, "cwd"), _text(told, "session_id"))
    signal.setitimer(signal.ITIMER_REAL, 0)


def _give_up(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(0)


def _standard_input() -> str:
    """Read what the agent tells; one that stays silent, or a terminal, tells nothing."""
    pieces: list[bytes] = []
    while not os.isatty(0) and select([0], [], [], _SILENCE_S)[0] and (piece := os.read(0, _CHUNK_BYTES)):
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace")


class _Plainly:
    """How the interpreter's own JSON scanner shall read, without the library around it that takes longer to load."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: Mapping[str, str] = {}


def _parsed(text: str) -> Mapping[str, object]:
    value: Mapping[str, object]
    try:
        from _json import make_scanner  # noqa: PLC0415 - CPython's; others have the library alone
    except ImportError:
        from json import loads  # noqa: PLC0415 - as above

        value = loads(text, strict=False)
    else:
        scan: Any = make_scanner(_Plainly)  # pyright: ignore[reportArgumentType] - any object with these names will do
        value = scan(text.lstrip(), 0)[0]
    return value


def _text(told: Mapping[str, object], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _object(**fields: str) -> bytes:
    """Write fields of text as JSON; ASCII, also what is no valid Unicode."""
    members = (f'"{name}": "{"".join(map(_spelled, value))}"' for name, value in fields.items() if value)
    return ("{" + ", ".join(members) + "}").encode()


def _spelled(character: str) -> str:
    if " " <= character <= "~" and character not in '"\\':
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
