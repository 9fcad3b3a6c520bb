"""Programs over a wire that carries text by the line: what they write goes as base64, so that no byte is lost; pure.

Some clouds decode output as UTF-8, and some pass it through a shell that reads lines. A small program around the real
one writes each stream as lines of base64, and at the end its exit code, so that one call tells everything.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Literal

from cerver_core.errors import ProviderFailed
from cerver_core.providers.base import Output
from cerver_core.providers.shell.link import Ended

__all__ = ["Decoder", "Text", "decoded", "encoded_argv"]

Text = tuple[Literal["stdout", "stderr"], bytes]
"""A piece of one stream as a vendor told it."""

_ENCODE = (
    "exec 3>&1 4>&2; "
    'enc() { while B=$(dd bs=49152 count=1 2>/dev/null | base64 -w 3072) && [ -n "$B" ]; '
    "do printf '%s\\n' \"$B\"; done; }; "
    'C=$(exec 5>&1; { { "$@" </dev/null 2>&6 3>&- 4>&- 5>&- 6>&-; echo $? >&5; } | enc >&3 5>&- 6>&-; } 6>&1 '
    "| enc >&4 5>&-); "
    "printf '=%s\\n' \"$C\"; printf '=%s\\n' \"$C\" >&2"
)
"""argv... -> runs it. `dd` gives what one read brings, so a piece is sent as soon as it is written.

Lines are shorter than 4,096 bytes, which is what a pipe takes in one piece. The last line of each stream is `=` and the
exit code: they come when both are closed, and one may overtake the other's output on its way. POSIX shell, with
`base64 -w` of GNU or busybox.
"""

_LONGEST_LINE = 64 * 1024
_CODE = re.compile(rb"=(\d{1,3})\r?")


def encoded_argv(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Give the command line that runs another one and encodes what it writes."""
    return ("sh", "-c", _ENCODE, "cerver", *argv)


async def decoded(pieces: AsyncIterator[Text], who: str) -> AsyncGenerator[Output | Ended]:
    """Give what an encoded program wrote as it comes, then how it ended; null when its sender broke off before."""
    decoders = {"stdout": Decoder(who), "stderr": Decoder(who)}
    async for stream, text in pieces:
        data = decoders[stream].take(text)
        if data:
            yield Output(stream, data)
        if all(decoder.exit_code is not None for decoder in decoders.values()):
            break
    codes = [decoder.exit_code for decoder in decoders.values() if decoder.exit_code is not None]
    yield Ended(codes[0] if codes else None)


class Decoder:
    """Takes the text of one stream in pieces of any size; one object for each stream of a program."""

    def __init__(self, who: str) -> None:
        """`who` sent it, for messages."""
        self._who = who
        self._held = b""
        self.exit_code: int | None = None
        """What the program ended with, once that was told."""

    def take(self, text: bytes) -> bytes:
        """Give the bytes that the whole lines in it stand for; the rest is held back."""
        lines = (self._held + text).split(b"\n")
        self._held = lines.pop()
        if len(self._held) > _LONGEST_LINE:
            raise self._broken()
        return b"".join(self._line(line) for line in lines)

    def _line(self, line: bytes) -> bytes:
        told = _CODE.fullmatch(line)
        if told is not None:
            self.exit_code = int(told[1])
            return b""
        try:
            return b64decode(line.rstrip(b"\r"), validate=True)
        except binascii.Error as error:
            raise self._broken() from error

    def _broken(self) -> ProviderFailed:
        return ProviderFailed(
            f"{self._who} sent output that cannot be read: does its image have sh, dd and base64?", provider=self._who
        )
