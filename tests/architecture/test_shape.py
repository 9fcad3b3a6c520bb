"""Files and functions keep to their size, names to the style."""

import ast
from pathlib import Path

from tests.architecture.sources import FOLDERS, ROOT, functions, parsed, sources

_PACKAGES = ("cerver_core", "cerver_mcp")
_FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "shared", "misc", "base_utils"}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring, which may be as long as its reader needs."""
    start = node.body[0].lineno
    if ast.get_docstring(node) is not None:
        start = (node.body[0].end_lineno or start) + 1
    return (node.end_lineno or start) - start + 1


def _lengths(*folders: str) -> dict[str, int]:
    return {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": _length(node)
        for path in sources(*folders)
        for node in functions(parsed(path))
    }


def test_no_file_has_more_than_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources(*FOLDERS)}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_no_function_has_more_than_60_lines() -> None:
    assert {name: lines for name, lines in _lengths(*FOLDERS).items() if lines > 60} == {}


def test_nine_functions_in_ten_have_at_most_30_lines() -> None:
    lengths = sorted(_lengths(*_PACKAGES).values())
    assert lengths[len(lengths) * 9 // 10] <= 30


def test_no_module_is_a_drawer() -> None:
    drawers = [
        str(path.relative_to(ROOT))
        for path in sources(*FOLDERS)
        if _FORBIDDEN & {part.removesuffix(".py").strip("_") for part in path.relative_to(ROOT).parts}
    ]
    assert drawers == []


def _kind(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022 does: CONSTANTS, Classes, then the rest."""
    if name.isupper() and len(name) > 1:
        return (0, name)
    return (1, name) if name[:1].isupper() else (2, name)


def _exported(path: Path) -> list[str] | None:
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return list(ast.literal_eval(node.value))
    return None


def test_every_module_names_what_it_exports_in_order() -> None:
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in sources(*_PACKAGES)
        if (names := _exported(path)) is not None and names != sorted(names, key=_kind)
    }
    assert wrong == {}


def _has_code(path: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in parsed(path).body)


def test_every_module_with_code_says_what_it_exports() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(*_PACKAGES)
        if _has_code(path) and path.name != "__main__.py" and _exported(path) is None
    ]
    assert silent == []


def _summary(path: Path) -> str:
    return (ast.get_docstring(parsed(path)) or "").split("\n\n")[0]


def test_every_module_says_first_what_it_does() -> None:
    summaries = {str(path.relative_to(ROOT)): _summary(path) for path in sources(*_PACKAGES, "benchmarks", "examples")}
    assert {name for name, text in summaries.items() if not text.endswith((".", ":"))} == set()
    assert {name for name, text in summaries.items() if text.count("\n") > 2} == set()


def test_nothing_in_the_packages_pretends_to_be_done() -> None:
    pretending = [str(path.relative_to(ROOT)) for path in sources(*_PACKAGES) if _pretends(path)]
    assert pretending == []


def _pretends(path: Path) -> bool:
    return "raise NotImplementedError" in path.read_text("utf-8")


def test_blind_excepts_stand_at_the_edges_only() -> None:
    edges = {"cerver_core/cli/dispatch.py", "cerver_core/cli/hook.py", "cerver_core/gateway/unexpected.py"}
    blind = {
        str(path.relative_to(ROOT)) for path in sources(*_PACKAGES) if "except Exception" in path.read_text("utf-8")
    }
    assert {name for name in blind if not name.startswith(("cerver_mcp/", "cerver_core/engine/"))} == edges
