"""The operations of projects, their environments and repos. `/v2/apps` is the older spelling of all of them."""

from cerver_core.errors import Conflict, Forbidden, NotFound
from cerver_core.wire import projects
from cerver_core.wire.operations.operation import JSON, Operation

__all__ = ["PROJECTS"]

_ALL = "/v2/projects"
_OLD = "/v2/apps"
_ONE = "/{slug}"
_ENVIRONMENTS = f"{_ONE}/environments"
_ENVIRONMENT = f"{_ENVIRONMENTS}/{{environment}}"
_REPOS = f"{_ENVIRONMENT}/repos"
_ERRORS = (NotFound, Forbidden)

PROJECTS = (
    Operation("projects.list", "GET", _ALL, "List the projects.", reply=(projects.ProjectList,), aliases=(_OLD,)),
    Operation(
        "projects.create",
        "POST",
        _ALL,
        "Make a project, or answer the one with this slug.",
        body=projects.CreateProject,
        body_media=JSON,
        reply=(projects.ProjectReply,),
        errors=_ERRORS,
        aliases=(_OLD,),
    ),
    Operation(
        "projects.update",
        "PATCH",
        _ALL + _ONE,
        "Change a project's name, slug or vault.",
        body=projects.UpdateProject,
        body_media=JSON,
        reply=(projects.Project,),
        errors=(*_ERRORS, Conflict),
        aliases=(_OLD + _ONE,),
    ),
    Operation(
        "projects.archive",
        "DELETE",
        _ALL + _ONE,
        "Archive a project: it is listed no more and its keys are revoked; its sessions stay.",
        reply=(projects.Project,),
        errors=_ERRORS,
        is_admin=True,
        aliases=(_OLD + _ONE,),
    ),
    Operation(
        "projects.list_environments",
        "GET",
        _ALL + _ENVIRONMENTS,
        "List a project's environments.",
        reply=(projects.EnvironmentList,),
        errors=_ERRORS,
        aliases=(_OLD + _ENVIRONMENTS,),
    ),
    Operation(
        "projects.create_environment",
        "POST",
        _ALL + _ENVIRONMENTS,
        "Make an environment.",
        body=projects.CreateEnvironment,
        body_media=JSON,
        reply=(projects.EnvironmentReply,),
        errors=(*_ERRORS, Conflict),
        aliases=(_OLD + _ENVIRONMENTS,),
    ),
    Operation(
        "projects.update_environment",
        "PATCH",
        _ALL + _ENVIRONMENT,
        "Change an environment's name or vault, or make it the default.",
        body=projects.UpdateEnvironment,
        body_media=JSON,
        reply=(projects.EnvironmentReply,),
        errors=_ERRORS,
        aliases=(_OLD + _ENVIRONMENT,),
    ),
    Operation(
        "projects.archive_environment",
        "DELETE",
        _ALL + _ENVIRONMENT,
        "Archive an environment: it is listed no more.",
        reply=(projects.EnvironmentReply,),
        errors=_ERRORS,
        aliases=(_OLD + _ENVIRONMENT,),
    ),
    Operation(
        "projects.list_repos",
        "GET",
        _ALL + _REPOS,
        "List the repos of an environment, in order.",
        reply=(projects.RepoList,),
        errors=_ERRORS,
        aliases=(_OLD + _REPOS,),
    ),
    Operation(
        "projects.add_repo",
        "POST",
        _ALL + _REPOS,
        "Add a repo to an environment.",
        body=projects.AddRepo,
        body_media=JSON,
        reply=(projects.RepoReply,),
        errors=_ERRORS,
        aliases=(_OLD + _REPOS,),
    ),
    Operation(
        "projects.remove_repo",
        "DELETE",
        f"{_ALL}{_REPOS}/{{repo_id}}",
        "Take a repo out of an environment.",
        reply_media=None,
        status=204,
        errors=_ERRORS,
        aliases=(f"{_OLD}{_REPOS}/{{repo_id}}",),
    ),
)
