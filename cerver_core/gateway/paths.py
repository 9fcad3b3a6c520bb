"""Finds the operation that a method and a path name: one step per segment, however many operations there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from cerver_core.wire.operations import Operation

__all__ = ["Found", "Paths"]


@dataclass(slots=True)
class _Step:
    """One place in the tree: where a segment leads, where any segment leads, and what is served here."""

    named: dict[str, "_Step"] = field(default_factory=dict[str, "_Step"])
    any: "_Step | None" = None
    served: dict[str, tuple[Operation, tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[Operation, tuple[str, ...]]]
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What a path names. `operation` is null where the path is served by other methods (`allowed`) only."""

    operation: Operation | None
    parameters: Mapping[str, str]
    allowed: tuple[str, ...] = ()


class Paths:
    """The tree of all paths and aliases of the operations."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Step()
        for operation in operations:
            for path in (operation.path, *operation.aliases):
                self._add(path, operation)

    def _add(self, path: str, operation: Operation) -> None:
        step, names = self._root, list[str]()
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                step.any = step.any or _Step()
                step = step.any
            else:
                step = step.named.setdefault(part, _Step())
        step.served[operation.method] = (operation, tuple(names))

    def find(self, method: str, raw_path: str) -> Found | None:
        """Find by a path as it stood in the request, escapes and all; null when nothing is served there."""
        values: list[str] = []
        step = _walk(self._root, raw_path.strip("/").split("/"), 0, values)
        if step is None:
            return None
        served = step.served.get("GET" if method == "HEAD" else method)
        if served is None:
            return Found(None, {}, tuple(sorted(step.served)))
        operation, names = served
        return Found(operation, dict(zip(names, values, strict=True)))


def _walk(step: _Step, parts: list[str], at: int, values: list[str]) -> _Step | None:
    if at == len(parts):
        return step if step.served else None
    named = step.named.get(parts[at])
    found = None if named is None else _walk(named, parts, at + 1, values)
    if found is not None or step.any is None or not parts[at]:
        return found
    values.append(unquote(parts[at]))
    found = _walk(step.any, parts, at + 1, values)
    if found is None:
        values.pop()
    return found
