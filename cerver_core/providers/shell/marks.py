"""Tell what an execution wrote from what the script around it tells; pure, one object for each execution."""

__all__ = ["Marks"]

_LONGEST = 1024
"""No mark is longer than this, in bytes."""


class Marks:
    """Takes the bytes of the two streams as they come, in pieces of any size."""

    def __init__(self, exec_id: str) -> None:
        self._mark = b"\x1e" + exec_id.encode() + b" "
        self._held = {"stdout": b"", "stderr": b""}
        self.word: str | None = None
        """What the script told at its beginning."""
        self.ended: dict[str, list[str]] = {}
        """What it told at its end, by stream."""

    @property
    def is_over(self) -> bool:
        """Tell whether both streams have come to their end."""
        return len(self.ended) == len(self._held)

    def take(self, stream: str, data: bytes) -> bytes:
        """Give the part of it that the execution wrote and that can be told to be its own by now."""
        if stream in self.ended:
            return b""
        data = self._held[stream] + data
        self._held[stream] = b""
        while (begin := data.find(self._mark)) >= 0:
            line, ends, rest = data[begin + len(self._mark) :].partition(b"\n")
            if not ends:
                if len(line) > _LONGEST:
                    break
                self._held[stream] = data[begin:]
                return data[:begin]
            words = line.decode(errors="replace").split(" ")
            if words[0] == "ended":
                self.ended[stream] = words[1:]
                return data[:begin]
            self.word = words[0]
            data = data[:begin] + rest
        return self._but_a_beginning(stream, data)

    def rest(self, stream: str) -> bytes:
        """Give what was held back, when no more will come."""
        held, self._held[stream] = self._held[stream], b""
        return held

    def _but_a_beginning(self, stream: str, data: bytes) -> bytes:
        begin = data.rfind(b"\x1e", max(0, len(data) - len(self._mark)))
        if begin < 0 or not self._mark.startswith(data[begin:]):
            return data
        self._held[stream] = data[begin:]
        return data[:begin]
