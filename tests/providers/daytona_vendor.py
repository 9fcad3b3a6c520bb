"""A script for the vendor's own client (daytona 0.226.1), run by a Python of its own: it imports nothing of ours."""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import sys

from daytona import (
    AsyncDaytona,
    CreateSandboxFromSnapshotParams,
    DaytonaConfig,
    DaytonaNotFoundError,
    SessionExecuteRequest,
)


async def main(url: str, key: str) -> None:
    async with AsyncDaytona(DaytonaConfig(api_key=key, api_url=url, use_deprecated_polling=True)) as daytona:
        sandbox = await daytona.create(CreateSandboxFromSnapshotParams(labels={"suite": "vendor"}))
        ran = await sandbox.process.exec("echo out; echo $GIVEN; exit 3", env={"GIVEN": "given"})
        assert (ran.exit_code, ran.result) == (3, "out\ngiven\n"), ran

        await sandbox.process.create_session("s")
        asked = SessionExecuteRequest(command="echo out; echo err >&2; sleep 0.2; echo more; exit 4", run_async=True)
        begun = await sandbox.process.execute_session_command("s", asked)
        out: list[str] = []
        err: list[str] = []
        await sandbox.process.get_session_command_logs_async("s", begun.cmd_id, out.append, err.append)
        assert ("".join(out), "".join(err)) == ("out\nmore\n", "err\n"), (out, err)
        assert (await sandbox.process.get_session_command("s", begun.cmd_id)).exit_code == 4
        await sandbox.process.delete_session("s")

        await sandbox.fs.upload_file(b"\0\1bytes", "folder/file.bin")
        assert await sandbox.fs.download_file("folder/file.bin") == b"\0\1bytes"
        try:
            await sandbox.fs.download_file("nothing")
        except DaytonaNotFoundError:
            pass
        else:
            raise AssertionError("a missing file was downloaded")
        assert (await sandbox.fs.get_file_info("folder/file.bin")).size == 7
        assert [file.name for file in await sandbox.fs.list_files("folder")] == ["file.bin"]

        assert (await sandbox.get_preview_link(8000)).token == "token-for-8000"
        await sandbox.set_autostop_interval(30)
        await sandbox.stop()
        assert sandbox.state == "stopped", sandbox.state
        await sandbox.start()
        assert await sandbox.fs.download_file("folder/file.bin") == b"\0\1bytes"
        found = [listed.id async for listed in daytona.list()]
        assert sandbox.id in found, found
        await sandbox.delete()
        try:
            await daytona.get(sandbox.id)
        except DaytonaNotFoundError:
            pass
        else:
            raise AssertionError("a deleted sandbox was found")
    sys.stdout.write("the vendor's client is content\n")


asyncio.run(main(*sys.argv[1:]))
