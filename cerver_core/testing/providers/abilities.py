"""The contracts of `cerver_core.providers.abilities`: inherit those that a provider declares."""

import uuid

import anyio
import pytest

from cerver_core.errors import CerverError, Conflict, FileMissing, NotFound
from cerver_core.providers.abilities import (
    SESSION_LABEL,
    Background,
    Extendable,
    Forkable,
    Interactive,
    Listing,
    Previews,
    Process,
    Snapshots,
    Stateful,
)
from cerver_core.providers.base import Command, Provider, SandboxRef, SandboxRequest
from cerver_core.testing.providers.endings import TREE, survivors
from cerver_core.testing.providers.ground import WAIT_S, ProviderGround, Providers, run
from cerver_core.wire.computes import Requirements

__all__ = [
    "BackgroundContract",
    "ExtendableContract",
    "ForkableContract",
    "InteractiveContract",
    "ListingContract",
    "PreviewsContract",
    "SnapshotsContract",
    "StatefulContract",
]

_MOST = 1024 * 1024


async def written(provider: Background, ref: SandboxRef, process: Process, *, until: bytes | None = None) -> bytes:
    """Collect what a process writes on both streams, to its end or until something was written."""
    text = b""
    with anyio.fail_after(WAIT_S):
        async for output in provider.output(ref, process):
            text += output.data
            if until is not None and until in text:
                break
    return text


