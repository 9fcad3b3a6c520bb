"""The vaults part of the suite, for the roads that lead to a gateway. Values go in and never come out."""

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import InvalidInput, NotFound, NotSupported, ProviderFailed, SecretNotFound
from cerver_core.testing.cerver.road import Road, sandbox
from cerver_core.wire.computes import ComputeChoice, ExecRequest
from cerver_core.wire.projects import CreateEnvironment, CreateProject, UpdateProject
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.vaults import CreateVault, SecretReference, SetCredentials, UpdateVault

__all__ = ["VaultContract"]

_VALUE = "vault-s3cret-0123456789"


def _held(value: str = _VALUE, **more: object) -> CreateVault:
    return CreateVault.model_validate({"provider": "cerver", "label": "own", "secrets": {"A_TOKEN": value}, **more})


class VaultContract(Road):
    """Vaults and credentials. The gateway has the compute `local`."""

    async def test_a_vault_is_kept_checked_and_never_shown(self, cerver: Cerver) -> None:
        made = await cerver.vaults.create(_held())
        assert made.verify_error is None
        (shown,) = (await cerver.vaults.list()).configs
        assert (shown.id, shown.label, shown.is_default, shown.has_credentials) == (made.id, "own", True, True)
        assert (shown.secret_names, shown.last_verify_error) == (("A_TOKEN",), None)
        assert shown.last_verified_at is not None
        assert _VALUE not in shown.model_dump_json()

    async def test_a_vault_changes_by_what_is_named(self, cerver: Cerver) -> None:
        made = await cerver.vaults.create(_held())
        changed = await cerver.vaults.update(made.id, UpdateVault(secrets={"B": "another-value"}))
        assert (changed.label, changed.secret_names) == ("own", ("A_TOKEN", "B"))
        changed = await cerver.vaults.update(made.id, UpdateVault(label="new", secrets={"A_TOKEN": None}))
        assert (changed.label, changed.secret_names) == ("new", ("B",))
        other = await cerver.vaults.create(_held(label="two", is_default=True))
        assert {vault.id: vault.is_default for vault in (await cerver.vaults.list()).configs} == {
            made.id: False,
            other.id: True,
        }
        await cerver.vaults.delete(made.id)
        with pytest.raises(NotFound):
            await cerver.vaults.verify(made.id)

    async def test_an_execution_gets_the_secrets_it_names_and_nobody_reads_them(self, cerver: Cerver) -> None:
        await cerver.vaults.create(_held())
        session_id = await sandbox(cerver)
        result = await cerver.computes.exec(session_id, ExecRequest(code='echo "$A_TOKEN"', secrets=("A_TOKEN",)))
        assert result.stdout == "[secret:A_TOKEN]\n"
        with pytest.raises(SecretNotFound, match="NOT_THERE"):
            await cerver.computes.exec(session_id, ExecRequest(code="true", secrets=("NOT_THERE",)))

    async def test_the_vault_of_the_environment_goes_before_the_project_s_and_that_before_the_account_s(
        self, cerver: Cerver
    ) -> None:
        values = {"account": "1" * 20, "project": "22" * 10, "environment": "333" * 7}
        ids = {name: (await cerver.vaults.create(_held(value, label=name))).id for name, value in values.items()}
        await cerver.projects.create(CreateProject(name="web"))
        await cerver.projects.update("web", UpdateProject(infisical_config_id=ids["project"]))
        request = CreateEnvironment(slug="prod", infisical_config_id=ids["environment"])
        made = (await cerver.projects.create_environment("web", request)).environment
        assert (made.infisical_config_label, made.project_infisical_config_label) == ("environment", "project")
        await cerver.projects.create(CreateProject(name="api"))
        await cerver.projects.update("api", UpdateProject(infisical_config_id=ids["project"]))
        for place, wanted in (
            ({}, "account"),
            ({"project_slug": "api"}, "project"),
            ({"project_slug": "web"}, "environment"),
            ({"project_slug": "web", "environment_slug": "prod"}, "environment"),
        ):
            asked = CreateSession.model_validate({"compute": ComputeChoice(provider="local"), **place})
            session_id = (await cerver.sessions.create(asked)).session_id
            code = ExecRequest(code="printf %s ${#A_TOKEN}", secrets=("A_TOKEN",))
            assert (await cerver.computes.exec(session_id, code)).stdout == str(len(values[wanted])), place

    async def test_a_connection_that_cannot_be_one_is_refused(self, cerver: Cerver) -> None:
        for url in ("http://vault.example", "https://127.0.0.1", "https://localhost", "https://u:p@vault.example"):
            request = CreateVault(label="x", token="st.a.b.c", project_id="p", site_url=url)
            with pytest.raises(InvalidInput):
                await cerver.vaults.create(request)
        with pytest.raises(InvalidInput):
            await cerver.vaults.create(CreateVault(label="x", provider="cerver", token="t"))
        with pytest.raises(InvalidInput):
            await cerver.vaults.create(CreateVault(label="x", token="t", project_id="p", secrets={"A": "b"}))
        with pytest.raises(InvalidInput, match="infisical"):
            await cerver.vaults.create(CreateVault(label="x", provider="doppler", token="t"))
        assert (await cerver.vaults.list()).configs == ()

    async def test_a_vault_that_does_not_answer_is_kept_with_the_reason(self, cerver: Cerver) -> None:
        place = "https://vault.invalid"
        made = await cerver.vaults.create(CreateVault(label="x", token="st.a.b.c", project_id="p", site_url=place))
        assert made.verify_error is not None
        with pytest.raises(ProviderFailed) as told:
            await cerver.vaults.verify(made.id)
        (shown,) = (await cerver.vaults.list()).configs
        assert (shown.last_verify_error, shown.site_url) == (told.value.message, place)
        assert shown.last_verified_at is None

    async def test_credentials_of_providers_are_kept_and_never_shown(self, cerver: Cerver) -> None:
        value = "vercel-0123456789-abcd"
        vault = await cerver.vaults.create(_held())
        reference = SecretReference(secret="A_TOKEN", vault_id=vault.id)
        request = SetCredentials(
            provider="vercel",
            credentials={"vercel_token": value, "vercel_team_id": reference, "vercel_project_id": "abc"},
        )
        told = await cerver.vaults.set_credentials(request)
        assert (told.provider, told.has_credentials) == ("vercel", True)
        assert (told.credentials["vercel_token"].last4, told.credentials["vercel_project_id"].last4) == ("abcd", None)
        assert told.credentials["vercel_team_id"].secret == "A_TOKEN"
        listed = await cerver.vaults.list_credentials()
        assert value not in listed.model_dump_json()
        assert [one.provider for one in listed.providers] == ["vercel"]
        with pytest.raises(InvalidInput, match="it lacks vercel_team_id and vercel_project_id, or vercel_oidc_token"):
            await cerver.vaults.set_credentials(SetCredentials(provider="vercel", credentials={"vercel_token": "t"}))
        with pytest.raises(NotSupported, match="'modal'"):
            await cerver.vaults.set_credentials(SetCredentials(provider="modal", credentials={"modal_api_key": "x"}))
        with pytest.raises(NotFound):
            await cerver.vaults.set_credentials(
                SetCredentials(provider="e2b", credentials={"e2b_api_key": SecretReference(secret="A", vault_id="no")})
            )
        await cerver.vaults.delete_credentials("vercel")
        with pytest.raises(NotFound):
            await cerver.vaults.delete_credentials("vercel")
