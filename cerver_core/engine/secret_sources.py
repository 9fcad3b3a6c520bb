"""Where secrets come from: the vault of a session's environment, project or account; else, embedded, this machine."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self, cast

from pydantic import JsonValue

from cerver_core.engine.audit import Audit
from cerver_core.engine.context import Context
from cerver_core.engine.directory import JsonObject, every
from cerver_core.engine.environments import Environments
from cerver_core.engine.tenant import Hosting
from cerver_core.errors import NotFound, SecretBackendMisconfigured, SecretNotFound
from cerver_core.secrets.base import Secret, SecretBackend
from cerver_core.secrets.connection import VaultConnection
from cerver_core.secrets.names import check_name, quote_name, refuse_reserved
from cerver_core.stores.base import StoredSession
from cerver_core.stores.records import Record

__all__ = ["CREDENTIALS", "ENVIRONMENT_KEY", "SESSION_CREDENTIALS", "VAULT", "SecretSources", "row_of", "sealed_of"]

VAULT = "vault"
CREDENTIALS = "provider_credentials"
SESSION_CREDENTIALS = "session_credentials"
ENVIRONMENT_KEY = "environment_slug"
"""Where a session's metadata says in which environment of its project it is."""

_PROJECT = "project"
_SECRET = "secret:"  # noqa: S105 - the beginning of a field's name


class SecretSources:
    """Opens the vaults of one account for one caller."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tenant = context.tenant
        self._records = context.rows.records
        self._audit = Audit(context.tenant, self._records)

    @asynccontextmanager
    async def of_session(self, session: StoredSession, names: Sequence[str]) -> AsyncGenerator[SecretBackend]:
        """Open what a session's executions get their secrets from; that they were asked for is noted, by name.

        Raises:
            SecretBackendMisconfigured: the account has no vault for this session.
            ConfigurationError, StoreCorrupt: the vault's credential cannot be opened.
        """
        hosting = self._tenant.hosting
        if hosting is None:
            yield self._context.secrets
            return
        record = await self._vault_of(session)
        now_us = self._context.now_us()
        detail: JsonObject = {"names": [*names], "vault": None if record is None else record.id}
        await self._audit.note("secrets.use", session.id, now_us=now_us, project=session.project, detail=detail)
        if record is None:
            yield self._own(hosting)
            return
        async with self._opened(record, hosting) as vault:
            yield vault

    @asynccontextmanager
    async def vault(self, vault_id: str | None) -> AsyncGenerator[SecretBackend]:
        """Open a vault by its id, or the account's default one.

        Raises:
            NotFound: there is none by this id.
            SecretBackendMisconfigured: the account has no default vault.
        """
        hosting = self._tenant.hosted("vaults")
        record = await self.default() if vault_id is None else await self.require(vault_id)
        if record is None:
            raise _none()
        async with self._opened(record, hosting) as vault:
            yield vault

    async def values(self, hosting: Hosting, record: Record) -> Mapping[str, str]:
        """Give the credentials of a provider that a record keeps; a reference is fetched from its vault now.

        Raises:
            SecretError: a referenced secret could not be had.
            NotFound: the vault of a reference is gone.
            ConfigurationError, StoreCorrupt: what is sealed cannot be opened.
        """
        row = row_of(record.kind, record.id)
        found = dict(hosting.sealer.open(self._tenant.account_id, row, sealed_of(record)))
        references = record.data.get("references")
        for name, told in (references if isinstance(references, dict) else {}).items():
            asked = told if isinstance(told, dict) else {}
            async with self.vault(cast("str | None", asked.get("vault_id"))) as vault:
                found[name] = (await vault.fetch(str(asked.get("secret")))).value
        return found

    async def require(self, vault_id: str) -> Record:
        """Read a vault's record; raises `NotFound`."""
        record = await self._records.get(VAULT, vault_id[:100] or "-", now_us=self._context.now_us())
        if record is None:
            raise NotFound(f"there is no vault {vault_id[:100]!r}: list the vaults to see those there are")
        return record

    async def default(self) -> Record | None:
        """Read the account's default vault."""
        kept = every(self._records, VAULT, now_us=self._context.now_us())
        return next((record for record in [one async for one in kept] if record.data.get("is_default")), None)

    async def _vault_of(self, session: StoredSession) -> Record | None:
        now_us = self._context.now_us()
        if session.project is not None:
            for vault_id in await self._named_by(session.project, session.metadata.get(ENVIRONMENT_KEY)):
                record = await self._records.get(VAULT, vault_id, now_us=now_us)
                if record is not None:
                    return record
        return await self.default()

    async def _named_by(self, slug: str, environment: object) -> Sequence[str]:
        now_us = self._context.now_us()
        project = await self._records.get(_PROJECT, slug, now_us=now_us)
        if project is None:
            return ()
        environments = Environments(self._records, self._context.now_us)
        if isinstance(environment, str):
            kept = await self._records.get("environment", f"{slug}/{environment}", now_us=now_us)
        else:
            kept = await environments.default(slug)
        named = (None if kept is None else kept.data.get("vault_id"), project.data.get("vault_id"))
        return [vault_id for vault_id in named if isinstance(vault_id, str)]

    def _own(self, hosting: Hosting) -> SecretBackend:
        """Let the operator alone use the gateway's own secrets, where one person is everybody."""
        if hosting.options.shares_own_secrets and self._tenant.caller.is_operator:
            return self._context.secrets
        raise _none()

    @asynccontextmanager
    async def _opened(self, record: Record, hosting: Hosting) -> AsyncGenerator[SecretBackend]:
        fields = hosting.sealer.open(self._tenant.account_id, row_of(VAULT, record.id), sealed_of(record))
        provider = str(record.data.get("provider"))
        if provider == "cerver":
            yield _HeldHere({key.removeprefix(_SECRET): value for key, value in fields.items()})
            return
        if provider not in hosting.open_vault:
            raise SecretBackendMisconfigured(f"vaults of kind {provider} cannot be asked by this gateway")
        async with self.connect(provider, record.data, fields, hosting) as vault:
            yield vault

    def connect(
        self, provider: str, place: Mapping[str, JsonValue], fields: Mapping[str, str], hosting: Hosting
    ) -> SecretBackend:
        """Make the backend of a customer's vault; makes no call.

        Raises:
            SecretBackendMisconfigured: a part is missing or cannot be right.
        """
        connection = VaultConnection(
            provider=provider,
            project_id=_text(place, "project_id"),
            environment=_text(place, "environment"),
            site_url=_text(place, "site_url"),
            token=fields.get("token"),
            client_id=fields.get("client_id"),
            client_secret=fields.get("client_secret"),
            allows_private_networks=hosting.options.allows_private_networks,
        )
        return hosting.open_vault[provider](connection)


