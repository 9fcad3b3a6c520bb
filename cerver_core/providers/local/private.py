"""Small files under Cerver's home that nobody but the user may read."""

import os
from pathlib import Path

__all__ = ["keep"]


def keep(path: Path, text: str) -> None:
    """Write a file for this user alone, whole or not at all; what was there is replaced."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
