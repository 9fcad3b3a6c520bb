"""Vaults and providers' credentials on this machine: kept sealed, checked, never shown."""

import secrets
from collections.abc import Mapping

from pydantic import JsonValue

from cerver_core.catalog.computes import PROFILES
from cerver_core.clock import from_us
from cerver_core.engine.audit import Audit
from cerver_core.engine.context import Context
from cerver_core.engine.directory import JsonObject, change, every
from cerver_core.engine.secret_sources import CREDENTIALS, VAULT, SecretSources, row_of, sealed_of
from cerver_core.engine.tenant import Hosting
from cerver_core.errors import (
    CerverError,
    Forbidden,
    InvalidInput,
    NotFound,
    ProviderFailed,
    ProviderRefused,
    SecretBackendMisconfigured,
    SecretBackendThrottled,
    SecretBackendUnreachable,
    SecretError,
)
from cerver_core.secrets.names import check_name, refuse_reserved
from cerver_core.stores.records import Record
from cerver_core.wire.vaults import (
    CreateVault,
    Credential,
    ProviderCredentials,
    ProviderCredentialsList,
    SecretReference,
    SetCredentials,
    UpdateVault,
    Vault,
    VaultCreated,
    VaultList,
    VaultProvider,
    VaultVerified,
)

__all__ = ["EngineVaults"]

_PARTS = ("client_id", "client_secret", "token")
_PLACE = ("project_id", "environment", "site_url")
_SECRET = "secret:"  # noqa: S105 - the beginning of a field's name
_KINDS: Mapping[str, VaultProvider] = {"infisical": "infisical", "doppler": "doppler", "cerver": "cerver"}


