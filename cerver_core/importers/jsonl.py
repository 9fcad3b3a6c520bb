"""Read Cerver's own JSON-lines export, strictly: every line is understood whole, or the document is refused."""

from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import ImportedTranscript
from cerver_core.wire.exports import ExportHeader
from cerver_core.wire.transcripts import NewEntry

__all__ = ["JsonlImporter"]

Line = TypeVar("Line", bound=BaseModel)


class _ExportedEntry(NewEntry):
    seq: int = Field(ge=1)
    content_bytes: int | None = None


class JsonlImporter:
    """Reads what an export in the form `jsonl` wrote."""

    name = "jsonl"

    def parse(self, document: str) -> ImportedTranscript:
        """Read a document: the header, then entries with seq 1, 2, 3, …

        Only a newline ends a line; one at the very end of the document may be missing.

        Raises:
            InvalidInput: naming the line (from 1) that is not part of such an export, repeats a seq or skips one.
        """
        lines = document.removesuffix("\n").split("\n")
        header = _line(ExportHeader, lines[0], 1, "not the header of a Cerver export")
        entries: list[NewEntry] = []
        for number, text in enumerate(lines[1:], 2):
            exported = _line(_ExportedEntry, text, number, "not a transcript entry")
            _check(exported, number, expected=len(entries) + 1)
            entries.append(NewEntry.model_construct(None, **_fields(exported)))
        return ImportedTranscript(session=header.session, entries=tuple(entries))


def _line(model: type[Line], text: str, number: int, problem: str) -> Line:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise InvalidInput(f"line {number} is {problem}: {what}; nothing was imported", line=number) from None


def _check(entry: _ExportedEntry, number: int, *, expected: int) -> None:
    if entry.at is None:
        raise InvalidInput(f"line {number} has no time (at); nothing was imported", line=number)
    if entry.seq != expected:
        problem = "repeats or goes back" if entry.seq < expected else "leaves a gap"
        raise InvalidInput(
            f"line {number} has seq {entry.seq} where {expected} belongs: it {problem}; nothing was imported",
            line=number,
        )
    if entry.content_bytes is not None:
        raise InvalidInput(
            f"line {number} holds only the head and tail of its entry; export the session again in the form jsonl; "
            "nothing was imported",
            line=number,
        )


def _fields(entry: _ExportedEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in NewEntry.model_fields}
