"""Cut long text and byte streams head-and-tail, always telling how much was left out."""

__all__ = ["HeadTail", "cut_text"]


class HeadTail:
    """Collect bytes as they come and keep the first and the last half of a cap; the rest is only counted.

    Memory stays near the cap, whatever is fed. Up to the cap nothing is lost.
    """

    def __init__(self, cap_bytes: int) -> None:
        if cap_bytes < 2:
            raise ValueError("cap_bytes must be at least 2")
        self._head_cap = cap_bytes // 2
        self._tail_cap = cap_bytes - self._head_cap
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    @property
    def total_bytes(self) -> int:
        """Tell how many bytes were fed, kept or not."""
        return self._total

    @property
    def truncated(self) -> bool:
        """Tell whether anything was left out."""
        return self._total > len(self._head) + len(self._tail)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; a piece may end in the middle of a character."""
        self._total += len(data)
        room = self._head_cap - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if len(data) >= self._tail_cap:
            self._tail[:] = data[-self._tail_cap :]
        elif data:
            excess = len(self._tail) + len(data) - self._tail_cap
            if excess > 0:
                del self._tail[:excess]
            self._tail += data

    def text(self) -> str:
        """Decode what was kept as UTF-8; where bytes were left out, a line of its own says how many.

        Bytes that are not UTF-8 become U+FFFD. A character that the cut would have split is left out whole.
        """
        if not self.truncated:
            return (self._head + self._tail).decode("utf-8", "replace")
        head = self._head[: _whole_end(self._head)]
        tail = self._tail[_whole_start(self._tail) :]
        left_out = self._total - len(head) - len(tail)
        return _joined(
            head.decode("utf-8", "replace"), f"[… {left_out:,} bytes left out …]", tail.decode("utf-8", "replace")
        )


def cut_text(text: str, limit: int, *, note: str = "") -> str:
    """Cut a text to at most `limit` characters: head, a line that says how many were left out, tail.

    `note` is put into that line (`[… 12,345 characters left out; seq 12 …]`). A limit too small for the line itself
    gives that line alone.
    """
    if len(text) <= limit:
        return text
    suffix = f"; {note}" if note else ""
    keep = limit - len(_characters(len(text), suffix)) - 2
    if keep < 2:
        return _characters(len(text), suffix)
    head, tail = text[: keep - keep // 2], text[len(text) - keep // 2 :]
    return _joined(head, _characters(len(text) - keep, suffix), tail)


def _characters(count: int, suffix: str) -> str:
    return f"[… {count:,} characters left out{suffix} …]"


def _joined(head: str, marker: str, tail: str) -> str:
    before = "" if head.endswith("\n") or not head else "\n"
    after = "" if tail.startswith("\n") or not tail else "\n"
    return f"{head}{before}{marker}{after}{tail}"


def _whole_end(data: bytearray) -> int:
    """Find where the last whole character ends, leaving out the beginning of one that was cut."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            return len(data) - back if _length(byte) > back else len(data)
    return len(data)


def _whole_start(data: bytearray) -> int:
    """Find where the first whole character starts, leaving out the end of one that was cut."""
    for at in range(min(4, len(data))):
        if data[at] & 0xC0 != 0x80:
            return at
    return len(data) if len(data) < 4 else 0


def _length(lead: int) -> int:
    if lead >= 0xF0:
        return 4
    if lead >= 0xE0:
        return 3
    return 2 if lead >= 0xC0 else 1
