"""The contract of projects, their environments and their repos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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

__all__ = ["Projects"]


class Projects(Protocol):
    """Projects group sessions, keys and spending. A key that is bound to one sees that one alone.

    Every method that names a project, an environment or a repo raises `NotFound` where there is none by that name.
    """

    async def list(self) -> ProjectList:
        """List the projects that are not archived, by slug."""
        ...

    async def create(self, request: CreateProject) -> ProjectReply:
        """Make a project, or answer the one with this slug as it is; an archived one is taken out of the archive.

        Raises:
            InvalidInput: no slug can be made of the name.
        """
        ...

    async def update(self, slug: str, request: UpdateProject) -> Project:
        """Change what is named.

        Raises:
            Conflict: the new slug is taken, or sessions carry the present one.
        """
        ...

    async def archive(self, slug: str) -> Project:
        """Put a project away: it is listed no more, and its keys are revoked. Its sessions stay. Idempotent."""
        ...

    async def list_environments(self, slug: str) -> EnvironmentList:
        """List the environments, by slug."""
        ...

    async def create_environment(self, slug: str, request: CreateEnvironment) -> EnvironmentReply:
        """Make an environment; the first of a project is its default, and a new default takes over from the old.

        Raises:
            Conflict: there is one with this slug.
        """
        ...

    async def update_environment(self, slug: str, environment: str, request: UpdateEnvironment) -> EnvironmentReply:
        """Change what is named."""
        ...

    async def archive_environment(self, slug: str, environment: str) -> EnvironmentReply:
        """Put an environment away: it is listed no more. Idempotent."""
        ...

    async def list_repos(self, slug: str, environment: str) -> RepoList:
        """List the repos in order."""
        ...

    async def add_repo(self, slug: str, environment: str, request: AddRepo) -> RepoReply:
        """Add a repo behind the others; the first one is the primary, and a new primary takes over from the old.

        Raises:
            InvalidInput: the URL is not one of a repo that a sandbox can clone.
        """
        ...

    async def remove_repo(self, slug: str, environment: str, repo_id: str) -> None:
        """Take a repo out."""
        ...