class EngineVaults:
    """See `cerver_core.api.vaults.Vaults`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tenant = context.tenant
        self._records = context.rows.records
        self._audit = Audit(context.tenant, self._records)
        self._sources = SecretSources(context)

    async def list(self) -> VaultList:
        """List the vaults."""
        self._of_account()
        kept = every(self._records, VAULT, now_us=self._context.now_us())
        return VaultList(configs=tuple([self._shown(record) async for record in kept]))

    async def create(self, request: CreateVault) -> VaultCreated:
        """Keep a connection and check it once."""
        hosting = self._of_account()
        fields = _fields(request.model_dump(include=set(_PARTS)), request.secrets)
        vault_id = f"ifc_{secrets.token_hex(8)}"
        place: JsonObject = {name: getattr(request, name) for name in _PLACE}
        self._check(hosting, request.provider, place, fields)
        is_default = request.is_default or await self._sources.default() is None
        data: JsonObject = {
            "provider": request.provider,
            "label": request.label,
            **place,
            "is_default": is_default,
            **self._sealed(hosting, vault_id, fields),
        }
        await self._records.put(VAULT, vault_id, data, now_us=self._context.now_us())
        if is_default:
            await self._only_default(vault_id)
        await self._note("vault.create", vault_id, {"provider": request.provider, "label": request.label})
        try:
            await self.verify(vault_id)
        except CerverError as error:
            return VaultCreated(id=vault_id, verify_error=error.message)
        return VaultCreated(id=vault_id)

    async def update(self, vault_id: str, request: UpdateVault) -> Vault:
        """Change what is named."""
        hosting = self._of_account()
        before = await self._sources.require(vault_id)
        fields = dict(self._opened(hosting, before))
        fields |= {name: value for name in _PARTS if (value := getattr(request, name)) is not None}
        for name, value in request.secrets.items():
            fields.pop(_SECRET + name, None)
            if value is not None:
                fields |= _fields({}, {name: value})
        told: JsonObject = {
            name: getattr(request, name) for name in (*_PLACE, "label") if name in request.model_fields_set
        }
        place: JsonObject = {name: before.data.get(name) for name in _PLACE} | told
        self._check(hosting, str(before.data.get("provider")), place, fields)
        sealed = self._sealed(hosting, vault_id, fields)

        def changed(data: JsonObject) -> JsonObject:
            is_default = data.get("is_default") if request.is_default is None else request.is_default
            return {**data, **told, **sealed, "is_default": is_default}

        record = await change(self._records, VAULT, vault_id, changed, now_us=self._context.now_us())
        if record is None:
            raise NotFound(f"there is no vault {vault_id[:100]!r}")
        if request.is_default:
            await self._only_default(vault_id)
        names: JsonValue = [*sorted(request.model_fields_set)]
        await self._note("vault.update", vault_id, {"fields": names})
        return self._shown(record)

    async def delete(self, vault_id: str) -> None:
        """Forget a connection."""
        self._of_account()
        record = await self._sources.require(vault_id)
        await self._records.delete(VAULT, record.id)
        await self._note("vault.delete", record.id, {})

    async def verify(self, vault_id: str) -> VaultVerified:
        """Ask a vault whether it answers, and keep what came of it."""
        self._of_account()
        await self._sources.require(vault_id)
        try:
            async with self._sources.vault(vault_id) as vault:
                message = await vault.check()
        except CerverError as error:
            await self._keep_check(vault_id, error.message)
            raise _unverified(error) from error
        record = await self._keep_check(vault_id, None)
        last_us = None if record is None else record.data.get("last_verified_at_us")
        moment = from_us(last_us) if isinstance(last_us, int) else None
        return VaultVerified(ok=True, message=message, last_verified_at=moment)

    async def _keep_check(self, vault_id: str, failure: str | None) -> Record | None:
        now_us = self._context.now_us()

        def changed(data: JsonObject) -> JsonObject:
            verified = {"last_verified_at_us": now_us} if failure is None else {}
            return {**data, **verified, "last_verify_error": failure}

        return await change(self._records, VAULT, vault_id, changed, now_us=now_us)

    async def list_credentials(self) -> ProviderCredentialsList:
        """List the providers that credentials are kept for."""
        self._of_account()
        kept = every(self._records, CREDENTIALS, now_us=self._context.now_us())
        return ProviderCredentialsList(providers=tuple([_credentials(record) async for record in kept]))

    async def set_credentials(self, request: SetCredentials) -> ProviderCredentials:
        """Keep a provider's credentials."""
        hosting = self._of_account()
        _check_credentials(hosting, request)
        values = {name: value for name, value in request.credentials.items() if isinstance(value, str)}
        references: JsonObject = {}
        for name, told in request.credentials.items():
            if isinstance(told, SecretReference):
                check_name(told.secret)
                if told.vault_id is not None:
                    await self._sources.require(told.vault_id)
                references[name] = {"secret": told.secret, "vault_id": told.vault_id}
        row = row_of(CREDENTIALS, request.provider)
        data: JsonObject = {
            "sealed": hosting.sealer.seal(self._tenant.account_id, row, values),
            "last4": {name: _last4(value) for name, value in values.items()},
            "references": references,
        }
        record = await self._records.put(CREDENTIALS, request.provider, data, now_us=self._context.now_us())
        if record is None:
            raise NotFound("the credentials were not kept; try again")
        names: JsonValue = [*sorted(request.credentials)]
        await self._note("credentials.set", request.provider, {"names": names})
        return _credentials(record)

    async def delete_credentials(self, provider: str) -> None:
        """Forget a provider's credentials."""
        self._of_account()
        if not await self._records.delete(CREDENTIALS, provider[:100] or "-"):
            raise NotFound(f"there are no credentials of {provider[:100]!r} here")
        await self._note("credentials.delete", provider, {})

    def _of_account(self) -> Hosting:
        hosting = self._tenant.hosted("vaults and credentials of providers")
        if self._tenant.project is not None:
            raise Forbidden("vaults belong to the account: use a key of the whole account, not a project's")
        return hosting

    def _check(self, hosting: Hosting, kind: str, place: JsonObject, fields: Mapping[str, str]) -> None:
        """Refuse a connection that cannot be one; makes no call."""
        if kind == "cerver":
            if any(not name.startswith(_SECRET) for name in fields):
                raise InvalidInput("a vault of kind cerver takes secrets, and no credential of another store")
            return
        if any(name.startswith(_SECRET) for name in fields):
            raise InvalidInput(f"a vault of kind {kind} has its own secrets: put them there, or use kind cerver")
        if kind not in hosting.open_vault:
            there = ", ".join((*hosting.open_vault, "cerver"))
            raise InvalidInput(f"vaults of kind {kind} are not supported yet; there are: {there}", field="provider")
        if kind == "infisical" and not (place.get("project_id") and _has_key(fields)):
            raise InvalidInput("a vault of kind infisical needs project_id, and token or client_id with client_secret")
        try:
            self._sources.connect(kind, place, fields, hosting)
        except SecretBackendMisconfigured as error:
            raise InvalidInput(f"this connection cannot be one: {error.message}") from error

    def _sealed(self, hosting: Hosting, vault_id: str, fields: Mapping[str, str]) -> JsonObject:
        key = next((fields[name] for name in ("token", "client_secret") if name in fields), None)
        names: JsonValue = [*sorted(name.removeprefix(_SECRET) for name in fields if name.startswith(_SECRET))]
        return {
            "sealed": hosting.sealer.seal(self._tenant.account_id, row_of(VAULT, vault_id), fields),
            "last4": None if key is None else _last4(key),
            "has_credentials": bool(fields),
            "secret_names": names,
        }

    def _opened(self, hosting: Hosting, record: Record) -> Mapping[str, str]:
        return hosting.sealer.open(self._tenant.account_id, row_of(VAULT, record.id), sealed_of(record))

    async def _only_default(self, vault_id: str) -> None:
        def changed(data: JsonObject) -> JsonObject:
            return {**data, "is_default": False}

        now_us = self._context.now_us()
        async for record in every(self._records, VAULT, now_us=now_us):
            if record.id != vault_id and record.data.get("is_default"):
                await change(self._records, VAULT, record.id, changed, now_us=now_us)

    def _shown(self, record: Record) -> Vault:
        data = record.data
        last_us, names = data.get("last_verified_at_us"), data.get("secret_names")

        def told(name: str) -> str | None:
            value = data.get(name)
            return value if isinstance(value, str) else None

        return Vault(
            id=record.id,
            label=str(data.get("label")),
            provider=_KINDS.get(str(data.get("provider")), "infisical"),
            project_id=told("project_id"),
            environment=told("environment"),
            site_url=told("site_url"),
            is_default=bool(data.get("is_default")),
            created_at=from_us(record.created_at_us),
            last_verified_at=from_us(last_us) if isinstance(last_us, int) else None,
            last_verify_error=told("last_verify_error"),
            has_credentials=bool(data.get("has_credentials")),
            last4=told("last4"),
            secret_names=tuple(map(str, names)) if isinstance(names, list) else (),
        )

    async def _note(self, action: str, target: str, detail: JsonObject) -> None:
        await self._audit.note(action, target, now_us=self._context.now_us(), detail=detail)


