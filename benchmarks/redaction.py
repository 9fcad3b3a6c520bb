"""How fast output is masked, beside a search for the plain values alone, which misses every other spelling."""

import random
import re
import string
import time
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.figure import Figure, median
from cerver_core.redaction import Redactor

__all__ = ["measure"]

_PIECE_BYTES = 8192
_PIECES = 128
_ROUNDS = 5


def measure() -> list[Figure]:
    """Measure streams of a megabyte with 1 and 20 secrets, and how long a redactor takes to get ready."""
    chance = random.Random(7)
    piece = "".join(chance.choices(string.ascii_letters + string.digits + " \n./=", k=_PIECE_BYTES)).encode()
    figures: list[Figure] = []
    for count in (1, 20):
        values = ["sk-" + "".join(chance.choices(string.ascii_letters + string.digits, k=40)) for _ in range(count)]
        secrets = {f"KEY_{number}": value for number, value in enumerate(values)}
        plain = re.compile("|".join(values).encode())
        masked, raw = _interleaved(partial(_stream, secrets, piece), partial(_search, plain, piece))
        figures.append(Figure(f"mask 1 MiB, {count} secrets", masked, "ms", raw, "re, plain values only"))
        ready, _ = _interleaved(partial(_stream, secrets, b""), lambda: None)
        figures.append(Figure(f"get ready, {count} secrets", ready, "ms"))
    return figures


def _interleaved(ours: Callable[[], object], rival: Callable[[], object]) -> tuple[float, float]:
    taken_ms: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for samples, work in zip(taken_ms, (ours, rival), strict=True):
            re.purge()
            began_s = time.perf_counter()
            work()
            samples.append((time.perf_counter() - began_s) * 1000)
    return median(taken_ms[0]), median(taken_ms[1])


def _stream(secrets: Mapping[str, str], piece: bytes) -> None:
    stream = Redactor(secrets).stream()
    for _ in range(_PIECES):
        stream.feed(piece)
    stream.finish()


def _search(plain: re.Pattern[bytes], piece: bytes) -> None:
    for _ in range(_PIECES):
        plain.sub(b"", piece)
