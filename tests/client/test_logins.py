"""Logging a machine in at a gateway that is not always there."""

import pytest

from cerver_core.client.logins import log_in
from cerver_core.errors import Unavailable
from cerver_core.testing.gateway import StandInGateway
from cerver_core.wire.logins import DeviceLogin
from tests.client.conftest import Pauses

_AWAY = {"error": "the gateway is stopping", "code": "unavailable"}
_PENDING = {"status": "pending", "error": "authorization_pending"}
_APPROVED = {"status": "approved", "access_token": "ck_new"}
_LOGIN = {
    "device_code": "d",
    "user_code": "ABCD-EFGH",
    "verification_uri": "http://gateway/approve",
    "expires_in": 10,
    "interval": 1,
}
_TRIES = 3


def _shown(login: DeviceLogin) -> None:
    assert login.user_code == "ABCD-EFGH"


async def test_a_login_outlives_a_restart_of_the_gateway(gateway: StandInGateway, pauses: Pauses) -> None:
    gateway.answer_next(200, _LOGIN)
    gateway.answer_next(200, _PENDING)
    gateway.answer_next(503, _AWAY, times=2 * _TRIES)
    gateway.answer_next(200, _APPROVED)
    assert await log_in(gateway.url, "laptop", _shown, sleep=pauses.sleep) == "ck_new"


async def test_a_login_says_that_the_gateway_was_gone_to_the_end(gateway: StandInGateway, pauses: Pauses) -> None:
    gateway.answer_next(200, _LOGIN)
    gateway.answer_next(503, _AWAY, times=11 * _TRIES)
    with pytest.raises(Unavailable, match="stopping"):
        await log_in(gateway.url, "laptop", _shown, sleep=pauses.sleep)
