"""Checks the environment before the wire is served, so that a wrong setting is an error at start and not a surprise.

Loads nothing unless a variable is set that needs it, and never more than the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SECRET_BACKENDS", "problem_with"]

SECRET_BACKENDS = ("env", "infisical")
"""The names of `cerver_core.plugins.SECRET_BACKENDS`, which is too heavy to ask here; a test compares them."""

_CHECKED = ("CERVER_DIGEST", "CERVER_DURABILITY", "CERVER_GATEWAY_URL", "CERVER_ISOLATION")


def problem_with(environ: Mapping[str, str]) -> str | None:
    """Say what is wrong with the settings, naming the variable and what is allowed; null when nothing is."""
    backend = environ.get("CERVER_SECRETS_BACKEND") or "env"
    if backend not in SECRET_BACKENDS:
        return f"CERVER_SECRETS_BACKEND is {backend!r}; it must be one of: {', '.join(SECRET_BACKENDS)}"
    try:
        if any(environ.get(name) for name in _CHECKED):
            from cerver_core.config import Settings  # noqa: PLC0415 - only for those who set one

            Settings.from_environ(environ)
        if backend == "infisical":
            from cerver_core.secrets.infisical_settings import InfisicalSettings  # noqa: PLC0415 - as above

            InfisicalSettings.from_environ(environ)
    except ValueError as error:
        return str(error)
    return None
