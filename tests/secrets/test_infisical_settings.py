"""The settings of the Infisical backend: what is required, what is accepted, what is refused at the start."""

import subprocess
import sys

import pytest

from cerver_core.errors import SecretBackendMisconfigured
from cerver_core.secrets.infisical import InfisicalSettings

ENOUGH = {"INFISICAL_TOKEN": "st.aaa.bbb", "INFISICAL_PROJECT_ID": "proj-1"}


def test_a_token_and_a_project_are_enough() -> None:
    settings = InfisicalSettings.from_environ(ENOUGH)

    assert (settings.environment, settings.secret_path) == ("prod", "/")
    assert settings.site_url == "https://app.infisical.com"
    assert settings.bearer == "st.aaa.bbb"
    assert not settings.is_identity


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "INFISICAL_TOKEN, or INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET"),
        ({"INFISICAL_PROJECT_ID": "proj-1", "INFISICAL_TOKEN": " "}, "INFISICAL_TOKEN"),
        ({"INFISICAL_TOKEN": "st.aaa.bbb"}, "INFISICAL_PROJECT_ID"),
        ({"INFISICAL_PROJECT_ID": "proj-1", "INFISICAL_CLIENT_ID": "id"}, "needs INFISICAL_CLIENT_SECRET"),
        ({"INFISICAL_PROJECT_ID": "proj-1", "INFISICAL_CLIENT_SECRET": "secret"}, "needs INFISICAL_CLIENT_ID"),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SecretBackendMisconfigured, match=named):
        InfisicalSettings.from_environ(environ)


@pytest.mark.parametrize("prefix", ["INFISICAL_CLIENT", "INFISICAL_UNIVERSAL_AUTH_CLIENT"])
def test_a_machine_identity_stands_for_a_token(prefix: str) -> None:
    environ = {f"{prefix}_ID": "the-id", f"{prefix}_SECRET": "the-secret", "INFISICAL_PROJECT_ID": "proj-1"}

    settings = InfisicalSettings.from_environ(environ)

    assert settings.is_identity
    assert (settings.client_id, settings.client_secret) == ("the-id", "the-secret")


@pytest.mark.parametrize("name", ["INFISICAL_SITE_URL", "INFISICAL_API_URL", "INFISICAL_HOST"])
@pytest.mark.parametrize("ending", ["", "/", "/api", "/api/"])
def test_a_server_of_one_s_own_is_named_in_any_of_the_usual_ways(name: str, ending: str) -> None:
    settings = InfisicalSettings.from_environ({**ENOUGH, name: f"https://vault.corp:8443/infisical{ending}"})

    assert settings.site_url == "https://vault.corp:8443/infisical"


@pytest.mark.parametrize("url", ["http://localhost:80", "http://127.0.0.9", "http://[::1]:8080"])
def test_plain_http_is_allowed_to_this_machine(url: str) -> None:
    assert InfisicalSettings.from_environ({**ENOUGH, "INFISICAL_SITE_URL": url}).site_url == url


@pytest.mark.parametrize(
    "url", ["http://vault.corp", "http://10.0.0.1", "http://localhost.evil.example", "http://0.0.0.0"]
)
def test_plain_http_is_refused_to_any_other(url: str) -> None:
    with pytest.raises(SecretBackendMisconfigured, match="must start with https"):
        InfisicalSettings.from_environ({**ENOUGH, "INFISICAL_SITE_URL": url})


@pytest.mark.parametrize(
    "url",
    ["vault.corp", "ftp://vault.corp", "https://", "https://u:p@vault.corp", "https://vault.corp?x=1", "https://a b",
     "https://vault.corp:port", "https://[::1", "https://vault.corp#x"],
)  # fmt: skip
def test_an_address_that_cannot_be_right_is_refused(url: str) -> None:
    with pytest.raises(SecretBackendMisconfigured, match="INFISICAL_SITE_URL must be"):
        InfisicalSettings.from_environ({**ENOUGH, "INFISICAL_SITE_URL": url})


@pytest.mark.parametrize("token", ["st.a b.c", "st.a\nb.c", "tök.en.x"])
def test_a_token_with_impossible_letters_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(SecretBackendMisconfigured, match="INFISICAL_TOKEN holds") as caught:
        InfisicalSettings.from_environ({**ENOUGH, "INFISICAL_TOKEN": token})

    assert token not in str(caught.value)


def test_the_fourth_part_of_a_service_token_is_not_sent() -> None:
    environ = {**ENOUGH, "INFISICAL_TOKEN": "st.aaa.bbb.the-key\n"}

    assert InfisicalSettings.from_environ(environ).bearer == "st.aaa.bbb"


def test_an_access_token_is_sent_whole() -> None:
    assert InfisicalSettings.from_environ({**ENOUGH, "INFISICAL_TOKEN": "eyJ.aaa.bbb"}).bearer == "eyJ.aaa.bbb"


def test_no_credential_shows_in_a_repr() -> None:
    settings = InfisicalSettings(project_id="proj-1", token="the-token", client_id="the-id", client_secret="the-secret")

    assert not any(word in repr(settings) for word in ("the-token", "the-id", "the-secret"))


def test_the_http_library_is_not_loaded_before_a_backend_is_opened() -> None:
    code = (
        "import sys, cerver_core.secrets.infisical as module\n"
        "settings = module.InfisicalSettings(project_id='p', token='t')\n"
        "module.InfisicalBackend(settings)\n"
        "print('httpx2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "False\n"
