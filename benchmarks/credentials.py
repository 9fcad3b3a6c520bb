"""How fast text is searched for credentials, and how often it is wrong: over the code of the installed packages."""

import sysconfig
import time
from pathlib import Path

from benchmarks.figure import Figure, median
from cerver_core.credentials import find_credentials

__all__ = ["measure"]

_SUFFIXES = frozenset({".py", ".pyi", ".js", ".json", ".md", ".txt", ".toml", ".lock", ".ts"})
_MOST_BYTES = 8_000_000
_ENTRY_CHARACTERS = 450
_ROUNDS = 3


def measure() -> list[Figure]:
    """Measure whole files, pieces of the size of a usual entry, and what is found where nothing is."""
    texts = _code()
    size = sum(map(len, texts))
    entries = [text[start : start + _ENTRY_CHARACTERS] for text in texts[::20] for start in range(0, len(text), 9_000)]
    find_credentials("warm up: https://a:b@c")
    found = sum(len(find_credentials(text)) for text in texts)
    whole = median([_taken_s(texts) for _ in range(_ROUNDS)])
    pieces = median([_taken_s(entries) for _ in range(_ROUNDS)])
    return [
        Figure("search code for credentials", size / whole / 1e6, "MB/s"),
        Figure(f"search {_ENTRY_CHARACTERS} characters", pieces / len(entries) * 1e6, "us"),
        Figure("found in code that has none", found / size * 1e6, "per MB"),
    ]


def _code() -> list[str]:
    texts: list[str] = []
    room = _MOST_BYTES
    files = sorted(Path(sysconfig.get_path("purelib")).rglob("*"), key=lambda path: (path.name, str(path)))
    for path in files:
        if room > 0 and path.suffix in _SUFFIXES and path.is_file():
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
            room -= len(texts[-1])
    return texts


def _taken_s(texts: list[str]) -> float:
    began_s = time.thread_time()
    for text in texts:
        find_credentials(text)
    return time.thread_time() - began_s
