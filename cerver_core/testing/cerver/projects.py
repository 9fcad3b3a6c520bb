"""The projects part of the suite; every road passes it."""

import pytest
from pydantic import ValidationError

from cerver_core.api import Cerver
from cerver_core.errors import Conflict, InvalidInput, NotFound
from cerver_core.testing.cerver.road import Road
from cerver_core.wire.projects import (
    AddRepo,
    CreateEnvironment,
    CreateProject,
    UpdateEnvironment,
    UpdateProject,
)
from cerver_core.wire.sessions import CreateSession, ListSessions

__all__ = ["ProjectContract"]


class ProjectContract(Road):
    """Projects, environments, repos."""

    async def test_a_project_is_made_once_and_found_by_its_slug_afterwards(self, cerver: Cerver) -> None:
        made = (await cerver.projects.create(CreateProject(name="Grün & Weiß"))).project
        assert (made.slug, made.name, made.api_key_count, made.session_count_mtd) == ("grun-wei", "Grün & Weiß", 0, 0)
        again = (await cerver.projects.create(CreateProject(name="other", slug="grun-wei"))).project
        assert (again.id, again.name) == (made.id, "Grün & Weiß")
        await cerver.projects.create(CreateProject(name="Api"))
        assert [project.slug for project in (await cerver.projects.list()).projects] == ["api", "grun-wei"]

    async def test_a_name_without_a_slug_in_it_needs_one(self, cerver: Cerver) -> None:
        with pytest.raises(InvalidInput, match="slug"):
            await cerver.projects.create(CreateProject(name="日本"))
        with pytest.raises(ValidationError):
            CreateProject(name="x", slug="../x")

    async def test_sessions_of_a_project_are_counted_and_listed_by_it(self, cerver: Cerver) -> None:
        await cerver.projects.create(CreateProject(name="web"))
        made = await cerver.sessions.create(CreateSession(compute=None, project_slug="web"))
        await cerver.sessions.create(CreateSession(compute=None))
        (project,) = (await cerver.projects.list()).projects
        assert (project.slug, project.session_count_mtd) == ("web", 1)
        listed = await cerver.sessions.list(ListSessions(project="web"))
        assert [session.session_id for session in listed.sessions] == [made.session_id]

    async def test_a_slug_changes_until_sessions_carry_it(self, cerver: Cerver) -> None:
        await cerver.projects.create(CreateProject(name="web"))
        await cerver.projects.create(CreateProject(name="api"))
        moved = await cerver.projects.update("web", UpdateProject(slug="site", name="Site"))
        assert (moved.slug, moved.name) == ("site", "Site")
        with pytest.raises(NotFound):
            await cerver.projects.update("web", UpdateProject(name="x"))
        with pytest.raises(Conflict):
            await cerver.projects.update("site", UpdateProject(slug="api"))
        await cerver.sessions.create(CreateSession(compute=None, project_slug="site"))
        with pytest.raises(Conflict, match="sessions carry"):
            await cerver.projects.update("site", UpdateProject(slug="web"))

    async def test_an_archived_project_is_listed_no_more_and_comes_back_when_it_is_made_again(
        self, cerver: Cerver
    ) -> None:
        made = (await cerver.projects.create(CreateProject(name="web"))).project
        archived = await cerver.projects.archive("web")
        assert (archived.id, archived.archived_at is None) == (made.id, False)
        assert (await cerver.projects.list()).projects == ()
        back = (await cerver.projects.create(CreateProject(name="web"))).project
        assert (back.id, back.archived_at) == (made.id, None)

    async def test_one_environment_is_the_default(self, cerver: Cerver) -> None:
        await cerver.projects.create(CreateProject(name="web"))
        one = (await cerver.projects.create_environment("web", CreateEnvironment(slug="prod"))).environment
        assert (one.slug, one.name, one.is_default, one.project_slug) == ("prod", "prod", True, "web")
        await cerver.projects.create_environment("web", CreateEnvironment(slug="dev", is_default=True))
        with pytest.raises(Conflict):
            await cerver.projects.create_environment("web", CreateEnvironment(slug="dev"))
        listed = (await cerver.projects.list_environments("web")).environments
        assert [(env.slug, env.is_default) for env in listed] == [("dev", True), ("prod", False)]
        changed = await cerver.projects.update_environment(
            "web", "prod", UpdateEnvironment(name="Production", is_default=True)
        )
        assert (changed.environment.name, changed.environment.is_default) == ("Production", True)
        await cerver.projects.archive_environment("web", "dev")
        listed = (await cerver.projects.list_environments("web")).environments
        assert [(env.slug, env.is_default) for env in listed] == [("prod", True)]
        with pytest.raises(NotFound):
            await cerver.projects.list_repos("web", "dev")

    async def test_repos_keep_their_order_and_one_is_the_primary(self, cerver: Cerver) -> None:
        await cerver.projects.create(CreateProject(name="web"))
        await cerver.projects.create_environment("web", CreateEnvironment(slug="prod"))
        first = await cerver.projects.add_repo("web", "prod", AddRepo(repo_url="https://git.example/a"))
        request = AddRepo(repo_url="git@git.example:team/b.git", repo_ref="v1", is_primary=True)
        second = await cerver.projects.add_repo("web", "prod", request)
        assert (first.repo.position, second.repo.position, second.repo.repo_ref) == (1, 2, "v1")
        repos = (await cerver.projects.list_repos("web", "prod")).repos
        assert [(repo.repo_url, repo.is_primary) for repo in repos] == [
            ("https://git.example/a", False),
            ("git@git.example:team/b.git", True),
        ]
        await cerver.projects.remove_repo("web", "prod", second.repo.id)
        (left,) = (await cerver.projects.list_repos("web", "prod")).repos
        assert (left.id, left.is_primary) == (first.repo.id, True)
        with pytest.raises(NotFound):
            await cerver.projects.remove_repo("web", "prod", second.repo.id)
        (environment,) = (await cerver.projects.list_environments("web")).environments
        assert environment.repo_count == 1

    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd",
            "http://git.example/a",
            "https://me:pw@git.example/a",
            "--upload-pack=x",
            "ext::sh::x",
        ],
    )
    async def test_a_repo_that_a_sandbox_must_not_clone_is_refused(self, cerver: Cerver, url: str) -> None:
        await cerver.projects.create(CreateProject(name="web"))
        await cerver.projects.create_environment("web", CreateEnvironment(slug="prod"))
        with pytest.raises((InvalidInput, ValidationError)):
            await cerver.projects.add_repo("web", "prod", AddRepo(repo_url=url))

    async def test_what_is_not_there_is_not_found(self, cerver: Cerver) -> None:
        with pytest.raises(NotFound):
            await cerver.projects.list_environments("nothing")
        with pytest.raises(NotFound):
            await cerver.projects.archive("nothing")
        await cerver.projects.create(CreateProject(name="web"))
        with pytest.raises(NotFound):
            await cerver.sessions.create(CreateSession(compute=None, project_slug="web", environment_slug="nothing"))
        with pytest.raises(InvalidInput, match="project_slug"):
            await cerver.sessions.create(CreateSession(compute=None, environment_slug="prod"))
