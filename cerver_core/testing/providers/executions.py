"""Executions: what a command is given, and what comes back of it."""

import anyio
import pytest

from cerver_core.errors import CerverError, FileMissing, InvalidInput, PathEscapesWorkspace
from cerver_core.providers.base import Command, Exited, Output, Provider, SandboxRef
from cerver_core.testing.providers.ground import WAIT_S, ProviderGround, Providers, Ran, run
from cerver_core.wire.computes import Runtime

__all__ = ["ExecutionsContract"]

_IMPOSSIBLE = (
    Command("echo \0", "shell", 5),
    Command("print('\ud800')", "python", 5),
    Command("true", "shell", -1),
    Command("true", "shell", 0),
    Command("true", "shell", float("nan")),
    Command("true", "shell", 5, {"": "x"}),
    Command("true", "shell", 5, {"A=B": "x"}),
    Command("true", "shell", 5, {"A": "x\0y"}),
    Command("true", "shell", 5, {}, "a\0b"),
)


class ExecutionsContract(ProviderGround):
    """Commands that end by themselves."""

    async def test_the_two_streams_come_apart_with_the_exit_code(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, "echo to-out; echo to-err >&2; exit 3")
        assert (ran.stdout, ran.stderr, ran.exited.exit_code) == (b"to-out\n", b"to-err\n", 3)
        assert not ran.exited.timed_out
        assert not ran.exited.orphan_held_output
        assert 0 < ran.exited.duration_ms < WAIT_S * 1000

    async def test_exit_codes_are_those_a_shell_tells(self, provider: Provider, ref: SandboxRef) -> None:
        expected = {"true": 0, "exit 255": 255, "kill -9 $$": 137, "kill -INT $$": 130, "no-such-program-anywhere": 127}
        ran = {code: await run(provider, ref, code) for code in expected}
        assert {code: it.exited.exit_code for code, it in ran.items()} == expected
        assert [code for code, it in ran.items() if it.stderr] == ["no-such-program-anywhere"]

    async def test_output_comes_while_the_command_runs(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.write_file(ref, "go", b"wait")
        seen: list[bytes] = []
        code = "echo first; while [ -s go ]; do sleep 0.02; done; echo second"
        with anyio.fail_after(WAIT_S):
            async with provider.exec(ref, Command(code, "shell", WAIT_S)) as events:
                async for event in events:
                    if isinstance(event, Output):
                        seen.append(event.data)
                        await provider.write_file(ref, "go", b"")
        assert seen[0] == b"first\n"
        assert b"".join(seen) == b"first\nsecond\n"

    async def test_bytes_that_are_no_text_come_as_they_are(self, provider: Provider, ref: SandboxRef) -> None:
        carries_text_alone = (await provider.describe()).capabilities.get("binary_output") is False
        ran = await run(provider, ref, r"printf '\377\000\376ok\303\274'")
        odd = "\ufffd".encode() if carries_text_alone else None
        assert ran.stdout == (odd or b"\xff") + b"\x00" + (odd or b"\xfe") + b"ok\xc3\xbc"

    async def test_a_flood_comes_whole_in_bounded_pieces(self, provider: Provider, ref: SandboxRef) -> None:
        size = largest = 0
        with anyio.fail_after(WAIT_S):
            async with provider.exec(ref, Command("head -c 8000000 /dev/zero", "shell", WAIT_S)) as events:
                async for event in events:
                    if isinstance(event, Output):
                        size += len(event.data)
                        largest = max(largest, len(event.data))
        assert size == 8_000_000
        assert largest <= 1024 * 1024

    async def test_standard_input_is_closed(self, provider: Provider, ref: SandboxRef) -> None:
        assert (await run(provider, ref, "cat; echo over")).stdout == b"over\n"
        ran = await run(provider, ref, "input()", "python")
        assert b"EOFError" in ran.stderr

    async def test_a_command_gets_its_own_variables_and_none_of_ours(
        self, provider: Provider, ref: SandboxRef, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CERVER_SUITE_LEAK", "leaked")
        told: list[tuple[Runtime, str]] = [
            ("shell", "env"), ("python", "import os\nfor item in os.environ.items(): print(*item)"),
        ]  # fmt: skip
        for runtime, code in told:
            ran = await run(provider, ref, code, runtime, env={"GIVEN": "a value = with, signs"})
            assert "a value = with, signs" in ran.text
            assert "leaked" not in ran.text
            assert "GIVEN" not in (await run(provider, ref, code, runtime)).text

    async def test_home_and_the_current_folder_can_be_written(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, 'echo x > "$HOME/file" && echo y > file && cat "$HOME/file" file')
        assert ran.stdout == b"x\ny\n"

    async def test_the_shell_stands_where_its_last_command_left_it(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        assert (await run(provider, ref, "mkdir -p 'a b'/c && cd 'a b'/c && exit 7")).exited.exit_code == 7
        assert (await run(provider, ref, "pwd")).text.endswith("/a b/c")
        assert (await run(provider, ref, "import os; print(os.getcwd())", "python")).text.endswith("/a b/c")
        async with providers() as another:
            assert (await run(another, ref, "pwd")).text.endswith("/a b/c")

    async def test_a_lost_folder_sends_the_shell_back_to_the_workspace(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        root = (await run(provider, ref, "pwd")).text
        await run(provider, ref, "mkdir gone; cd gone")
        await run(provider, ref, "rmdir ../gone")
        ran = await run(provider, ref, "pwd")
        assert ran.text == root
        assert len(ran.exited.notes) == 1

    async def test_a_command_may_name_its_folder(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.write_file(ref, "here/below/file", b"found")
        assert (await run(provider, ref, "cat file", cwd="here/below")).stdout == b"found"
        with pytest.raises(FileMissing):
            await run(provider, ref, "true", cwd="nowhere")
        with pytest.raises(PathEscapesWorkspace):
            await run(provider, ref, "true", cwd="../..")

    async def test_python_runs_as_the_interpreter_itself_would(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, "import sys\nprint(__name__, sys.argv)\nopen('kept', 'w').write('x')", "python")
        assert ran.text == "__main__ ['-c']"
        assert await provider.read_file(ref, "kept", max_bytes=10) == b"x"
        failed = await run(provider, ref, "def f():\n    1 / 0\nf()", "python")
        assert failed.exited.exit_code == 1
        assert failed.stderr.startswith(b'Traceback (most recent call last):\n  File "<string>", line 3, in <module>\n')
        assert failed.stderr.endswith(b"ZeroDivisionError: division by zero\n")

    async def test_python_leaves_as_it_is_told(self, provider: Provider, ref: SandboxRef) -> None:
        expected = {"import sys; sys.exit(5)": (5, b""), "exit()": (0, b""), "raise SystemExit('why')": (1, b"why\n")}
        ran = {code: await run(provider, ref, code, "python") for code in expected}
        assert {code: (it.exited.exit_code, it.stderr) for code, it in ran.items()} == expected

    async def test_python_executions_know_nothing_of_each_other(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, "left = 1; import builtins; builtins.left = 1", "python")
        ran = await run(provider, ref, "print('left' in globals(), hasattr(__builtins__, 'left'))", "python")
        assert ran.text == "False False"

    async def test_node_runs(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, "console.log(1 + 1); console.error('e'); process.exit(4)", "node")
        assert (ran.stdout, ran.stderr, ran.exited.exit_code) == (b"2\n", b"e\n", 4)

    async def test_long_code_runs_too(self, provider: Provider, ref: SandboxRef) -> None:
        long: list[tuple[Runtime, str, str]] = [
            ("shell", "# ", "echo end"), ("python", "# ", "print('end')"), ("node", "// ", "console.log('end')"),
        ]  # fmt: skip
        for runtime, comment, last in long:
            code = f"{comment}{'x' * 600_000}\n{last}\n"
            assert (runtime, (await run(provider, ref, code, runtime)).stdout) == (runtime, b"end\n")

    async def test_code_that_looks_like_an_option_is_code(self, provider: Provider, ref: SandboxRef) -> None:
        assert (await run(provider, ref, "-v")).exited.exit_code == 127
        assert (await run(provider, ref, "-1; print(2)", "python")).text == "2"
        assert (await run(provider, ref, "-1; console.log(2)", "node")).text == "2"

    async def test_commands_at_the_same_time_keep_to_themselves(self, provider: Provider, ref: SandboxRef) -> None:
        ran: dict[int, Ran] = {}

        async def one(number: int) -> None:
            ran[number] = await run(provider, ref, f"echo {number}; sleep 0.1; exit {number}")

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(one, number)
        assert {number: (it.text, it.exited.exit_code) for number, it in ran.items()} == {
            number: (str(number), number) for number in range(8)
        }

    async def test_what_no_process_can_be_given_is_refused(self, provider: Provider, ref: SandboxRef) -> None:
        for command in _IMPOSSIBLE:
            with pytest.raises(InvalidInput):
                async with provider.exec(ref, command):
                    pass
        assert (await run(provider, ref, "echo still here")).text == "still here"

    async def test_the_iterator_ends_after_the_exit(self, provider: Provider, ref: SandboxRef) -> None:
        async with provider.exec(ref, Command("true", "shell", WAIT_S)) as events:
            assert isinstance(await anext(events), Exited)
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    async def test_a_destroyed_sandbox_runs_nothing(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.destroy(ref)
        with pytest.raises(CerverError):
            await run(provider, ref, "true")
