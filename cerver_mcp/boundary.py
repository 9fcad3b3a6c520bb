"""The edge to the model: every error becomes a text that says what was wrong and what to do, and never a value."""

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from cerver_core import errors
from cerver_core.render.escape import visible_line

__all__ = ["argument_error", "error_text", "internal_error"]

logger = logging.getLogger(__name__)

_MAX_SHOWN = 5

_ADVICE: Mapping[type[errors.CerverError], str] = {
    errors.SessionNotFound: "Call cerver_session_list.",
    errors.AmbiguousReference: "Call again with the id of the one that is meant.",
    errors.SequenceConflict: "Read what was added with cerver_session_peek(since=…), then append again.",
    errors.EntryConflict: "Use another id for the new content; entries never change.",
    errors.NoComputeAvailable: 'Ask for less in requirements, or pass compute="none" for memory alone.',
    errors.IsolationUnavailable: 'Leave "isolation" out of requirements, or add "allow_weaker": true.',
    errors.ComputeNotFound: "Leave compute out (target_compute_id in cerver_spawn) to let the router choose.",
    errors.SecretNotFound: "Names must match exactly. Ask the user to set it, or for the right name.",
    errors.SecretError: "Ask the user; do not guess other names.",
    errors.GatewayUnreachable: "Check CERVER_GATEWAY_URL and the network, or unset CERVER_API_TOKEN to work locally.",
    errors.Unauthorized: "Ask the user to check CERVER_API_TOKEN.",
    errors.StoreUnavailable: "Ask the user to run `cerver doctor`.",
    errors.StoreCorrupt: "Ask the user to run `cerver doctor`.",
    errors.SchemaTooNew: "Ask the user to upgrade cerver-mcp.",
    errors.RateLimited: "Wait, then try again.",
    errors.DeadlineExceeded: "Try again, or allow more time.",
}

_STATE_ADVICE: Mapping[str, str] = {
    "paused": 'cerver_session_end(action="resume") wakes it.',
    "terminated": "cerver_session_create opens another.",
    "failed": "cerver_session_create opens another.",
}
"""What to do about a session that is in the wrong state. In any other state, what it lacks stands in the message."""


def error_text(error: errors.CerverError) -> str:
    """Write an error for a model: `code: message`, the facts that help, and what to do next."""
    parts = [f"{error.code}: {error.message.rstrip('.')}.", *_facts(error)]
    advice = _advice(error)
    return " ".join([*parts, advice] if advice else parts)


def _advice(error: errors.CerverError) -> str | None:
    if isinstance(error, errors.SessionStateConflict):
        return _STATE_ADVICE.get(str(error.detail.get("state")))
    return next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), None)


def argument_error(tool: str, error: ValidationError, allowed: Iterable[str]) -> str:
    """Write what is wrong with the arguments, without repeating any value."""
    names = sorted(allowed)
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = [_problem(detail["type"], detail["loc"], detail["msg"], names) for detail in found[:_MAX_SHOWN]]
    if len(found) > _MAX_SHOWN:
        problems.append(f"and {len(found) - _MAX_SHOWN} more")
    return f"invalid_input: {tool}: {'; '.join(problems)}. Its arguments are: {', '.join(names)}. Nothing was changed."


def internal_error(tool: str, error: Exception) -> str:
    """Log what nobody expected with its traceback, and write a short text that tells nothing of it."""
    logger.error("%s failed", tool, exc_info=error)
    return (
        f"internal_error: {tool} failed in a way that is a bug of Cerver ({type(error).__name__}). "
        "The server is still up; its stderr log has the details. Try once more, then do without."
    )


def _facts(error: errors.CerverError) -> Sequence[str]:
    facts: list[str] = []
    if isinstance(last_seq := error.detail.get("last_seq"), int):
        facts.append(f"The transcript ends at seq {last_seq}.")
    if isinstance(wait := error.detail.get("retry_after_s"), int | float):
        facts.append(f"Retry after {wait:g} s.")
    return facts


def _problem(kind: str, place: Sequence[str | int], message: str, names: Sequence[str]) -> str:
    where = visible_line(".".join(str(part) for part in place), 60)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), names, n=1) if len(place) == 1 else []
        return f"unknown argument {where!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
    if kind == "missing":
        return f"{where} is missing"
    text = message.removeprefix("Value error, ")
    return f"{where}: {text[:1].lower()}{text[1:]}" if where else text