def _unverified(error: CerverError) -> CerverError:
    """Say of a vault that failed its check whether it refused or did not answer; what is our own fault stays so."""
    if isinstance(error, SecretBackendUnreachable | SecretBackendThrottled):
        return ProviderFailed(error.message)
    return ProviderRefused(error.message) if isinstance(error, SecretError) else error


def _has_key(fields: Mapping[str, str]) -> bool:
    return "token" in fields or {"client_id", "client_secret"} <= fields.keys()


def _fields(parts: Mapping[str, str | None], held: Mapping[str, str]) -> dict[str, str]:
    for name in held:
        check_name(name)
        refuse_reserved(name)
    told = {name: value for name, value in parts.items() if value}
    return told | {_SECRET + name: value for name, value in held.items()}


def _last4(value: str) -> str | None:
    """Show the end of a credential that is long enough to stay one."""
    return value[-4:] if len(value) >= 16 else None


def _check_credentials(hosting: Hosting, request: SetCredentials) -> None:
    """Refuse credentials of a provider that cannot be brought, and those that are not all that it needs."""
    name = request.provider
    if hosting.own_providers is not None:
        hosting.own_providers.require(name)
    groups = PROFILES[name].credentials if name in PROFILES else ()
    lacking = [[one.lower() for one in group if one.lower() not in request.credentials] for group in groups]
    if lacking and all(lacking):
        missing = ", or ".join(" and ".join(group) for group in lacking)
        raise InvalidInput(f"the credentials of {name} are incomplete: it lacks {missing}", provider=name)


def _credentials(record: Record) -> ProviderCredentials:
    last4, references = record.data.get("last4"), record.data.get("references")
    shown = {name: Credential(last4=str(end) if end else None) for name, end in _object(last4).items()}
    for name, told in _object(references).items():
        asked = _object(told)
        vault_id = asked.get("vault_id")
        shown[name] = Credential(
            secret=str(asked.get("secret")), vault_id=vault_id if isinstance(vault_id, str) else None
        )
    return ProviderCredentials(provider=record.id, credentials=shown, updated_at=from_us(record.updated_at_us))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
