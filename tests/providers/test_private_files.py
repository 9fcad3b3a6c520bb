"""What the provider keeps under Cerver's home is for its user alone."""

import stat
from pathlib import Path

from cerver_core.providers.base import Command, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.wire.computes import Requirements


def _open_to_others(home: Path) -> list[str]:
    kept = [path for path in home.rglob("*") if "workspaces" not in path.parts and not path.is_symlink()]
    return [str(path.relative_to(home)) for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077]


async def test_no_file_or_folder_is_open_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with LocalProvider(home) as provider:
        ref = await provider.create(SandboxRequest("private", Requirements()))
        async with provider.exec(ref, Command("true", "shell", 20)) as events:
            async for _ in events:
                pass
        assert (home / "agents").is_dir()
        assert (home / "isolation.json").is_file()
        assert _open_to_others(home) == []
        await provider.destroy(ref)