class BackgroundContract(ProviderGround):
    """Processes that stay."""

    async def test_a_background_process_goes_on_and_is_listed(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        assert isinstance(provider, Background)
        code = "echo first; echo aside >&2; while [ ! -e go ]; do sleep 0.05; done; echo last"
        process = await provider.start(ref, Command(code, "shell", WAIT_S))
        async with providers() as another:
            assert isinstance(another, Background)
            assert list(await another.processes(ref)) == [process]
            assert b"first\n" in await written(another, ref, process, until=b"first\n")
            await another.write_file(ref, "go", b"")
            text = await written(another, ref, process)
        assert sorted(text.splitlines()) == [b"aside", b"first", b"last"]
        assert list(await provider.processes(ref)) == []
        assert sorted((await written(provider, ref, process)).splitlines()) == [b"aside", b"first", b"last"]

    async def test_killing_a_background_process_ends_its_tree(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Background)
        process = await provider.start(ref, Command(TREE, "shell", WAIT_S))
        assert await written(provider, ref, process, until=b"ready\n") == b"ready\n"
        assert await survivors(provider, ref) == "5"
        await provider.kill(ref, process)
        assert await survivors(provider, ref) == "0"
        assert list(await provider.processes(ref)) == []
        await provider.kill(ref, process)

    async def test_a_background_process_has_its_deadline(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Background)
        process = await provider.start(ref, Command("echo $$ > pids; echo up; exec sleep 300", "shell", 0.5))
        assert await written(provider, ref, process) == b"up\n"
        assert await survivors(provider, ref) == "0"

    async def test_a_background_process_is_given_what_it_was_promised(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        assert isinstance(provider, Background)
        await provider.write_file(ref, "here/file", b"found ")
        code = "import os; print(open('file').read(), os.environ['GIVEN'])"
        process = await provider.start(ref, Command(code, "python", WAIT_S, {"GIVEN": "it"}, "here"))
        assert await written(provider, ref, process) == b"found  it\n"
        with pytest.raises(FileMissing):
            await provider.start(ref, Command("true", "shell", WAIT_S, cwd="nowhere"))
        with pytest.raises(NotFound):
            await written(provider, ref, Process(uuid.uuid4().hex))


class InteractiveContract(ProviderGround):
    """Processes that read."""

    async def test_a_background_process_reads_what_it_is_sent_until_it_is_closed(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        assert isinstance(provider, Interactive)
        process = await provider.start(
            ref, Command("while read -r line; do echo got $line; done; echo end", "shell", 30)
        )
        await provider.write_stdin(ref, process, b"one\ntwo\n")
        assert b"got two\n" in await written(provider, ref, process, until=b"got two\n")
        await provider.write_stdin(ref, process, b"three\n", close=True)
        assert await written(provider, ref, process) == b"got one\ngot two\ngot three\nend\n"
        with pytest.raises(Conflict):
            await provider.write_stdin(ref, process, b"four\n")

    async def test_much_is_read_too(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Interactive)
        process = await provider.start(ref, Command("wc -c", "shell", WAIT_S))
        await provider.write_stdin(ref, process, bytes(range(256)) * 800, close=True)
        assert (await written(provider, ref, process)).strip() == b"204800"


class StatefulContract(ProviderGround):
    """A small object beside the files."""

    async def test_state_is_kept_and_replaced(self, provider: Provider, ref: SandboxRef, providers: Providers) -> None:
        assert isinstance(provider, Stateful)
        assert dict(await provider.get_state(ref)) == {}
        await provider.set_state(ref, {"step": 1, "name": "ünï", "deep": {"list": [1, None, True]}})
        async with providers() as another:
            assert isinstance(another, Stateful)
            kept = dict(await another.get_state(ref))
            assert kept == {"step": 1, "name": "ünï", "deep": {"list": [1, None, True]}}
            await another.set_state(ref, {"step": 2})
        assert dict(await provider.get_state(ref)) == {"step": 2}
        assert (await provider.list_files(ref, ".", recursive=True)).entries == ()


class ListingContract(ProviderGround):
    """What there is."""

    async def test_a_sandbox_is_listed_with_its_session_until_it_is_gone(
        self, provider: Provider, requirements: Requirements
    ) -> None:
        assert isinstance(provider, Listing)
        sessions = [str(uuid.uuid4()) for _ in range(5)]
        made = [await provider.create(SandboxRequest(session, requirements)) for session in sessions]
        found = {info.ref.sandbox_id: info async for info in provider.sandboxes()}
        for ref, session in zip(made, sessions, strict=True):
            info = found[ref.sandbox_id]
            assert (info.state, dict(info.labels or {})[SESSION_LABEL]) == ("running", session)
            # What a list gives is enough to destroy by.
            await provider.destroy(info.ref)
        left = {info.ref.sandbox_id async for info in provider.sandboxes()}
        assert left.isdisjoint(ref.sandbox_id for ref in made)


class ExtendableContract(ProviderGround):
    """Sandboxes that end by themselves."""

    async def test_a_sandbox_may_be_let_live_longer(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Extendable)
        await provider.set_timeout(ref, 3 * 3600)
        assert (await run(provider, ref, "echo lives")).text == "lives"
        await provider.destroy(ref)
        with pytest.raises(CerverError):
            await provider.set_timeout(ref, 3600)


class SnapshotsContract(ProviderGround):
    """Images of files."""

    async def test_a_snapshot_keeps_the_files_of_its_moment(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Snapshots)
        await run(provider, ref, "mkdir sub; echo then > sub/file; chmod 755 sub/file; cd sub")
        snapshot = await provider.snapshot(ref)
        await provider.write_file(ref, "sub/file", b"now\n")
        other = await provider.create_from(snapshot, session_id=str(uuid.uuid4()))
        assert (await run(provider, other, "pwd; cat file; test -x file && echo runs")).text.endswith(
            "/sub\nthen\nruns"
        )
        assert await provider.read_file(ref, "sub/file", max_bytes=_MOST) == b"now\n"
        await provider.destroy(other)


class ForkableContract(ProviderGround):
    """Copies of sandboxes."""

    async def test_a_fork_goes_its_own_way(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Forkable)
        await provider.write_file(ref, "file", b"both")
        other = await provider.fork(ref, session_id=str(uuid.uuid4()))
        assert other.sandbox_id != ref.sandbox_id
        assert await provider.read_file(other, "file", max_bytes=_MOST) == b"both"
        await provider.write_file(other, "file", b"other")
        assert await provider.read_file(ref, "file", max_bytes=_MOST) == b"both"
        await provider.destroy(other)


class PreviewsContract(ProviderGround):
    """Addresses of ports."""

    async def test_two_ports_have_two_addresses(self, provider: Provider, ref: SandboxRef) -> None:
        assert isinstance(provider, Previews)
        first, second = await provider.preview(ref, 3000), await provider.preview(ref, 8000)
        assert first.url.startswith("http")
        assert first.url != second.url
        assert await provider.preview(ref, 3000) == first