class _HeldHere:
    """A vault of kind `cerver`: its secrets stand in its own row."""

    def __init__(self, held: Mapping[str, str]) -> None:
        self._held = held

    @property
    def name(self) -> str:
        """`cerver`."""
        return "cerver"

    async def __aenter__(self) -> Self:
        """Do nothing: there is nothing to open."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Do nothing."""

    async def fetch(self, name: str) -> Secret:
        """Give one secret by its exact name."""
        check_name(name)
        refuse_reserved(name)
        if name not in self._held:
            raise SecretNotFound(f"Secret {quote_name(name)} is not in this vault (backend cerver)")
        return Secret(name=name, value=self._held[name], source=self.name)

    async def check(self) -> str:
        """Say how many secrets there are."""
        return f"cerver: {len(self._held)} secrets, kept encrypted"


def _text(place: Mapping[str, JsonValue], name: str) -> str | None:
    value = place.get(name)
    return value if isinstance(value, str) and value else None


def sealed_of(record: Record) -> Mapping[str, JsonValue]:
    """Give the sealed part of a record."""
    sealed = record.data.get("sealed")
    return sealed if isinstance(sealed, dict) else {}


def row_of(kind: str, record_id: str) -> str:
    """Name a row as it is bound to what is sealed in it."""
    return f"{kind}/{record_id}"


def _none() -> SecretBackendMisconfigured:
    return SecretBackendMisconfigured(
        "there is no vault for this session: connect one with `cerver vaults add`, and make it the default"
    )
