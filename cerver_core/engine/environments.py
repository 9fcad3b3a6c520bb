"""The environments of projects and their repos, as records under the project's slug."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from cerver_core.clock import from_us
from cerver_core.engine.directory import JsonObject, change, every
from cerver_core.errors import Conflict, InvalidInput, NotFound
from cerver_core.reach import is_public_host
from cerver_core.stores.records import Record, RecordStore
from cerver_core.wire.projects import AddRepo, CreateEnvironment, Environment, Repo, UpdateEnvironment

__all__ = ["Environments"]

_ENVIRONMENT = "environment"
_REPO = "repo"
_MOST_REPOS = 50
_SSH = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[A-Za-z0-9._/~-]+")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


class Environments:
    """Environments and repos of one account's projects; who may see a project is judged above."""

    def __init__(
        self, records: RecordStore, now_us: Callable[[], int], *, allows_private_networks: bool = False
    ) -> None:
        self._allows_private_networks = allows_private_networks
        self._records = records
        self._now_us = now_us

    async def list(self, project: Record, labels: Mapping[str, str]) -> Sequence[Environment]:
        """List those that are not archived, by slug."""
        kept = [record for record in await self._all(project.id) if record.data.get("archived_at_us") is None]
        return [await self.shown(project, record, labels) for record in kept]

    async def require(self, project: Record, slug: str, *, with_archived: bool = False) -> Record:
        """Read one; raises `NotFound`."""
        record = await self._records.get(_ENVIRONMENT, f"{project.id}/{slug[:100]}", now_us=self._now_us())
        if record is None or (record.data.get("archived_at_us") is not None and not with_archived):
            raise NotFound(f"project {project.id} has no environment {slug[:100]!r}")
        return record

    async def default(self, project: str) -> Record | None:
        """Read a project's default environment."""
        live = [record for record in await self._all(project) if record.data.get("archived_at_us") is None]
        return next((record for record in live if record.data.get("is_default")), None)

    async def create(self, project: Record, request: CreateEnvironment, vault_id: str | None) -> None:
        """Make one, or take one out of the archive."""
        now_us = self._now_us()
        is_default = request.is_default or await self.default(project.id) is None
        data: JsonObject = {
            "id": f"env_{secrets.token_hex(8)}",
            "name": request.name or request.slug,
            "is_default": is_default,
            "vault_id": vault_id,
            "archived_at_us": None,
        }
        key = f"{project.id}/{request.slug}"
        before = await self._records.get(_ENVIRONMENT, key, now_us=now_us)
        if before is not None and before.data.get("archived_at_us") is None:
            raise Conflict(f"project {project.id} has an environment {request.slug} already")
        version = 0 if before is None else before.version
        made = await self._records.put(_ENVIRONMENT, key, data, now_us=now_us, expected_version=version)
        if made is None:
            raise Conflict(f"project {project.id} has an environment {request.slug} already")
        if is_default:
            await self._only_default(project.id, key)

    async def update(self, project: Record, slug: str, request: UpdateEnvironment, vault_id: str | None) -> None:
        """Change what is named."""
        record = await self.require(project, slug)
        changes: JsonObject = {}
        if request.name is not None:
            changes["name"] = request.name
        if request.is_default is not None:
            changes["is_default"] = request.is_default
        if "infisical_config_id" in request.model_fields_set:
            changes["vault_id"] = vault_id
        await self._change(_ENVIRONMENT, record.id, changes)
        if request.is_default:
            await self._only_default(project.id, record.id)

    async def archive(self, project: Record, slug: str) -> None:
        """Put one away."""
        record = await self.require(project, slug, with_archived=True)
        if record.data.get("archived_at_us") is None:
            await self._change(_ENVIRONMENT, record.id, {"archived_at_us": self._now_us(), "is_default": False})

    async def repos(self, project: Record, slug: str) -> Sequence[Repo]:
        """List the repos in order."""
        record = await self.require(project, slug)
        return [_repo(one, record) for one in await self._repo_records(record)]

    async def add_repo(self, project: Record, slug: str, request: AddRepo) -> Repo:
        """Add a repo behind the others."""
        environment = await self.require(project, slug)
        _check_url(request.repo_url, allows_private_networks=self._allows_private_networks)
        if request.repo_ref is not None and _REF.fullmatch(request.repo_ref) is None:
            raise InvalidInput("repo_ref must be a branch, tag or commit: letters, digits, dots, dashes and slashes")
        before = await self._repo_records(environment)
        if len(before) >= _MOST_REPOS:
            raise InvalidInput(f"an environment has at most {_MOST_REPOS} repos")
        position = max((_position(one) for one in before), default=0) + 1
        is_primary = request.is_primary or not before
        data: JsonObject = {
            "repo_url": request.repo_url,
            "repo_ref": request.repo_ref,
            "is_primary": is_primary,
            "position": position,
        }
        repo_id = f"rep_{secrets.token_hex(8)}"
        made = await self._records.put(_REPO, f"{environment.id}/{repo_id}", data, now_us=self._now_us())
        if made is None:
            raise Conflict("the repo could not be added; try again")
        if is_primary:
            for one in before:
                await self._change(_REPO, one.id, {"is_primary": False})
        return _repo(made, environment)

    async def remove_repo(self, project: Record, slug: str, repo_id: str) -> None:
        """Take a repo out; the next one becomes the primary when it was it."""
        environment = await self.require(project, slug)
        key = f"{environment.id}/{repo_id[:100]}"
        gone = await self._records.get(_REPO, key, now_us=self._now_us())
        if gone is None or not await self._records.delete(_REPO, key):
            raise NotFound(f"environment {slug} has no repo {repo_id[:100]!r}")
        left = await self._repo_records(environment)
        if gone.data.get("is_primary") and left:
            await self._change(_REPO, left[0].id, {"is_primary": True})

    async def shown(self, project: Record, record: Record, labels: Mapping[str, str]) -> Environment:
        """Show an environment to a reader."""
        vault_id, inherited = record.data.get("vault_id"), project.data.get("vault_id")
        archived = record.data.get("archived_at_us")
        return Environment(
            id=str(record.data.get("id")),
            project_slug=project.id,
            project_name=str(project.data.get("name")),
            slug=record.id.partition("/")[2],
            name=str(record.data.get("name")),
            is_default=bool(record.data.get("is_default")),
            infisical_config_id=vault_id if isinstance(vault_id, str) else None,
            infisical_config_label=labels.get(str(vault_id)),
            project_infisical_config_id=inherited if isinstance(inherited, str) else None,
            project_infisical_config_label=labels.get(str(inherited)),
            repo_count=len(await self._repo_records(record)),
            created_at=from_us(record.created_at_us),
            archived_at=from_us(archived) if isinstance(archived, int) else None,
        )

    async def _all(self, project: str) -> Sequence[Record]:
        return [one async for one in every(self._records, _ENVIRONMENT, now_us=self._now_us(), prefix=f"{project}/")]

    async def _repo_records(self, environment: Record) -> Sequence[Record]:
        kept = every(self._records, _REPO, now_us=self._now_us(), prefix=f"{environment.id}/")
        return sorted([one async for one in kept], key=_position)

    async def _only_default(self, project: str, key: str) -> None:
        for record in await self._all(project):
            if record.id != key and record.data.get("is_default"):
                await self._change(_ENVIRONMENT, record.id, {"is_default": False})

    async def _change(self, kind: str, record_id: str, changes: JsonObject) -> None:
        def changed(data: JsonObject) -> JsonObject:
            return {**data, **changes}

        await change(self._records, kind, record_id, changed, now_us=self._now_us())


