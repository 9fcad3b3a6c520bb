"""The sources that histories can be brought in from, by name; each one's module loads when it is first asked for."""

import importlib
from collections.abc import Mapping

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import HistoryImporter

__all__ = ["SOURCES", "history_importer"]

SOURCES: Mapping[str, tuple[str, str]] = {
    "claude-code": ("claude_code", "ClaudeCodeImporter"),
    "codex": ("codex", "CodexImporter"),
    "gemini": ("gemini", "GeminiImporter"),
    "opencode": ("opencode", "OpencodeImporter"),
    "cursor": ("cursor", "CursorImporter"),
    "copilot": ("copilot", "CopilotImporter"),
}
"""Each source: its module in this package, and the importer in it."""


def history_importer(name: str) -> HistoryImporter:
    """Make the importer of a source.

    Raises:
        InvalidInput: there is no source by this name; the message lists them.
    """
    if name not in SOURCES:
        raise InvalidInput(f"there is no source {name!r}; there are: {', '.join(SOURCES)}", allowed=[*SOURCES])
    module, member = SOURCES[name]
    return getattr(importlib.import_module(f"cerver_core.importers.{module}"), member)()
