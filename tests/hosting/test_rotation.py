from pathlib import Path

from cerver_core.hosting import open_host
from cerver_core.sealing import add_master_key
from cerver_core.wire.account import CreateKey
from cerver_core.wire.vaults import CreateVault, SetCredentials
from tests.engine.roads import settings_for
from tests.hosting.roads import Person


async def test_after_a_rotation_the_new_key_alone_opens_everything_and_running_gateways_go_on(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with open_host(settings, is_local_compute=False) as host:
        key = await host.first_key()
        assert key is not None
        cerver = await Person(host, key, "local").cerver()
        vault = await cerver.vaults.create(CreateVault(provider="cerver", label="v", secrets={"A": "a-s3cret-value"}))
        await cerver.vaults.set_credentials(SetCredentials(provider="e2b", credentials={"e2b_api_key": "e2b-value"}))
        page = CreateKey(kind="publishable", reuse=True, label="p", allowed_origins=("https://a.example",))
        made = await cerver.account.create_key(page)
        add_master_key(tmp_path)
        async with open_host(settings, is_local_compute=False) as other:
            assert await other.rotate() == 4
            assert await other.rotate() == 0
        assert (await cerver.vaults.verify(vault.id)).ok
        assert (await cerver.account.create_key(page)).key == made.key
    keys = (tmp_path / "master.key").read_text().splitlines()
    assert len(keys) == 2
    (tmp_path / "master.key").write_text(keys[0] + "\n")
    async with open_host(settings, is_local_compute=False) as host:
        assert await host.first_key() is None
        assert (await (await Person(host, key, "local").cerver()).vaults.verify(vault.id)).ok
