"""What an answer of Infisical means: the server of 2024 and today's say the same things with different numbers.

Judged by status and text together; sends nothing. An answer's text is read here and never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cerver_core.errors import (
    SecretBackendMisconfigured,
    SecretBackendThrottled,
    SecretBackendUnreachable,
    SecretError,
    SecretForbidden,
    SecretNotFound,
)
from cerver_core.secrets.infisical_settings import is_sendable
from cerver_core.secrets.names import quote_name

__all__ = ["Answer", "Verdict", "error_for", "judge", "judge_login"]


class Verdict(Enum):
    """What came of one request."""

    GIVEN = "given"
    MISSING = "missing"
    MISPLACED = "misplaced"
    UNROUTED = "unrouted"
    FOREIGN = "foreign"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    INVALID = "invalid"
    THROTTLED = "throttled"
    FAILING = "failing"
    REDIRECTED = "redirected"
    GARBLED = "garbled"
    OVERSIZED = "oversized"
    SILENT = "silent"
    DROPPED = "dropped"
    CLOSED = "closed"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status (0 for none), its JSON object, or what stood in the way of one."""

    status: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    fault: Verdict | None = None
    retry_after_s: float | None = None


def judge(answer: Answer) -> Verdict:
    """Say what an answer means."""
    if answer.fault is not None:
        return answer.fault
    text, kind = _text(answer), str(answer.facts.get("error", ""))
    if answer.status in {400, 404} and "not found" in text:
        return _judge_missing(answer.status, text)
    if answer.status in {401, 403}:
        return _judge_refusal(answer.status, kind, text)
    if answer.status == 500 and text.startswith(_BAD_TOKEN_TEXTS):
        return Verdict.UNAUTHENTICATED
    if answer.status == 404:
        return Verdict.MISSING if answer.facts else Verdict.FOREIGN
    return _judge_number(answer)


def judge_login(verdict: Verdict, answer: Answer) -> Verdict:
    """Say what an answer to a log-in means, where nothing but the credential can be missing or denied."""
    token: object = answer.facts.get("accessToken")
    if verdict is Verdict.GIVEN and not (isinstance(token, str) and is_sendable(token)):
        return Verdict.GARBLED
    if verdict in {Verdict.MISSING, Verdict.MISPLACED, Verdict.DENIED}:
        return Verdict.UNAUTHENTICATED
    return verdict


def error_for(verdict: Verdict, name: str, answer: Answer) -> SecretError:
    """Make the error for a verdict: the name, what happened, what to do and the status; never what the server wrote."""
    kind, sentence = _ERRORS[verdict]
    status = f" (HTTP {answer.status})" if answer.status else ""
    if verdict is Verdict.THROTTLED and answer.retry_after_s is not None:
        return kind(
            f"Infisical could not give {quote_name(name)}: {sentence}{status}", retry_after_s=answer.retry_after_s
        )
    return kind(f"Infisical could not give {quote_name(name)}: {sentence}{status}")


def _judge_missing(status: int, text: str) -> Verdict:
    if status == 404 and text.startswith("route "):
        return Verdict.UNROUTED
    return Verdict.MISPLACED if text.startswith(_PLACES) else Verdict.MISSING


def _judge_refusal(status: int, kind: str, text: str) -> Verdict:
    if kind == "PermissionDenied" or "permission" in text:
        return Verdict.DENIED
    if kind == "ValidationFailure":
        return Verdict.INVALID
    bad_credential = status == 401 or kind in _BAD_TOKEN_KINDS or "token" in text or "credentials" in text
    return Verdict.UNAUTHENTICATED if bad_credential else Verdict.DENIED


def _judge_number(answer: Answer) -> Verdict:
    if answer.status == 200 and answer.facts:
        return Verdict.GIVEN
    if answer.status == 429:
        return Verdict.THROTTLED
    if answer.status >= 500:
        return Verdict.FAILING
    if answer.status >= 400:
        return Verdict.INVALID
    return Verdict.REDIRECTED if answer.status >= 300 else Verdict.GARBLED


def _text(answer: Answer) -> str:
    message: object = answer.facts.get("message", "")
    return message.lower() if isinstance(message, str) else ""


_PLACES = ("environment", "folder", "project", "workspace")
_BAD_TOKEN_KINDS = frozenset({"TokenError", "UnauthorizedError"})
_BAD_TOKEN_TEXTS = ("jwt ", "invalid signature", "invalid token")
_CHECK_PLACE = "check INFISICAL_PROJECT_ID, INFISICAL_ENVIRONMENT and INFISICAL_SECRET_PATH"
_ERRORS: Mapping[Verdict, tuple[type[SecretError], str]] = {
    Verdict.MISSING: (SecretNotFound, "it has no secret by exactly this name in the configured environment and path"),
    Verdict.MISPLACED: (
        SecretBackendMisconfigured,
        f"its project, environment or path does not exist; {_CHECK_PLACE}",
    ),
    Verdict.UNROUTED: (
        SecretBackendMisconfigured,
        "it has neither the v4 nor the v3 API for secrets; check INFISICAL_SITE_URL",
    ),
    Verdict.FOREIGN: (
        SecretBackendMisconfigured,
        "what answers is not Infisical's API; check INFISICAL_SITE_URL",
    ),
    Verdict.DENIED: (SecretForbidden, "this credential has no permission to read it; grant it in Infisical"),
    Verdict.UNAUTHENTICATED: (
        SecretForbidden,
        "it does not accept the credential; check INFISICAL_TOKEN, or INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET",
    ),
    Verdict.INVALID: (
        SecretBackendMisconfigured,
        f"it calls the request invalid; {_CHECK_PLACE}",
    ),
    Verdict.THROTTLED: (SecretBackendThrottled, "rate limited; ask again later"),
    Verdict.FAILING: (SecretBackendUnreachable, "unavailable; ask again later"),
    Verdict.REDIRECTED: (
        SecretBackendMisconfigured,
        "it redirects elsewhere, which is not followed; set INFISICAL_SITE_URL to the final address",
    ),
    Verdict.GARBLED: (SecretBackendUnreachable, "bad answer, not what Infisical sends"),
    Verdict.OVERSIZED: (SecretBackendUnreachable, "bad answer, larger than 1 MiB"),
    Verdict.SILENT: (SecretBackendUnreachable, "no answer in time"),
    Verdict.DROPPED: (SecretBackendUnreachable, "it dropped the connection"),
    Verdict.CLOSED: (SecretBackendUnreachable, "it cannot be connected to; check INFISICAL_SITE_URL and the network"),
    Verdict.UNTRUSTED: (SecretBackendUnreachable, "its certificate is not trusted by this machine"),
}
