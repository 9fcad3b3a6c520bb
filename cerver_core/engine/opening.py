"""What must hold before a session is opened: its project and environment are there, its price is within the limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from cerver_core.engine.secret_sources import ENVIRONMENT_KEY
from cerver_core.engine.spending import Meter
from cerver_core.errors import Forbidden, InvalidInput, ProjectKeyRequired

if TYPE_CHECKING:
    from cerver_core.engine.context import Context
    from cerver_core.engine.projects import EngineProjects
    from cerver_core.wire.sessions import CreateSession

__all__ = ["Opening"]


class Opening:
    """Admits new sessions of one caller. Embedded, a session may carry any slug, of a project that is kept or not."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._meter = Meter(context.tenant, context.rows.records, context.clock)

    @cached_property
    def _projects(self) -> EngineProjects:
        from cerver_core.engine.projects import EngineProjects

        return EngineProjects(self._context)

    @asynccontextmanager
    async def admitted(self, request: CreateSession) -> AsyncGenerator[CreateSession]:
        """Give the request as it is to be done; a session that is not opened within the block costs nothing.

        Raises:
            ProjectKeyRequired: this gateway wants sessions to be in a project, and neither key nor request names one.
            Conflict: the project is archived.
            Forbidden: the key is bound to another project than the request names.
            NotFound: there is no such environment.
            PaymentRequired: the session would pass a spending limit.
        """
        admitted = await self._placed(request)
        async with self._meter.session(admitted.project_slug):
            yield admitted

    async def _placed(self, request: CreateSession) -> CreateSession:
        tenant = self._context.tenant
        slug = request.project_slug
        if tenant.project is not None:
            if slug not in {None, tenant.project}:
                raise Forbidden(f"this key is bound to project {tenant.project}: it makes sessions there alone")
            slug = tenant.project
        if slug is None:
            if request.environment_slug is not None:
                raise InvalidInput("an environment belongs to a project: give project_slug too")
            if tenant.hosting is not None and tenant.hosting.options.requires_project_key:
                raise ProjectKeyRequired(
                    "sessions are opened with the key of a project here: make one with "
                    "`cerver keys create --project NAME`, or name the project in project_slug"
                )
            return request
        changes: dict[str, object] = {"project_slug": slug}
        if tenant.caller.kind == "publishable":
            # Such a key may run nothing: a sandbox would only cost.
            changes |= {"compute": None, "target_compute_id": None}
        if tenant.hosting is not None:
            await self._projects.open_for_work(slug)
        if request.environment_slug is not None:
            await self._projects.environment(slug, request.environment_slug)
            changes["metadata"] = {**request.metadata, ENVIRONMENT_KEY: request.environment_slug}
        return request.model_copy(update=changes)
