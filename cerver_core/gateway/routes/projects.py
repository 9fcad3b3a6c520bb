"""Projects, environments and repos, over HTTP."""

from collections.abc import Mapping

from starlette.responses import Response

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.projects import AddRepo, CreateEnvironment, CreateProject, UpdateEnvironment, UpdateProject

__all__ = ["HANDLERS"]


async def _list(call: Call) -> Answer:
    return await call.cerver.projects.list()


async def _create(call: Call) -> Answer:
    return await call.cerver.projects.create(call.body(CreateProject))


async def _update(call: Call) -> Answer:
    return await call.cerver.projects.update(call.parameters["slug"], call.body(UpdateProject))


async def _archive(call: Call) -> Answer:
    return await call.cerver.projects.archive(call.parameters["slug"])


async def _list_environments(call: Call) -> Answer:
    return await call.cerver.projects.list_environments(call.parameters["slug"])


async def _create_environment(call: Call) -> Answer:
    return await call.cerver.projects.create_environment(call.parameters["slug"], call.body(CreateEnvironment))


async def _update_environment(call: Call) -> Answer:
    return await call.cerver.projects.update_environment(*_place(call), call.body(UpdateEnvironment))


async def _archive_environment(call: Call) -> Answer:
    return await call.cerver.projects.archive_environment(*_place(call))


async def _list_repos(call: Call) -> Answer:
    return await call.cerver.projects.list_repos(*_place(call))


async def _add_repo(call: Call) -> Answer:
    return await call.cerver.projects.add_repo(*_place(call), call.body(AddRepo))


async def _remove_repo(call: Call) -> Answer:
    await call.cerver.projects.remove_repo(*_place(call), call.parameters["repo_id"])
    return Response(status_code=call.operation.status)


def _place(call: Call) -> tuple[str, str]:
    return call.parameters["slug"], call.parameters["environment"]


HANDLERS: Mapping[str, Handler] = {
    "projects.list": _list,
    "projects.create": _create,
    "projects.update": _update,
    "projects.archive": _archive,
    "projects.list_environments": _list_environments,
    "projects.create_environment": _create_environment,
    "projects.update_environment": _update_environment,
    "projects.archive_environment": _archive_environment,
    "projects.list_repos": _list_repos,
    "projects.add_repo": _add_repo,
    "projects.remove_repo": _remove_repo,
}
