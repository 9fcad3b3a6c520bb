"""`secret_fetch` as a function and as a tool."""

import subprocess
import sys

import pytest

from cerver_core.errors import SecretError
from cerver_mcp.server import secret_fetch

SNIPPET = """import asyncio
from cerver_mcp.server import secret_fetch; print(asyncio.run(secret_fetch('OPENAI_API_KEY')))"""


def test_the_documented_line_prints_a_plain_dict(environ: dict[str, str]) -> None:
    env = {**environ, "OPENAI_API_KEY": "sk-test"}
    done = subprocess.run([sys.executable, "-c", SNIPPET], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "{'name': 'OPENAI_API_KEY', 'value': 'sk-test', 'source': 'env'}\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("variables", "name", "words"),
    [
        ({}, "ABSENT", "not set"),
        ({"EMPTY": ""}, "EMPTY", "ABSENT|not set|empty"),
        ({"CERVER_SECRETS_BACKEND": "vaultx"}, "ANY", "must be one of: env, infisical"),
        ({"CERVER_SECRETS_BACKEND": "infisical"}, "ANY", "INFISICAL_TOKEN"),
        ({"CERVER_SECRETS_BACKEND": "infisical", "INFISICAL_TOKEN": "st.a.b.c"}, "ANY", "INFISICAL_PROJECT_ID"),
    ],
)
async def test_what_cannot_be_fetched_is_a_value_error(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str, words: str
) -> None:
    for variable in ("CERVER_SECRETS_BACKEND", "INFISICAL_TOKEN", "INFISICAL_PROJECT_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=words) as caught:
        await secret_fetch(name)
    assert isinstance(caught.value, SecretError)
