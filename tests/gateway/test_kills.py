"""Nothing is lost: gateways that are killed, and a database that crashes, under load."""

from pathlib import Path

from tests.gateway.kills import loaded


async def test_what_a_gateway_acknowledged_is_there_once_though_gateways_are_killed_and_postgres_crashes(
    tmp_path: Path,
) -> None:
    async with loaded(tmp_path) as load:
        await load.grown(60)
        await load.kill(0)
        await load.grown(60)
        await load.restart_database()
        await load.grown(60)
        await load.start(0)
        await load.kill(1)
        await load.grown(60)
    assert load.counts["kills"] == 2
    assert load.counts["broken connections"] > 0
