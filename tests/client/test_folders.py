import io
import os
import tarfile
from pathlib import Path

import pytest

from cerver_core.client import Client
from cerver_core.errors import FileMissing, InvalidInput, ProviderFailed
from cerver_core.testing.gateway import StandInGateway
from cerver_core.wire.computes import FolderReport
from cerver_core.wire.folders import REPORT_HEADER


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def archive(*members: tarfile.TarInfo, report: FolderReport | None = None) -> bytes:
    written = io.BytesIO()
    headers = {REPORT_HEADER: report.model_dump_json()} if report else None
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return written.getvalue()


async def downloaded(client: Client, gateway: StandInGateway, content: bytes, target: Path) -> FolderReport:
    gateway.kept.folder = content
    return await client.files.download("s", "out", target)


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


async def test_a_hostile_archive_changes_nothing_outside_the_target(
    client: Client, gateway: StandInGateway, tmp_path: Path
) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    outside.mkdir()
    hostile = archive(
        member("ok.txt", size=3),
        member("../outside/a", size=1),
        member(str(outside / "b"), size=1),
        member("door", tarfile.SYMTYPE, link=str(outside)),
        member("door/c", size=1),
        member("up", tarfile.SYMTYPE, link="../outside"),
        member("p/q", tarfile.DIRTYPE),
        member("p/q/d", tarfile.SYMTYPE, link="../.."),
        member("p/q/x", tarfile.SYMTYPE, link="d/../outside"),
        member("hard", tarfile.LNKTYPE, link="../outside/a"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
    )
    report = await downloaded(client, gateway, hostile, target)
    assert everything(outside) == set()
    assert everything(target) == {"ok.txt", "door", "door/c", "p", "p/q", "p/q/d"}
    assert (target / "door").is_dir()
    assert not (target / "door").is_symlink()
    assert report.files == 2
    assert set(report.skipped) == {
        "../outside/a",
        str(outside / "b"),
        "door",
        "up",
        "p/q/x",
        "hard",
        "device",
        "pipe",
    }


async def test_a_link_that_was_there_before_is_not_written_through(
    client: Client, gateway: StandInGateway, tmp_path: Path
) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    for folder in (target, outside):
        folder.mkdir()
    (outside / "kept").write_text("kept")
    (target / "sub").symlink_to(outside)
    (target / "file").symlink_to(outside / "kept")
    report = await downloaded(client, gateway, archive(member("sub/a", size=1), member("file", size=2)), target)
    assert everything(outside) == {"kept"}
    assert (outside / "kept").read_text() == "kept"
    assert (target / "file").read_text() == "xx"
    assert dict(report.skipped) == {"sub/a": "a link on the way leaves the folder"}


async def test_what_the_other_side_left_out_is_told(client: Client, gateway: StandInGateway, tmp_path: Path) -> None:
    told = FolderReport(files=1, bytes=3, skipped={"socket": "not a file"})
    report = await downloaded(client, gateway, archive(member("ok", size=3), report=told), tmp_path / "t")
    assert (report.files, report.bytes, dict(report.skipped)) == (1, 3, {"socket": "not a file"})


@pytest.mark.parametrize("content", [b"", b"<html>", archive(member("a", size=2_000))[:700]])
async def test_something_else_than_an_archive_is_refused(
    client: Client, gateway: StandInGateway, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(ProviderFailed, match="not an archive"):
        await downloaded(client, gateway, content, tmp_path / "t")


async def test_a_target_that_cannot_be_a_folder_is_named(
    client: Client, gateway: StandInGateway, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot copy the folder"):
        await downloaded(client, gateway, archive(member("a", size=1)), tmp_path / "file")


async def test_special_files_are_left_out_of_an_upload(client: Client, gateway: StandInGateway, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text("abc")
    (tmp_path / "loop").symlink_to("loop")
    report = await client.files.upload("s", tmp_path)
    assert (report.files, report.bytes) == (1, 3)
    assert report.skipped["pipe"] == "not a file, a folder or a symbolic link"
    with tarfile.open(fileobj=io.BytesIO(gateway.kept.folder)) as tar:
        assert {info.uname for info in tar} == {""}


async def test_a_folder_that_is_not_there_is_not_uploaded(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="no folder"):
        await client.files.upload("s", tmp_path / "nothing")
