"""An execution's outcome as the content of its `tool_result` entry."""

from cerver_core.wire.computes import ExecResult

__all__ = ["as_content"]


def as_content(result: ExecResult) -> str:
    """Write the outcome first, then the output: what a reader of the transcript needs, in that order."""
    outcome = "timed out" if result.timed_out else f"exit {result.exit_code}"
    lines = [f"{outcome} after {result.duration_ms:,.0f} ms"]
    lines.extend(f"note: {note}" for note in result.notes)
    parts = [". ".join(lines)]
    for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        if text:
            parts.append(f"--- {name}\n{text.removesuffix(chr(10))}")
    return "\n".join(parts)
