"""The source files under test, and what the tests of their shape need to know of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FOLDERS", "ROOT", "functions", "parsed", "sources"]

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cerver_core", "cerver_mcp", "benchmarks", "examples", "tests")


def sources(*folders: str) -> list[Path]:
    """List the Python files of the folders, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Walk over all functions of a module, methods and inner ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
