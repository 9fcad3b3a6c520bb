"""Files of the workspace: whole, found again, and never outside of it."""

import os
from pathlib import Path

import pytest

from cerver_core.errors import CerverError, FileMissing, InvalidInput, PathEscapesWorkspace, TooLarge
from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.testing.providers.ground import ProviderGround, run

__all__ = ["FilesContract"]

_MOST = 1024 * 1024


class FilesContract(ProviderGround):
    """Files and folders."""

    async def test_a_new_workspace_is_empty(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, "true")
        listed = await provider.list_files(ref, ".", recursive=True)
        assert (listed.path, listed.entries, listed.truncated) == (".", (), False)

    async def test_a_file_is_read_back_as_it_was_written(self, provider: Provider, ref: SandboxRef) -> None:
        content = bytes(range(256)) * 1000
        await provider.write_file(ref, "deep/er/ünï code.bin", content)
        assert await provider.read_file(ref, "deep/./er/../er/ünï code.bin", max_bytes=_MOST) == content
        assert (await run(provider, ref, "wc -c < 'deep/er/ünï code.bin'")).text.strip() == "256000"

    async def test_writing_again_replaces_the_file_and_keeps_its_mode(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        await run(provider, ref, "echo 'echo old' > script; chmod 755 script")
        await provider.write_file(ref, "script", b"echo new")
        assert (await run(provider, ref, "./script")).text == "new"
        listed = await provider.list_files(ref, ".", recursive=False)
        assert [entry.path for entry in listed.entries] == ["script"]

    async def test_reading_keeps_to_its_limit(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.write_file(ref, "ten", b"0123456789")
        assert await provider.read_file(ref, "ten", max_bytes=10) == b"0123456789"
        with pytest.raises(TooLarge):
            await provider.read_file(ref, "ten", max_bytes=9)

    async def test_a_listing_is_sorted_and_tells_kinds_and_sizes(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, "mkdir b; printf 12345 > b/five; printf 1 > a; ln -s a c; mkfifo d")
        listed = await provider.list_files(ref, "", recursive=True)
        assert [(entry.path, entry.kind, entry.size_bytes) for entry in listed.entries] == [
            ("a", "file", 1),
            ("b", "folder", 0),
            ("b/five", "file", 5),
            ("c", "symlink", 0),
            ("d", "other", 0),
        ]
        below = await provider.list_files(ref, "b", recursive=False)
        assert [entry.path for entry in below.entries] == ["b/five"]

    async def test_a_listing_ends_at_ten_thousand(self, provider: Provider, ref: SandboxRef) -> None:
        code = "import os; open('00000', 'w').close(); [os.link('00000', f'{n:05}') for n in range(1, 10_001)]"
        await run(provider, ref, code, "python")
        listed = await provider.list_files(ref, ".", recursive=False)
        assert (len(listed.entries), listed.truncated, listed.entries[-1].path) == (10_000, True, "09999")

    async def test_what_is_not_there_is_said_to_be_missing(self, provider: Provider, ref: SandboxRef) -> None:
        with pytest.raises(FileMissing):
            await provider.read_file(ref, "nothing", max_bytes=_MOST)
        with pytest.raises(FileMissing):
            await provider.read_file(ref, "no/thing", max_bytes=_MOST)
        with pytest.raises(FileMissing):
            await provider.list_files(ref, "nothing", recursive=False)

    async def test_what_is_no_plain_file_is_refused(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, "mkdir folder; mkfifo pipe; echo > file")
        for path in ("folder", "pipe", "file/below", ".", ""):
            with pytest.raises(InvalidInput):
                await provider.write_file(ref, path, b"x")
            with pytest.raises(InvalidInput):
                await provider.read_file(ref, path, max_bytes=_MOST)
        with pytest.raises(InvalidInput):
            await provider.list_files(ref, "file", recursive=False)

    async def test_a_path_that_leaves_is_refused(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.write_file(ref, "a/file", b"")
        for path in ("../x", "/etc/passwd", "a/../../x", "..", "/", "./.././x"):
            await self._refuses(provider, ref, path)

    async def test_a_link_that_leaves_is_refused(self, provider: Provider, ref: SandboxRef) -> None:
        links = "ln -s .. up; ln -s / root; mkdir deep; ln -s ../.. deep/up; ln -s /etc/passwd passwd; ln -s loop loop"
        await run(provider, ref, f"{links}; ln -s deep hidden")
        for path in ("up/x", "root/etc/passwd", "deep/up/x", "passwd", "loop/x", "hidden/up/x"):
            await self._refuses(provider, ref, path, InvalidInput)

    async def test_a_link_that_stays_is_followed(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, "mkdir -p a/b; ln -s a/b short; ln -s ../file a/link; printf content > file")
        assert await provider.read_file(ref, "a/link", max_bytes=_MOST) == b"content"
        await provider.write_file(ref, "short/new", b"1")
        await provider.write_file(ref, "a/link", b"2")
        assert (await run(provider, ref, "cat a/b/new file; test -L a/link")).stdout == b"12"

    async def test_a_malformed_path_is_refused(self, provider: Provider, ref: SandboxRef) -> None:
        for path in ("a\0b", "x" * 5000, "y" * 300, "\ud800"):
            await self._refuses(provider, ref, path, InvalidInput)

    async def test_folders_nested_without_end_do_no_harm(self, provider: Provider, ref: SandboxRef) -> None:
        code = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')"
        assert (await run(provider, ref, code, "python")).exited.exit_code == 0
        listed = await provider.list_files(ref, ".", recursive=True)
        assert listed.entries[0].path == "d"
        with pytest.raises(InvalidInput):
            await provider.write_file(ref, "d/" * 1000 + "x", b"")

    async def test_a_folder_goes_in_and_comes_out_again(
        self, provider: Provider, ref: SandboxRef, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        (source / "sub" / "empty").mkdir(parents=True)
        (source / "run.sh").write_bytes(b"#!/bin/sh\necho ran\n")
        (source / "run.sh").chmod(0o755)
        (source / "sub" / "data").write_bytes(b"\0\1\2")
        (source / "sub" / "link").symlink_to("../run.sh")
        (source / "outside").symlink_to("/etc/passwd")
        (source / "sub" / "up").symlink_to("../../secret")
        (source / "tricky").symlink_to("sub/../..")
        os.mkfifo(source / "fifo")
        sent = await provider.upload(ref, source, "in/here")
        assert (sent.files, sent.bytes) == (2, 22)
        assert sorted(sent.skipped) == ["fifo", "outside", "sub/up", "tricky"]
        assert (await run(provider, ref, "in/here/run.sh; in/here/sub/link")).text == "ran\nran"
        got = await provider.download(ref, "in", tmp_path / "target" / "new")
        assert (got.files, got.bytes, dict(got.skipped)) == (2, 22, {})
        target = tmp_path / "target" / "new" / "here"
        assert (target / "sub" / "data").read_bytes() == b"\0\1\2"
        assert (target / "sub" / "link").readlink() == Path("../run.sh")
        assert (target / "sub" / "empty").is_dir()
        assert os.access(target / "run.sh", os.X_OK)

    async def test_nothing_that_leaves_comes_out(self, provider: Provider, ref: SandboxRef, tmp_path: Path) -> None:
        await run(provider, ref, "mkdir f; ln -s /etc/passwd f/a; ln -s ../x f/b; ln -s .. f/c; echo > f/d; mkfifo f/e")
        (tmp_path / "target").mkdir()
        got = await provider.download(ref, "f", tmp_path / "target")
        assert (got.files, sorted(got.skipped)) == (1, ["a", "b", "c", "e"])
        assert [path.name for path in (tmp_path / "target").iterdir()] == ["d"]

    async def test_a_folder_that_is_not_there_is_missing(
        self, provider: Provider, ref: SandboxRef, tmp_path: Path
    ) -> None:
        with pytest.raises(FileMissing):
            await provider.upload(ref, tmp_path / "nothing", ".")
        with pytest.raises(FileMissing):
            await provider.download(ref, "nothing", tmp_path / "target")
        with pytest.raises(PathEscapesWorkspace):
            await provider.upload(ref, tmp_path, "../out")
        with pytest.raises(PathEscapesWorkspace):
            await provider.download(ref, "..", tmp_path / "target")

    async def _refuses(
        self, provider: Provider, ref: SandboxRef, path: str, error: type[CerverError] = PathEscapesWorkspace
    ) -> None:
        before = await provider.list_files(ref, ".", recursive=True)
        with pytest.raises(error):
            await provider.write_file(ref, path, b"out")
        with pytest.raises(error):
            await provider.read_file(ref, path, max_bytes=_MOST)
        with pytest.raises(error):
            await provider.list_files(ref, path, recursive=False)
        assert await provider.list_files(ref, ".", recursive=True) == before
