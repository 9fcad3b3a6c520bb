"""Projects, environments and repos, asked of a gateway."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientProjects"]


class ClientProjects:
    """See `cerver_core.api.projects.Projects`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def list(self) -> ProjectList:
        """List the projects that are not archived."""
        return await self._transport.call("projects.list", ProjectList)

    async def create(self, request: CreateProject) -> ProjectReply:
        """Make a project, or answer the one with this slug."""
        return await self._transport.call("projects.create", ProjectReply, body=request)

    async def update(self, slug: str, request: UpdateProject) -> Project:
        """Change what is named."""
        return await self._transport.call("projects.update", Project, names={"slug": slug}, body=request)

    async def archive(self, slug: str) -> Project:
        """Put a project away."""
        return await self._transport.call("projects.archive", Project, names={"slug": slug})

    async def list_environments(self, slug: str) -> EnvironmentList:
        """List the environments."""
        return await self._transport.call("projects.list_environments", EnvironmentList, names={"slug": slug})

    async def create_environment(self, slug: str, request: CreateEnvironment) -> EnvironmentReply:
        """Make an environment."""
        names = {"slug": slug}
        return await self._transport.call("projects.create_environment", EnvironmentReply, names=names, body=request)

    async def update_environment(self, slug: str, environment: str, request: UpdateEnvironment) -> EnvironmentReply:
        """Change what is named."""
        names = {"slug": slug, "environment": environment}
        return await self._transport.call("projects.update_environment", EnvironmentReply, names=names, body=request)

    async def archive_environment(self, slug: str, environment: str) -> EnvironmentReply:
        """Put an environment away."""
        names = {"slug": slug, "environment": environment}
        return await self._transport.call("projects.archive_environment", EnvironmentReply, names=names)

    async def list_repos(self, slug: str, environment: str) -> RepoList:
        """List the repos in order."""
        names = {"slug": slug, "environment": environment}
        return await self._transport.call("projects.list_repos", RepoList, names=names)

    async def add_repo(self, slug: str, environment: str, request: AddRepo) -> RepoReply:
        """Add a repo."""
        names = {"slug": slug, "environment": environment}
        return await self._transport.call("projects.add_repo", RepoReply, names=names, body=request)

    async def remove_repo(self, slug: str, environment: str, repo_id: str) -> None:
        """Take a repo out."""
        names = {"slug": slug, "environment": environment, "repo_id": repo_id}
        await self._transport.call_bytes("projects.remove_repo", names=names)
