"""`cerver vaults` and `cerver credentials`: values go from variables to the gateway, and are never shown again."""

import json
import subprocess
from pathlib import Path

import httpx2

from tests.gateway.processes import CERVER, Served, environment, serving

_VALUE = "planted-value-0123456789"


def _cerver(gateway: Served, home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    remote = {"CERVER_GATEWAY_URL": gateway.url, "CERVER_API_TOKEN": gateway.token}
    return subprocess.run(
        [CERVER, *arguments],
        env=environment(home, **remote, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_vault_is_connected_and_code_gets_its_secret(tmp_path: Path) -> None:
    with serving(tmp_path, "--local-compute") as gateway:
        added = _cerver(gateway, tmp_path, "vaults", "add", "ours", "--secret", "API_KEY", API_KEY=_VALUE)
        assert (added.returncode, added.stdout.startswith("ifc_")) == (0, True)
        listed = _cerver(gateway, tmp_path, "vaults", "--json")
        assert [(one["label"], one["secret_names"]) for one in json.loads(listed.stdout)] == [("ours", ["API_KEY"])]
        ran = _cerver(gateway, tmp_path, "run", "--secret", "API_KEY", 'test -n "$API_KEY" && echo "$API_KEY"')
        assert (ran.returncode, ran.stdout) == (0, "[secret:API_KEY]\n")
        assert _VALUE not in listed.stdout + ran.stdout + gateway.errors.read_text()


def test_a_vault_that_does_not_answer_fails_its_check(tmp_path: Path) -> None:
    place = {"INFISICAL_TOKEN": "st.a.b.c", "INFISICAL_PROJECT_ID": "p", "INFISICAL_SITE_URL": "https://vault.invalid"}
    with serving(tmp_path) as gateway:
        added = _cerver(gateway, tmp_path, "vaults", "add", "away", **place)
        (vault,) = json.loads(_cerver(gateway, tmp_path, "vaults", "--json").stdout)
        checked = _cerver(gateway, tmp_path, "vaults", "check", vault["id"])
        assert (added.stdout.strip().split()[0], checked.returncode) == (vault["id"], 1)
        assert vault["last_verify_error"] in checked.stderr
        key = {"Authorization": f"Bearer {gateway.token}"}
        path = f"{gateway.url}/v2/account/infisical/{vault['id']}/verify"
        answer = httpx2.post(path, headers=key, timeout=20)
        told = answer.json()
        assert (answer.status_code, told["error"]) == (502, vault["last_verify_error"])


def test_credentials_of_a_provider_are_kept_by_their_names(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        missing = _cerver(gateway, tmp_path, "credentials", "set", "e2b", "E2B_API_KEY")
        assert (missing.returncode, "E2B_API_KEY" in missing.stderr) == (2, True)
        kept = _cerver(gateway, tmp_path, "credentials", "set", "e2b", "E2B_API_KEY", E2B_API_KEY=_VALUE)
        assert kept.returncode == 0, kept.stderr
        listed = _cerver(gateway, tmp_path, "credentials")
        assert listed.stdout.splitlines()[1].split() == ["e2b", "e2b_api_key"]
        assert _cerver(gateway, tmp_path, "credentials", "remove", "e2b").returncode == 0
        assert _VALUE not in listed.stdout + kept.stderr + gateway.errors.read_text()
