"""What the command says of itself, and to those who mistype."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from cerver_core.cli.dispatch import COMMANDS, OVERVIEW
from tests.cli.conftest import Run


def test_without_arguments_it_prints_help_that_fits_a_screen(cerver: Run) -> None:
    done = cerver()
    lines = done.out.splitlines()
    assert done.code == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    shown = [name for names, _ in OVERVIEW for name in names.split()]
    assert sorted(shown) == sorted(COMMANDS)
    assert [names for names, _ in OVERVIEW if f"  {names} " not in done.out] == []
    assert cerver("--help").out == cerver("help").out == done.out


def test_the_version_is_the_package_s(cerver: Run) -> None:
    assert cerver("--version").out == "cerver 0.1.0\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(cerver: Run, name: str) -> None:
    done = cerver(name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"usage: cerver {name}")


def test_every_command_of_every_module_is_in_the_overview() -> None:
    modules = {module for module, _ in COMMANDS.values()}
    offered = {name for module in modules for name in importlib.import_module(f"cerver_core.cli.{module}").COMMANDS}
    assert offered == set(COMMANDS)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["rum"], "cerver: usage: no command 'rum'; did you mean 'run'?\n"),
        (["xyzzy"], "cerver: usage: no command 'xyzzy'; see `cerver --help`\n"),
        (["show"], "cerver: usage: the following arguments are required: ID; see `cerver show --help`\n"),
        (["end", "x", "--action", "kill"], "cerver: usage: argument --action: invalid choice: 'kill'"),
        (["run", "true", "--timeout", "-1"], "cerver: usage: argument --timeout: must be a number of seconds above 0"),
        (["run", "true", "--timeout", "inf"], "cerver: usage: argument --timeout: must be a number of seconds above 0"),
    ],
)
def test_a_mistyped_command_line_is_one_line_and_2(cerver: Run, args: list[str], said: str) -> None:
    done = cerver(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", ["--version", "--help", "skill"])
def test_what_needs_no_engine_loads_none(command: str) -> None:
    heavy = {"pydantic", "mcp", "apsw", "httpx2", "rich", "asyncio"}
    arguments = [command, "show"] if command == "skill" else [command]
    probe = f"import sys; from cerver_core.cli.main import main; main({arguments!r})"
    probe += f"; print(sorted(set(sys.modules) & {heavy!r}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


def test_the_installed_command_starts(installed: Run, home: Path) -> None:
    del home
    assert installed("--version").out == "cerver 0.1.0\n"
