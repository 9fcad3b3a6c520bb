"""Vercel's credentials, as the vendor's own client reads them: an OIDC token, or a token with team and project."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cerver_core.errors import ConfigurationError

__all__ = ["Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, and for which project; `variable` names where the token came from."""

    token: str = field(repr=False)
    team_id: str
    project_id: str
    variable: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Credentials":
        """Read them.

        Raises:
            ConfigurationError: they are incomplete; the message names what is missing.
        """
        oidc = environ.get("VERCEL_OIDC_TOKEN")
        claims = _claims(oidc) if oidc else {}
        team = environ.get("VERCEL_TEAM_ID") or claims.get("owner_id")
        project = environ.get("VERCEL_PROJECT_ID") or claims.get("project_id")
        token = oidc or environ.get("VERCEL_TOKEN")
        given = {"VERCEL_TOKEN": token, "VERCEL_TEAM_ID": team, "VERCEL_PROJECT_ID": project}
        missing = [name for name, value in given.items() if not value]
        if not (token and team and project):
            raise ConfigurationError(f"vercel needs VERCEL_OIDC_TOKEN, or {', '.join(missing)} beside what is set")
        return cls(token, team, project, "VERCEL_OIDC_TOKEN" if oidc else "VERCEL_TOKEN")


def _claims(token: str) -> dict[str, str]:
    """Read the claims without a check: the vendor checks the token, this only finds the names in it."""
    try:
        part = token.split(".")[1]
        found: object = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
