import json
import re
import uuid
from collections import Counter
from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.credentials import find_credentials, mask_credentials, mask_json
from cerver_core.credentials.patterns import to_python
from cerver_core.credentials.rules import snapshot_rules
from tests.credentials.grown import grow

# Written in halves, so that no scanner takes this file for a leak.
_AWS = "AKIA" + "Q3EGZ7TR5BW2HSJ4"
_GITHUB = "ghp_" + "x7Rk2mQ9vL4wT8nB3cY6zH1jF5dG0sPaEuKo"
_ANTHROPIC = "sk-ant-" + "api03-" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" * 3 + "aB3dE6gH9jK2" + "AA"
_SLACK = "xoxb-" + "241857390164-2418573901642-" + "aB3dE6gH9jK2mN5pQ8sT1vW4"
_JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI4MTM0NTI3NjAifQ." + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDu\n"
_PEM = f"-----BEGIN PRIVATE KEY-----\n{_BODY}-----END PRIVATE KEY-----"
_PLANTED = {
    _AWS: "aws-access-token",
    _GITHUB: "github-pat",
    _ANTHROPIC: "anthropic-api-key",
    _SLACK: "slack-bot-token",
    _JWT: "jwt",
}


@pytest.mark.parametrize(("secret", "kind"), _PLANTED.items(), ids=_PLANTED.values())
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "key: {}",
        "export K='{}'\nls",
        "☃ {} ☃",
        '{{"k":"{}"}}',
        "a\\n{}\\n",
        'x \\"{}\\" y',
        "https://h.org/?t={}\n",
    ],
)
def test_a_vendors_key_is_masked_with_its_kind_wherever_it_stands(secret: str, kind: str, around: str) -> None:
    assert mask_credentials(around.format(secret)) == around.format(f"[redacted:{kind}]")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://app:tR0ub4dor@db.local:5432/x", "postgres://app:[redacted:uri-password]@db.local:5432/x"),
        ("git clone https://me:9f8e7d6c@git.local/r", "git clone https://me:[redacted:uri-password]@git.local/r"),
        (
            "Server=db;User Id=sa;Password=h0rse-Staple;",
            "Server=db;User Id=sa;Password=[redacted:connection-string-password];",
        ),
        ("curl -u me:h0rseStaple http://h", "curl -u me:[redacted:curl-user] http://h"),
        (
            "Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543",
            "Authorization: Bearer [redacted:authorization-header]",
        ),
    ],
)
def test_a_password_is_masked_and_what_is_around_it_stays(text: str, masked: str) -> None:
    assert mask_credentials(text) == masked


@pytest.mark.parametrize("text", [_PEM, _PEM.replace("\n", "\\n"), _PEM.replace("\n", "\r\n"), json.dumps({"k": _PEM})])
def test_of_a_private_key_nothing_stays(text: str) -> None:
    masked = mask_credentials(f"cat key\n{text}\ndone")
    assert "[redacted:private-key]" in masked
    assert "MIIEvQ" not in masked
    assert "C3SC6dVMvDu" not in masked
    assert masked.endswith("\ndone")


def test_a_private_key_that_was_cut_off_is_masked_too() -> None:
    assert "VJTUt9" not in mask_credentials(_PEM.removesuffix("-----END PRIVATE KEY-----"))


def test_in_json_the_key_tells_what_the_value_is() -> None:
    value = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
    counts: Counter[str] = Counter()
    masked = mask_json({"env": {"CLOUDFLARE_API_TOKEN": value, "REVISION": value}, "argv": [_AWS], "n": 3}, counts)
    assert masked == {
        "env": {"CLOUDFLARE_API_TOKEN": "[redacted:cloudflare-api-key]", "REVISION": value},
        "argv": ["[redacted:aws-access-token]"],
        "n": 3,
    }
    assert counts == {"cloudflare-api-key": 1, "aws-access-token": 1}


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:password@localhost/db",
        "https://${USER}:${TOKEN}@host/x",
        "amqp://{user}:{password}@{host}",
        "Authorization: Bearer <your token here>",
        "Authorization: Bearer $TOKEN_OF_THE_SERVICE_42",
        "AKIA" + "IOSFODNN7EXAMPLE",
        sha256(b"x").hexdigest(),
        str(uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF)),
        "sha512-2f0Qf7hM2Tn0cI7y0v4BVBUIhjZeSvnuUSo4K2u1QGfYxA5B2Z1J9T3b0Ai6x4pR8bQ==",
        'class OAuthClientProvider(AsyncAuthenticationMixin): token = os.environ["GITHUB_TOKEN"]',
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_credentials(text) is text


@given(st.lists(st.from_regex(r"[a-z ☃_.:/=\"'{}()\n-]{0,15}", fullmatch=True), max_size=40).map(" ".join))
def test_ordinary_words_are_left_as_they_are(text: str) -> None:
    assert mask_credentials(text) == text


@given(st.text())
def test_masking_again_changes_nothing_more(text: str) -> None:
    once = mask_credentials(f"{text} {_GITHUB} {text}")
    assert _GITHUB not in once
    assert mask_credentials(once) == once


def test_findings_are_in_order_and_apart() -> None:
    found = find_credentials(f"{_GITHUB} https://me:{_GITHUB}@host {_AWS}")
    assert [one.kind for one in found] == ["github-pat", "github-pat", "aws-access-token"]
    assert all(before.end <= after.start for before, after in pairwise(found))


def test_of_several_keys_side_by_side_every_one_is_masked() -> None:
    assert mask_credentials(f"{_GITHUB}\n" * 3) == "[redacted:github-pat]\n" * 3
    assert mask_credentials(f"postgres://a:h0rse@x {_AWS} mysql://b:st4ple@y {_AWS}").count("[redacted:") == 4


def test_nearly_every_key_that_a_rule_describes_is_found_by_the_quick_way_too() -> None:
    random = Random(7)
    planted = found = 0
    for rule in snapshot_rules():
        pattern = re.compile(to_python(rule.pattern), re.ASCII)
        for _ in range(40):
            text = f" {grow(to_python(rule.pattern), random)} "
            match = pattern.search(text)
            start = match.start() if match else 0
            span = rule.secret(text, start) if match and any(word in text.lower() for word in rule.keywords) else None
            if isinstance(span, tuple):
                planted += 1
                found += text[slice(*span)] not in mask_credentials(text)
                break
    assert planted > 0.9 * len(snapshot_rules())
    assert found >= 0.97 * planted


@pytest.mark.parametrize(
    ("go", "python"),
    [
        (r"\bEZ(?i)[a-z]{3}\b", r"\bEZ(?i:[a-z]{3}\b)"),
        (r"(?i)a|b", r"(?i:a|b)"),
        (r"(x(?i)y)z", r"(x(?i:y))z"),
        (r"[[:alnum:]_]{2}\z", r"[A-Za-z0-9_]{2}\Z"),
        (r"[^(?i)]\(?i", r"[^(?i)]\(?i"),
        (r"(?i:a)(?P<n>b)", r"(?i:a)(?P<n>b)"),
    ],
)
def test_gos_expressions_are_written_as_pythons(go: str, python: str) -> None:
    assert to_python(go) == python


@pytest.mark.parametrize("go", [r"\pL", r"(?U)a", r"a(?i)b|c", r"\Qa\E"])
def test_what_is_not_translated_is_refused(go: str) -> None:
    with pytest.raises(ValueError, match="not translated"):
        to_python(go)
