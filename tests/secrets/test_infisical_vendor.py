"""The stand-in speaks the vendor's protocol: the vendor's own two clients log in and read a secret from it.

They run in a process of their own with a deadline, because neither has a timeout.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from cerver_core.testing.infisical import Age, InfisicalStandIn
from cerver_core.testing.secrets import HELD

NATIVE = """
import json, sys
from infisical_client import AuthenticationOptions, ClientSettings, GetSecretOptions
from infisical_client import InfisicalClient, UniversalAuthMethod
url, client_id, client_secret, token, name = sys.argv[1:]
auth = AuthenticationOptions(universal_auth=UniversalAuthMethod(client_id, client_secret))
if token:
    auth = AuthenticationOptions(access_token=token)
client = InfisicalClient(ClientSettings(auth=auth, site_url=url, cache_ttl=0))
try:
    got = client.getSecret(GetSecretOptions(environment="prod", project_id="proj-1", secret_name=name, path="/"))
    print(json.dumps([got.secret_key, got.secret_value, got.environment, got.workspace]))
except Exception as error:
    print(json.dumps(str(error)))
"""

PURE = """
import json, sys
from infisical_sdk import InfisicalSDKClient
from infisical_sdk.infisical_requests import APIError
url, client_id, client_secret, token, name = sys.argv[1:]
with InfisicalSDKClient(host=url, token=token or None, cache_ttl=None) as client:
    try:
        if not token:
            client.auth.universal_auth.login(client_id, client_secret)
        got = client.secrets.get_secret_by_name(name, environment_slug="prod", secret_path="/", project_id="proj-1")
        print(json.dumps([got.secretKey, got.secretValue, got.environment, got.workspace]))
    except APIError as error:
        print(json.dumps(f"{error.status_code} {error}"))
"""

GOT = ["SUITE_KEY", HELD["SUITE_KEY"], "prod", "proj-1"]
needs_native = pytest.mark.skipif(
    find_spec("infisical_client") is None, reason="infisical-python has no wheel for this Python and platform"
)


def run(program: str, *arguments: str) -> object:
    command = [sys.executable, "-W", "ignore", "-c", program, *arguments]
    environ = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_native
def test_infisical_python_logs_in_and_reads_a_secret(stand_in: InfisicalStandIn) -> None:
    identity = stand_in.add_identity()

    assert run(NATIVE, stand_in.url, identity.client_id, identity.client_secret, "", "SUITE_KEY") == GOT
    assert [seen.method for seen in stand_in.seen] == ["POST", "GET"]


@needs_native
def test_infisical_python_reads_a_secret_with_a_service_token(stand_in: InfisicalStandIn) -> None:
    token = stand_in.add_service_token(path="/**").rpartition(".")[0]

    assert run(NATIVE, stand_in.url, "", "", token, "SUITE_KEY") == GOT


@needs_native
def test_infisical_python_understands_that_a_secret_is_missing(stand_in: InfisicalStandIn) -> None:
    identity = stand_in.add_identity()

    said = run(NATIVE, stand_in.url, identity.client_id, identity.client_secret, "", "SUITE_MISSING")

    assert "not found" in str(said)


@pytest.mark.parametrize("age", ["today"])
def test_infisicalsdk_logs_in_and_reads_a_secret(stand_in: InfisicalStandIn) -> None:
    identity = stand_in.add_identity()

    assert run(PURE, stand_in.url, identity.client_id, identity.client_secret, "", "SUITE_KEY") == GOT
    assert [seen.method for seen in stand_in.seen] == ["POST", "GET"]


@pytest.mark.parametrize("age", ["today"])
def test_infisicalsdk_reads_a_secret_with_a_service_token(stand_in: InfisicalStandIn) -> None:
    token = stand_in.add_service_token(path="/**").rpartition(".")[0]

    assert run(PURE, stand_in.url, "", "", token, "SUITE_KEY") == GOT


def test_infisicalsdk_understands_the_errors_of_either_age(stand_in: InfisicalStandIn, age: Age) -> None:
    identity = stand_in.add_identity()

    said = run(PURE, stand_in.url, identity.client_id, identity.client_secret, "", "SUITE_MISSING")

    assert str(said).startswith("400 Secret not found" if age == "2024" else "404 Secret with name 'SUITE_MISSING'")
