"""Vaults on the wire: connections to secret stores, credentials of providers; write-only (wire contract §3.1, §5)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from cerver_core.wire.model import Name, Reply, Request, UtcTime

__all__ = [
    "CreateVault",
    "Credential",
    "ProviderCredentials",
    "ProviderCredentialsList",
    "SecretReference",
    "SetCredentials",
    "UpdateVault",
    "Vault",
    "VaultCreated",
    "VaultList",
    "VaultProvider",
    "VaultVerified",
]

VaultProvider = Literal["infisical", "doppler", "cerver"]
SecretText = Annotated[str, Field(min_length=1, max_length=64 * 1024)]
SecretName = Annotated[str, Field(min_length=1, max_length=255)]


class CreateVault(Request):
    """Connect a secret store; it is asked once whether it accepts the credential.

    `infisical` takes `project_id`, `environment` and either `client_id` with `client_secret` or `token`. `cerver`
    keeps `secrets` here, encrypted. The first vault of an account is its default.
    """

    provider: VaultProvider = "infisical"
    label: Annotated[Name, Field(min_length=1, max_length=200)]
    client_id: SecretText | None = None
    client_secret: SecretText | None = None
    token: SecretText | None = None
    secrets: Annotated[Mapping[SecretName, SecretText], Field(max_length=500)] = {}
    project_id: Annotated[Name, Field(max_length=200)] | None = None
    environment: Annotated[Name, Field(max_length=100)] | None = None
    site_url: Annotated[Name, Field(max_length=500)] | None = None
    is_default: bool = False


class UpdateVault(Request):
    """Change what is named; the rest stays. `secrets` is merged name by name, and null takes a name out."""

    label: Annotated[Name, Field(min_length=1, max_length=200)] | None = None
    client_id: SecretText | None = None
    client_secret: SecretText | None = None
    token: SecretText | None = None
    secrets: Annotated[Mapping[SecretName, SecretText | None], Field(max_length=500)] = {}
    project_id: Annotated[Name, Field(max_length=200)] | None = None
    environment: Annotated[Name, Field(max_length=100)] | None = None
    site_url: Annotated[Name, Field(max_length=500)] | None = None
    is_default: bool | None = None


class Vault(Reply):
    """A connection to a secret store, without its credential: of that, only that it is there and its last four.

    `secret_names` are those that a vault of kind `cerver` holds. `last_verify_error` is null when the last check went
    well.
    """

    id: str
    label: str
    provider: VaultProvider = "infisical"
    project_id: str | None = None
    environment: str | None = None
    site_url: str | None = None
    is_default: bool = False
    created_at: UtcTime
    last_verified_at: UtcTime | None = None
    last_verify_error: str | None = None
    has_credentials: bool = False
    last4: str | None = None
    secret_names: tuple[str, ...] = ()


class VaultList(Reply):
    """The account's vaults."""

    configs: tuple[Vault, ...]


class VaultCreated(Reply):
    """A new vault. `verify_error` says why the check that follows at once went wrong; null when it went well."""

    id: str
    verify_error: str | None = None


class VaultVerified(Reply):
    """The vault answers and accepts the credential. A check that fails is a problem; older gateways say `ok` false."""

    ok: bool
    message: str
    last_verified_at: UtcTime | None = None


class SecretReference(Request):
    """Stands for a value: the secret by this name, fetched from a vault (the default one) at each use."""

    secret: SecretName
    vault_id: Annotated[Name, Field(max_length=100)] | None = None


class SetCredentials(Request):
    """Give the credentials of a provider, by their names (`vercel_token`, `e2b_api_key`, …); replaces those before.

    A value is kept encrypted; a reference to a secret is kept as it is, and the value stays in the vault.
    """

    provider: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    credentials: Annotated[
        Mapping[Annotated[str, Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")], SecretText | SecretReference],
        Field(min_length=1, max_length=20, json_schema_extra={"additionalProperties": False}),
    ]


class Credential(Reply):
    """One credential without its value: the last four characters, or which secret it refers to."""

    last4: str | None = None
    secret: str | None = None
    vault_id: str | None = None


class ProviderCredentials(Reply):
    """What is kept for one provider."""

    provider: str
    has_credentials: bool = True
    credentials: Mapping[str, Credential] = {}
    updated_at: UtcTime


class ProviderCredentialsList(Reply):
    """The providers that this account brought credentials for."""

    providers: tuple[ProviderCredentials, ...]
