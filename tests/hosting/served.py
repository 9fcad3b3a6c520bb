"""A gateway with two strangers on it: Ann, who has one of everything, and Bob, who shall learn of none of it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cerver_core.clock import SystemClock
from cerver_core.engine.tenant import HostOptions
from cerver_core.wire.account import CreateKey
from cerver_core.wire.projects import AddRepo, CreateEnvironment, CreateProject
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from cerver_core.wire.vaults import CreateVault, SetCredentials
from tests.gateway.roads import Opened
from tests.hosting.roads import Person, account_of, hosted, key_of, operator

__all__ = ["CANARY", "Town", "town"]

CANARY = "annscanary"
"""Stands in everything of Ann's."""

_SLUG = "anns-project"
_VALUE = f"{CANARY}-s3cret-value"


@dataclass
class Town:
    """Who lives there, by name, and the names of what Ann has."""

    keys: dict[str, str] = field(default_factory=dict[str, str])
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    names: dict[str, str] = field(default_factory=dict[str, str])


@asynccontextmanager
async def town(home: Path, told: Town, options: HostOptions | None = None) -> AsyncGenerator[Opened]:
    """Open a host and let them move in; fills `told`."""
    async with hosted(home, clock=SystemClock(), options=options) as host:
        owner = await operator(host)
        ann, bob = await account_of(owner, f"{CANARY}@example.com"), await account_of(owner, "bob@example.com")
        told.keys |= {"operator": owner.key, "ann": ann.key, "bob": bob.key}
        told.accounts |= {"ann": ann.account_id, "bob": bob.account_id}
        told.names |= await _settle(ann)
        for name, request in _KEYS.items():
            told.keys[name] = (await key_of(bob if name.startswith("bob") else ann, **request)).key
        yield Opened(host, owner.key)


_KEYS: Mapping[str, Mapping[str, object]] = {
    "ann reads": {"scope": "global", "scopes": ["read"]},
    "ann writes": {"scope": "global", "scopes": ["read", "write"]},
    "ann's other project": {"project_slug": "other"},
    "ann's page": {"project_slug": "other", "kind": "publishable", "allowed_origins": ["https://ann.example"]},
    "bob's project": {"project_slug": "bobs"},
}


async def _settle(ann: Person) -> dict[str, str]:
    cerver = await ann.cerver()
    await cerver.projects.create(CreateProject(name=CANARY, slug=_SLUG))
    await cerver.projects.create_environment(_SLUG, CreateEnvironment(slug="prod"))
    repo = await cerver.projects.add_repo(_SLUG, "prod", AddRepo(repo_url=f"https://git.example/{CANARY}"))
    vault = await cerver.vaults.create(CreateVault(provider="cerver", label=CANARY, secrets={"A": _VALUE}))
    own = {"vercel_token": _VALUE, "vercel_team_id": "t", "vercel_project_id": "p"}
    await cerver.vaults.set_credentials(SetCredentials(provider="vercel", credentials=own))
    made = await cerver.sessions.create(
        CreateSession(compute=None, session_name=CANARY, task=f"{CANARY} zebra", project_slug=_SLUG)
    )
    entry = NewEntry(role="user", content=CANARY)
    await cerver.transcripts.append(made.session_id, AppendEntries(entries=(entry,)))
    key = await cerver.account.create_key(CreateKey(label=CANARY, project_slug=_SLUG))
    return {
        "session_id": made.session_id,
        "slug": _SLUG,
        "environment": "prod",
        "repo_id": repo.repo.id,
        "vault_id": vault.id,
        "provider": "vercel",
        "key": "_".join(key.key.split("_")[:2]),
        "account_id": ann.account_id,
    }
