"""Projects on this machine: made, changed, archived. Their environments and repos are in `environments.py`."""

import re
import secrets
import unicodedata
from collections import Counter

from pydantic import JsonValue

from cerver_core.clock import from_us
from cerver_core.engine.audit import Audit
from cerver_core.engine.context import Context
from cerver_core.engine.directory import JsonObject, change, every
from cerver_core.engine.environments import Environments
from cerver_core.engine.keys import KEPT_KEY, Keys
from cerver_core.engine.spending import Meter
from cerver_core.errors import Conflict, Forbidden, InvalidInput, NotFound
from cerver_core.stores.base import SessionQuery
from cerver_core.stores.records import Record
from cerver_core.wire.projects import (
    AddRepo,
    CreateEnvironment,
    CreateProject,
    EnvironmentList,
    EnvironmentReply,
    Project,
    ProjectList,
    ProjectReply,
    RepoList,
    RepoReply,
    UpdateEnvironment,
    UpdateProject,
)

__all__ = ["PROJECT", "EngineProjects"]

PROJECT = "project"
_VAULT = "vault"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_MICRO = 1_000_000


class EngineProjects:
    """See `cerver_core.api.projects.Projects`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tenant = context.tenant
        self._records = context.rows.records
        self._audit = Audit(context.tenant, self._records)
        self._meter = Meter(context.tenant, self._records, context.clock)
        hosting = context.tenant.hosting
        self._environments = Environments(
            self._records,
            context.now_us,
            allows_private_networks=hosting is None or hosting.options.allows_private_networks,
        )

    async def list(self) -> ProjectList:
        """List the projects that are not archived."""
        bound = self._tenant.project
        if bound is not None:
            return ProjectList(projects=(await self._shown(await self.require(bound)),))
        keys = await self._key_counts()
        found = [record async for record in every(self._records, PROJECT, now_us=self._context.now_us())]
        return ProjectList(
            projects=tuple([await self._shown(one, keys) for one in found if one.data.get("archived_at_us") is None])
        )

    async def create(self, request: CreateProject) -> ProjectReply:
        """Make a project, or answer the one with this slug."""
        slug = request.slug or _slug_of(request.name)
        if self._tenant.project not in {None, slug}:
            raise Forbidden(f"this key is bound to project {self._tenant.project}: it makes no others")
        return ProjectReply(project=await self.ensure(slug, request.name))

    async def ensure(self, slug: str, name: str | None = None) -> Project:
        """Give the project with this slug, made or taken out of the archive if need be."""
        if _SLUG.fullmatch(slug) is None:
            raise InvalidInput(
                f"{slug[:100]!r} is no slug of a project: lower-case letters, digits, dots, dashes and underscores, "
                "at most 100, a letter or a digit first"
            )
        now_us = self._context.now_us()
        data: JsonObject = {
            "id": f"proj_{secrets.token_hex(8)}",
            "name": name or slug,
            "vault_id": None,
            "archived_at_us": None,
        }
        record = await self._records.get(PROJECT, slug, now_us=now_us)
        if record is None:
            record = await self._records.put(PROJECT, slug, data, now_us=now_us, expected_version=0)
            await self._audit.note("project.create", slug, now_us=now_us, project=slug)
        if record is None or record.data.get("archived_at_us") is not None:
            record = await self._change(slug, {"archived_at_us": None})
        return await self._shown(record)

    async def open_for_work(self, slug: str) -> None:
        """See that there is such a project, which is not archived; one that is not there is made.

        Raises:
            Conflict: it is archived.
        """
        record = await self._records.get(PROJECT, slug, now_us=self._context.now_us())
        if record is None:
            await self.ensure(slug)
        elif record.data.get("archived_at_us") is not None:
            raise Conflict(f"the project {slug} is archived: make it again to take it out of the archive")

    async def require(self, slug: str) -> Record:
        """Read a project that the caller may see.

        Raises:
            NotFound: there is none; another's, and another project than the key's, count as none.
        """
        record = None
        if self._tenant.project in {None, slug}:
            record = await self._records.get(PROJECT, slug, now_us=self._context.now_us())
        if record is None:
            raise NotFound(f"there is no project {slug[:100]!r}: list the projects to see those there are")
        return record

    async def update(self, slug: str, request: UpdateProject) -> Project:
        """Change what is named."""
        record = await self.require(slug)
        changes: JsonObject = {}
        if request.name is not None:
            changes["name"] = request.name
        if "infisical_config_id" in request.model_fields_set:
            changes["vault_id"] = await self._vault(request.infisical_config_id, record)
        if request.slug is not None and request.slug != slug:
            record = await self._rename(record, request.slug)
        if changes:
            record = await self._change(record.id, changes)
        await self._audit.note(
            "project.update", slug, now_us=self._context.now_us(), project=slug, detail={"fields": _names(request)}
        )
        return await self._shown(record)

    async def archive(self, slug: str) -> Project:
        """Put a project away and revoke its keys."""
        await self.require(slug)
        record = await self._change(slug, {"archived_at_us": self._context.now_us()})
        revoked = 0
        if self._tenant.hosting is not None:
            revoked = await self._keys().delete_of_project(slug)
        await self._audit.note(
            "project.archive", slug, now_us=self._context.now_us(), project=slug, detail={"keys_revoked": revoked}
        )
        return await self._shown(record)

    async def list_environments(self, slug: str) -> EnvironmentList:
        """List the environments."""
        project = await self.require(slug)
        return EnvironmentList(environments=tuple(await self._environments.list(project, await self._labels())))

    async def create_environment(self, slug: str, request: CreateEnvironment) -> EnvironmentReply:
        """Make an environment."""
        project = await self.require(slug)
        vault_id = await self._vault(request.infisical_config_id)
        await self._environments.create(project, request, vault_id)
        return await self._environment("environment.create", project, request.slug)

    async def update_environment(self, slug: str, environment: str, request: UpdateEnvironment) -> EnvironmentReply:
        """Change what is named."""
        project = await self.require(slug)
        vault_id = None
        if "infisical_config_id" in request.model_fields_set:
            before = await self._environments.require(project, environment)
            vault_id = await self._vault(request.infisical_config_id, before)
        await self._environments.update(project, environment, request, vault_id)
        return await self._environment("environment.update", project, environment)

    async def archive_environment(self, slug: str, environment: str) -> EnvironmentReply:
        """Put an environment away."""
        project = await self.require(slug)
        await self._environments.archive(project, environment)
        return await self._environment("environment.archive", project, environment)

    async def list_repos(self, slug: str, environment: str) -> RepoList:
        """List the repos in order."""
        return RepoList(repos=tuple(await self._environments.repos(await self.require(slug), environment)))

    async def add_repo(self, slug: str, environment: str, request: AddRepo) -> RepoReply:
        """Add a repo."""
        project = await self.require(slug)
        repo = await self._environments.add_repo(project, environment, request)
        now_us = self._context.now_us()
        await self._audit.note("repo.add", f"{slug}/{environment}/{repo.id}", now_us=now_us, project=slug)
        return RepoReply(repo=repo)

    async def remove_repo(self, slug: str, environment: str, repo_id: str) -> None:
        """Take a repo out."""
        await self._environments.remove_repo(await self.require(slug), environment, repo_id)
        now_us = self._context.now_us()
        await self._audit.note("repo.remove", f"{slug}/{environment}/{repo_id}", now_us=now_us, project=slug)

    async def environment(self, slug: str, environment: str) -> Record:
        """Read one environment of a project, as it is kept; raises `NotFound`."""
        return await self._environments.require(await self.require(slug), environment)

    async def default_environment(self, slug: str) -> Record | None:
        """Read a project's default environment; null when it has none."""
        return await self._environments.default(slug)

    async def _environment(self, action: str, project: Record, environment: str) -> EnvironmentReply:
        await self._audit.note(action, f"{project.id}/{environment}", now_us=self._context.now_us(), project=project.id)
        record = await self._environments.require(project, environment, with_archived=True)
        return EnvironmentReply(environment=await self._environments.shown(project, record, await self._labels()))

    async def _rename(self, record: Record, slug: str) -> Record:
        if self._tenant.project is not None:
            raise Forbidden("a project gets another slug with a key of the whole account, not with its own")
        if await self._context.rows.sessions.list(SessionQuery(limit=1, project=record.id)):
            raise Conflict(f"sessions carry the slug {record.id}: make another project and archive this one")
        if self._tenant.hosting is not None and await self._keys().list(record.id):
            raise Conflict(f"keys are bound to the slug {record.id}: revoke them first")
        if [one async for one in every(self._records, "environment", now_us=0, prefix=f"{record.id}/")]:
            raise Conflict(f"the project {record.id} has environments: make another project and archive this one")
        now_us = self._context.now_us()
        made = await self._records.put(PROJECT, slug, record.data, now_us=now_us, expected_version=0)
        if made is None:
            raise Conflict(f"there is a project {slug} already")
        await self._records.delete(PROJECT, record.id)
        return made

    async def _change(self, slug: str, changes: JsonObject) -> Record:
        def changed(data: JsonObject) -> JsonObject:
            return {**data, **changes}

        record = await change(self._records, PROJECT, slug, changed, now_us=self._context.now_us())
        if record is None:
            raise NotFound(f"there is no project {slug!r}")
        return record

    async def _shown(self, record: Record, keys: Counter[str] | None = None) -> Project:
        data = record.data
        vault_id, archived = data.get("vault_id"), data.get("archived_at_us")
        keys = await self._key_counts() if keys is None else keys
        return Project(
            id=str(data.get("id")),
            slug=record.id,
            name=str(data.get("name")),
            infisical_config_id=vault_id if isinstance(vault_id, str) else None,
            infisical_config_label=(await self._labels()).get(str(vault_id)),
            api_key_count=keys[record.id],
            session_count_mtd=await self._meter.sessions_of_month(record.id),
            total_usd_mtd=await self._meter.spent(record.id) / _MICRO,
            created_at=from_us(record.created_at_us),
            archived_at=from_us(archived) if isinstance(archived, int) else None,
        )

    async def _key_counts(self) -> Counter[str]:
        kept = every(self._records, KEPT_KEY, now_us=self._context.now_us())
        return Counter([str(record.data.get("project_slug")) async for record in kept])

    async def _labels(self) -> dict[str, str]:
        kept = every(self._records, _VAULT, now_us=self._context.now_us())
        return {record.id: str(record.data.get("label")) async for record in kept}

    async def _vault(self, vault_id: str | None, before: Record | None = None) -> str | None:
        """Check that a vault may be put under a project or environment, or taken away: secrets follow from it."""
        had = None if before is None else before.data.get("vault_id")
        whole = self._tenant.project is None and "admin" in self._tenant.caller.scopes
        if (vault_id or None) != had and not whole:
            raise Forbidden(
                "which vault a project uses is the account's to say: use a key of the whole account with scope admin",
                needs="admin",
            )
        if not vault_id:
            return None
        if await self._records.get(_VAULT, vault_id, now_us=self._context.now_us()) is None:
            raise NotFound(f"there is no vault {vault_id!r}: list the vaults to see those there are")
        return vault_id

    def _keys(self) -> Keys:
        hosting = self._tenant.hosted("keys")
        return Keys(self._tenant.account_id, self._records, hosting, self._context.clock)


def _names(request: UpdateProject) -> list[JsonValue]:
    return [*sorted(request.model_fields_set)]


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].rstrip("-")
    if not slug:
        raise InvalidInput("no slug can be made of this name: give one, of lower-case letters, digits and dashes")
    return slug