def _position(record: Record) -> int:
    position = record.data.get("position")
    return position if isinstance(position, int) else 0


def _repo(record: Record, environment: Record) -> Repo:
    ref = record.data.get("repo_ref")
    return Repo(
        id=record.id.rpartition("/")[2],
        environment_id=str(environment.data.get("id")),
        repo_url=str(record.data.get("repo_url")),
        repo_ref=ref if isinstance(ref, str) else None,
        is_primary=bool(record.data.get("is_primary")),
        position=_position(record),
        created_at=from_us(record.created_at_us),
    )


def _check_url(url: str, *, allows_private_networks: bool) -> None:
    """Let a URL through that Git clones from elsewhere; it is used within a sandbox, never on the gateway itself."""

    def is_elsewhere(host: str | None) -> bool:
        return bool(host) and (allows_private_networks or is_public_host(host or ""))

    if _SSH.fullmatch(url) and is_elsewhere(url.partition("@")[2].partition(":")[0]):
        return
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if (
        parts.scheme not in {"https", "ssh"}
        or not is_elsewhere(host)
        or parts.password
        or not url.isascii()
        or " " in url
    ):
        raise InvalidInput(
            "repo_url must be https://… without a password, ssh://…, or git@host:path, of a public host; a private "
            "repo's token belongs in the vault"
        )
