"""Projects on the wire (once "apps"): projects, environments, repos (wire contract §5)."""

from typing import Annotated

from pydantic import Field

from cerver_core.wire.model import Name, Reply, Request, UtcTime

__all__ = [
    "AddRepo",
    "CreateEnvironment",
    "CreateProject",
    "Environment",
    "EnvironmentList",
    "EnvironmentReply",
    "Project",
    "ProjectList",
    "ProjectReply",
    "Repo",
    "RepoList",
    "RepoReply",
    "Slug",
    "UpdateEnvironment",
    "UpdateProject",
]

Slug = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
VaultId = Annotated[Name, Field(max_length=100)]


class CreateProject(Request):
    """Make a project, or answer the one that has this slug. The slug is made of the name when it is left out."""

    name: Annotated[Name, Field(min_length=1, max_length=200)]
    slug: Slug | None = None


class UpdateProject(Request):
    """Change what is named. `infisical_config_id` is the vault of the project; null or "" for none of its own.

    The slug can change while no session carries it.
    """

    name: Annotated[Name, Field(min_length=1, max_length=200)] | None = None
    slug: Slug | None = None
    infisical_config_id: VaultId | None = None


class Project(Reply):
    """A project; `session_count_mtd` and `total_usd_mtd` are of the running month (UTC)."""

    id: str
    slug: str
    name: str
    infisical_config_id: str | None = None
    infisical_config_label: str | None = None
    api_key_count: int = 0
    session_count_mtd: int = 0
    total_usd_mtd: float = 0
    created_at: UtcTime
    archived_at: UtcTime | None = None


class ProjectList(Reply):
    """The projects that are not archived, by slug."""

    projects: tuple[Project, ...]


class ProjectReply(Reply):
    """A project that was made or found."""

    project: Project


class CreateEnvironment(Request):
    """Make an environment of a project. The first one is the default."""

    slug: Slug
    name: Annotated[Name, Field(max_length=200)] | None = None
    is_default: bool = False
    infisical_config_id: VaultId | None = None


class UpdateEnvironment(Request):
    """Change what is named. `infisical_config_id` null or "" means the project's vault."""

    name: Annotated[Name, Field(min_length=1, max_length=200)] | None = None
    is_default: bool | None = None
    infisical_config_id: VaultId | None = None


class Environment(Reply):
    """An environment: the repos and the vault that a session in it gets."""

    id: str
    project_slug: str
    project_name: str
    slug: str
    name: str
    is_default: bool = False
    infisical_config_id: str | None = None
    infisical_config_label: str | None = None
    project_infisical_config_id: str | None = None
    project_infisical_config_label: str | None = None
    repo_count: int = 0
    created_at: UtcTime
    archived_at: UtcTime | None = None


class EnvironmentList(Reply):
    """The environments of a project that are not archived, by slug."""

    environments: tuple[Environment, ...]


class EnvironmentReply(Reply):
    """An environment that was made or changed."""

    environment: Environment


class AddRepo(Request):
    """Add a repo to an environment. `repo_ref` is a branch, tag or commit; left out, the repo's own default."""

    repo_url: Annotated[Name, Field(min_length=8, max_length=2_000)]
    repo_ref: Annotated[Name, Field(max_length=300)] | None = None
    is_primary: bool = False


class Repo(Reply):
    """A repo of an environment; they are cloned in the order of `position`, the primary one is where work begins."""

    id: str
    environment_id: str
    repo_url: str
    repo_ref: str | None = None
    is_primary: bool = False
    position: int
    created_at: UtcTime


class RepoList(Reply):
    """The repos of an environment, in order."""

    repos: tuple[Repo, ...]


class RepoReply(Reply):
    """A repo that was added."""

    repo: Repo
