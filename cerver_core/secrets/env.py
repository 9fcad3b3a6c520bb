"""Secrets from environment variables; knows nothing of any vault."""

import os
from collections.abc import Mapping
from typing import Self

from cerver_core.errors import SecretEmpty, SecretError, SecretNotFound
from cerver_core.secrets.base import Secret
from cerver_core.secrets.names import check_name, quote_name, refuse_reserved

__all__ = ["EnvBackend"]


class EnvBackend:
    """Reads secrets from an environment: the process's own as it is at each call, or the mapping that was given."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ

    @property
    def name(self) -> str:
        """`env`."""
        return "env"

    async def __aenter__(self) -> Self:
        """Do nothing: there is nothing to open."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Do nothing: there is nothing to close."""

    async def fetch(self, name: str) -> Secret:
        """Read one variable by its exact name.

        Raises:
            SecretNameInvalid, SecretReserved, SecretNotFound, SecretEmpty: as the contract says.
            SecretError: the variable holds bytes that are not UTF-8.
        """
        check_name(name)
        refuse_reserved(name)
        environ = os.environ if self._environ is None else self._environ
        # Compared key by key: on Windows a lookup in os.environ ignores the case of letters.
        value = next((value for key, value in environ.items() if key == name), None)
        if value is None:
            raise SecretNotFound(f"Secret {quote_name(name)} is not set in the environment (backend env)")
        if not value:
            raise SecretEmpty(f"Secret {quote_name(name)} is set to an empty value in the environment (backend env)")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise SecretError(f"Secret {quote_name(name)} holds bytes that are not UTF-8 (backend env)")
        return Secret(name=name, value=value, source=self.name)

    async def check(self) -> str:
        """Say where the secrets come from; the environment always answers."""
        return "env: this process's environment variables"
