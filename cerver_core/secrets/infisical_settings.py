"""What the Infisical backend needs to know, read from the environment and checked; makes no call."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from cerver_core.errors import SecretBackendMisconfigured

__all__ = ["DEFAULT_SITE_URL", "InfisicalSettings", "is_sendable"]

DEFAULT_SITE_URL = "https://app.infisical.com"


@dataclass(frozen=True, slots=True)
class InfisicalSettings:
    """One place in Infisical and the credential for it: a token, or a machine identity's id and secret.

    `token` is a service token (`st.…`) or an identity's access token, and goes before the identity when both are
    there. `site_url` is https, or http to this machine.

    Raises:
        SecretBackendMisconfigured: a part is missing or cannot be right; the message names the variable.
    """

    project_id: str
    token: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    environment: str = "prod"
    secret_path: str = "/"  # noqa: S105 - a folder in Infisical
    site_url: str = DEFAULT_SITE_URL

    def __post_init__(self) -> None:
        if not self.token and not (self.client_id and self.client_secret):
            raise SecretBackendMisconfigured(_missing_credential(self.client_id, self.client_secret))
        if not self.project_id:
            raise SecretBackendMisconfigured("The Infisical backend needs INFISICAL_PROJECT_ID, which is not set")
        if self.token and not is_sendable(self.token):
            raise SecretBackendMisconfigured("INFISICAL_TOKEN holds characters that no token has")
        _check_url(self.site_url)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the `INFISICAL_*` variables; empty ones count as unset, blanks around a value do not count.

        Raises:
            SecretBackendMisconfigured: see the class.
        """
        values = {name: value.strip() for name, value in environ.items() if name.startswith("INFISICAL_")}

        def first(*names: str) -> str | None:
            return next((values[name] for name in names if values.get(name)), None)

        site_url = first("INFISICAL_SITE_URL", "INFISICAL_API_URL", "INFISICAL_HOST") or DEFAULT_SITE_URL
        return cls(
            project_id=first("INFISICAL_PROJECT_ID") or "",
            token=first("INFISICAL_TOKEN"),
            client_id=first("INFISICAL_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"),
            client_secret=first("INFISICAL_CLIENT_SECRET", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
            environment=first("INFISICAL_ENVIRONMENT") or "prod",
            secret_path=first("INFISICAL_SECRET_PATH") or "/",
            # The vendor's own command wants the URL with `/api` at its end; people set both with one variable.
            site_url=site_url.rstrip("/").removesuffix("/api"),
        )

    @property
    def is_identity(self) -> bool:
        """Tell whether a machine identity logs in, so that its access tokens come and go."""
        return not self.token

    @property
    def bearer(self) -> str:
        """The token as it is sent: a service token's fourth part is a key that must stay here."""
        token = self.token or ""
        return ".".join(token.split(".")[:3]) if token.startswith("st.") else token


def is_sendable(token: str) -> bool:
    """Tell whether a token can stand in a header."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _missing_credential(client_id: str | None, client_secret: str | None) -> str:
    if client_id or client_secret:
        missing = "INFISICAL_CLIENT_SECRET" if client_id else "INFISICAL_CLIENT_ID"
        return f"The Infisical backend needs {missing} beside the other half of the machine identity; it is not set"
    return (
        "The Infisical backend needs INFISICAL_TOKEN, or INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET; none is set"
    )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = url.isprintable() and not any(character in url for character in " ?#@\\")
    if parts.scheme not in {"https", "http"} or not host or not plain:
        raise SecretBackendMisconfigured(
            "INFISICAL_SITE_URL must be the address of an Infisical server, such as https://app.infisical.com"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise SecretBackendMisconfigured("INFISICAL_SITE_URL must start with https://: the token would travel in clear")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
