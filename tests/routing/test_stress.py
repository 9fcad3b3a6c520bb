"""Live stress tests over the adapters: what is really run, and what a preview comes to when asked from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.engine.outside import Outside
from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.abilities import Preview
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.wire.stress import StressKind, StressReport, StressRequest


@pytest.fixture(scope="module")
def daytona(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaytonaCloud]:
    with DaytonaCloud(tmp_path_factory.mktemp("daytona")) as cloud:
        yield cloud


async def _live(home: Path, cloud: DaytonaCloud, kind: StressKind) -> StressReport:
    settings = Settings.from_environ({"CERVER_HOME": str(home), "HOME": str(home), **cloud.environ})
    async with connect(settings) as cerver:
        return await cerver.routing.stress_test(
            StressRequest(kind=kind, mode="live", sample_size=1, providers=("daytona",))
        )


async def test_a_preview_is_asked_from_outside_until_its_page_comes(tmp_path: Path, daytona: DaytonaCloud) -> None:
    daytona.preview_url = "http://127.0.0.1:{port}"
    report = await _live(tmp_path, daytona, "preview_launch")
    cold, warm = report.results
    assert (cold.n, cold.failed, warm.n) == (1, 0, 1)
    assert "seen from outside" in report.summary
    assert daytona.sandboxes == {}


async def test_an_address_that_leads_nowhere_is_a_failure_that_says_so() -> None:
    nowhere = Preview("http://127.0.0.1:9", {"x-token": "hidden"})
    with pytest.raises(ProviderUnavailable, match=r"http://127\.0\.0\.1:9 gave no page within 0\.3 s") as failed:
        await Outside(None, limit_s=0.3).answered(nowhere)
    assert "hidden" not in failed.value.message
