"""Finds the marked snippets of a document."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Snippet", "snippets"]

_MARKED = re.compile(r"<!-- test: (?P<mark>\w+) -->\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """One fenced block with the mark that stands above it."""

    mark: str
    language: str
    text: str


def snippets(document: Path) -> list[Snippet]:
    """List the blocks of a document that stand below a mark `<!-- test: … -->`."""
    found = _MARKED.finditer(document.read_text("utf-8"))
    return [Snippet(match["mark"], match["language"], match["text"]) for match in found]
