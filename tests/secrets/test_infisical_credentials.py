"""Which credentials the Infisical backend sends, how it renews them, and whose values it refuses."""

import traceback
from datetime import timedelta

import anyio
import pytest

from cerver_core.errors import (
    SecretBackendMisconfigured,
    SecretBackendUnreachable,
    SecretForbidden,
    SecretHidden,
)
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.infisical import Canned, InfisicalStandIn
from cerver_core.testing.secrets import HELD
from tests.secrets.conftest import Open, fails, identified, paths

VALUE = HELD["SUITE_KEY"]


async def test_an_identity_logs_in_once_and_again_a_minute_before_its_token_ends(
    open_backend: Open, stand_in: InfisicalStandIn, clock: ManualClock
) -> None:
    backend = await identified(open_backend, stand_in, lasts_s=600)
    log_ins: list[int] = []
    for wait_s in (0, 539, 1, 1):
        clock.advance(timedelta(seconds=wait_s))
        await backend.fetch("SUITE_KEY")
        log_ins.append(paths(stand_in).count("/api/v1/auth/universal-auth/login"))

    assert log_ins == [1, 1, 2, 2]


async def test_many_callers_at_once_log_in_once(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await identified(open_backend, stand_in)
    async with anyio.create_task_group() as callers:
        for name in ("SUITE_KEY", "suite_lower", "SUITE_LINES"):
            callers.start_soon(backend.fetch, name)

    assert paths(stand_in).count("/api/v1/auth/universal-auth/login") == 1


async def test_a_revoked_access_token_is_replaced_once(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await identified(open_backend, stand_in)
    await backend.fetch("SUITE_KEY")
    stand_in.revoke_access_tokens()

    assert (await backend.fetch("SUITE_KEY")).value == VALUE
    assert paths(stand_in).count("/api/v1/auth/universal-auth/login") == 2


async def test_an_access_token_that_is_never_accepted_is_asked_for_twice_only(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    backend = await identified(open_backend, stand_in)
    granted = b'{"accessToken": "eyJ.of.nobody", "expiresIn": 7200}'
    refused = Canned.error(401, "Invalid credentials", "UnauthorizedError")
    stand_in.answers = [Canned(body=granted), refused, Canned(body=granted), refused]

    await fails(backend, SecretForbidden)

    assert len(stand_in.seen) == 4


async def test_a_lack_of_permission_causes_no_second_log_in(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await identified(open_backend, stand_in, reads="nothing")

    error = await fails(backend, SecretForbidden)

    assert "no permission" in str(error)
    assert paths(stand_in).count("/api/v1/auth/universal-auth/login") == 1


async def test_a_wrong_client_secret_is_forbidden_and_not_shown(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    identity = stand_in.add_identity()
    backend = await open_backend(client_id=identity.client_id, client_secret="not-the-secret")

    error = await fails(backend, SecretForbidden)

    assert "does not accept the credential" in str(error)
    assert "not-the-secret" not in str(error)


@pytest.mark.parametrize("token", ["st.aaaa.bbbb", "eyJ.aaa.bbb", "nonsense"])
async def test_a_bad_token_is_forbidden_in_either_age(open_backend: Open, token: str) -> None:
    error = await fails(await open_backend(token=token), SecretForbidden)

    assert "does not accept the credential" in str(error)
    assert token not in str(error)


async def test_a_service_token_that_answers_from_its_own_environment_is_refused(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    backend = await open_backend(token=stand_in.add_service_token(environment="dev"), environment="prod")

    error = await fails(backend, SecretBackendMisconfigured)

    assert "from environment dev" in str(error)
    assert "the token is scoped to it" in str(error)
    assert "the-dev-value" not in "".join(traceback.format_exception(error))


async def test_a_service_token_with_a_pattern_is_forbidden_elsewhere(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    token = stand_in.add_service_token(environment="dev", path="/**")

    await fails(await open_backend(token=token, environment="prod"), SecretForbidden)
    assert (await (await open_backend(token=token, environment="dev")).fetch("DEV_ONLY")).value == "another-dev-value"


async def test_an_answer_for_another_name_is_refused(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    stand_in.rewrite = {"secretKey": "SUITE_KEy"}

    error = await fails(await open_backend(), SecretBackendUnreachable)

    assert "another name" in str(error)


async def test_an_answer_from_another_project_is_refused(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    stand_in.rewrite = {"workspace": "proj-of-another-tenant"}

    error = await fails(await open_backend(), SecretBackendMisconfigured)

    assert "from project another one" in str(error)
    assert "tenant" not in str(error)


async def test_an_environment_that_is_no_slug_is_not_quoted(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    stand_in.rewrite = {"environment": f"dev {VALUE}"}

    error = await fails(await open_backend(), SecretBackendMisconfigured)

    assert VALUE not in str(error)


async def test_a_hidden_value_is_an_error_by_flag_and_by_text(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await identified(open_backend, stand_in, reads="names")
    assert "not readable" in str(await fails(backend, SecretHidden))

    stand_in.rewrite = {"secretValue": "", "secretValueHidden": True}
    await fails(backend, SecretHidden)
