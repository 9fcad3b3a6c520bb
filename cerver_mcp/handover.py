"""What the front leaves to the server: the wire, and what has happened on it so far."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Handover"]


class Handover:
    """The two ends of the wire, the messages that the server has yet to see, and whose second reply to drop.

    `rest` is the beginning of a line whose end has not come yet.
    """

    __slots__ = ("already_answered", "lines", "read_fd", "rest", "write_fd")

    def __init__(
        self,
        read_fd: int,
        write_fd: int,
        lines: Sequence[bytes],
        rest: bytes = b"",
        already_answered: str | int | None = None,
    ) -> None:
        self.read_fd = read_fd
        self.write_fd = write_fd
        self.lines = lines
        self.rest = rest
        self.already_answered = already_answered
