"""The lifecycle of sessions: create, spawn, pause, resume, attach, terminate. The state changes first, as a fence, and
the sandbox follows; every step can be repeated."""

import logging
from collections.abc import Mapping
from datetime import timedelta

import anyio

from cerver_core.clock import from_us, to_us
from cerver_core.engine import carrying, views
from cerver_core.engine.context import Context, sandbox_from_json, sandbox_to_json
from cerver_core.engine.opening import Opening
from cerver_core.engine.placement import Place, Placement
from cerver_core.engine.policies import Policies
from cerver_core.engine.reachable import OWN, Reachable
from cerver_core.engine.reaper import Left
from cerver_core.errors import InvalidInput, NoComputeAvailable, NotSupported, SessionStateConflict
from cerver_core.ids import new_session_id
from cerver_core.metrics import MetricDelta
from cerver_core.providers.base import Pausable
from cerver_core.stores.base import SessionChange, StoredSession
from cerver_core.wire.computes import ComputeChoice, Requirements
from cerver_core.wire.routing import Policy, RecommendRequest
from cerver_core.wire.sessions import AttachCompute, CreateSession, Lifecycle, SessionEnvelope, SpawnSession
from cerver_core.wire.transcripts import NewEntry

__all__ = ["Lifecycles"]

log = logging.getLogger(__name__)

_ALIVE: frozenset[Lifecycle] = frozenset({"provisioning", "ready", "running", "idle", "paused"})
_AT_REST: frozenset[Lifecycle] = frozenset({"ready", "idle", "paused"})
_CLEAN_UP_LIMIT_S = 10


class Lifecycles:
    """Moves sessions from one state to the next."""

    def __init__(self, context: Context, placement: Placement) -> None:
        self._context = context
        self._placement = placement
        self._opening = Opening(context)
        self._policies = Policies(context)
        self._reachable = Reachable(context)

    async def create(self, request: CreateSession, *, parent: StoredSession | None = None) -> SessionEnvelope:
        """Open a session, with a sandbox unless it is memory alone."""
        async with self._opening.admitted(request) as admitted:
            return await self._create(await self._policies.applied(admitted), parent)

    async def _create(self, request: CreateSession, parent: StoredSession | None) -> SessionEnvelope:
        started = self._context.clock.monotonic()
        session = self._new_session(request, parent)
        task = [NewEntry(role="user", content=request.task)] if request.task else []
        now = self._context.clock.now()
        drafts = self._context.journal.drafts(task, at=now)
        session = await self._context.rows.sessions.create(session, drafts)
        if request.is_transcript_only:
            return views.envelope(session, now)
        brought = _brought(request)
        try:
            if brought is not None:
                await self._reachable.bring(session.id, *brought)
            canary = await self._policies.canary(request.project_slug)
            place = await self._placement.place(session.id, _advice(request), _choice(request), canary=canary)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
                await self._context.rows.sessions.delete(session.id)
                if brought is not None:
                    await self._reachable.forget(session.id, brought[0])
            raise
        elapsed_ms = (self._context.clock.monotonic() - started) * 1_000
        return await self._settle(session, place, provision_ms=round(elapsed_ms, 3), is_own=brought is not None)

    def _new_session(self, request: CreateSession, parent: StoredSession | None) -> StoredSession:
        now_us = self._context.now_us()
        began_us = now_us if request.created_at is None else min(to_us(request.created_at), now_us)
        masking = self._context.masking
        source = request.metadata.get("source")
        return StoredSession(
            id=request.session_id or new_session_id(),
            state="ready" if request.is_transcript_only else "provisioning",
            created_at_us=began_us,
            updated_at_us=began_us,
            name=masking.text(request.session_name) if request.session_name else None,
            session_type="transcript" if request.is_transcript_only else request.session_type,
            workload=request.workload,
            task=masking.text(request.task),
            harness=request.harness,
            source=source if isinstance(source, str) else None,
            project=request.project_slug,
            parent_id=parent.id if parent else None,
            requirements=request.requirements.model_dump(mode="json", exclude_unset=True),
            policy=request.policy.model_dump(mode="json"),
            metadata=masking.object(request.metadata),
        )

    async def _settle(
        self, session: StoredSession, place: Place, *, provision_ms: float | None = None, is_own: bool = False
    ) -> SessionEnvelope:
        """Write down where the session stands; a sandbox that cannot be written down is destroyed again."""
        change = SessionChange(
            state="ready",
            updated_at_us=self._context.now_us(),
            provider=place.provider.name,
            compute_id=place.sandbox.compute_id,
            sandbox=sandbox_to_json(place.sandbox) | ({OWN: True} if is_own else {}),
            routing=place.routing.model_dump(mode="json"),
            from_states=frozenset({session.state}),
        )
        delta = MetricDelta(provision_ms=provision_ms, cost_micro_usd=_cost_micro_usd(place))
        try:
            settled = await self._context.rows.sessions.change(session.id, change, delta)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
                await place.provider.destroy(place.sandbox)
            raise
        isolation = await place.provider.isolation(place.sandbox)
        return views.envelope(settled, self._context.clock.now(), isolation=isolation)

    async def spawn(self, parent_id: str, request: SpawnSession) -> SessionEnvelope:
        """Open a child on the parent's compute, or on another, in a workspace of its own."""
        parent = await self._context.rows.sessions.get(parent_id)
        inherited = ComputeChoice(provider=parent.provider) if parent.provider else None
        target = request.target_compute_id
        compute = ComputeChoice(compute_id=target) if target else inherited
        child = CreateSession(
            session_name=request.session_name,
            task=request.task,
            # A session that began as memory alone may have been given a compute since.
            session_type="general" if compute and parent.session_type == "transcript" else parent.session_type,
            workload=parent.workload,
            harness=parent.harness,
            compute=compute,
            requirements=Requirements.model_validate(parent.requirements),
            policy=Policy.model_validate(parent.policy),
            metadata={**_inherited_metadata(parent), **request.metadata},
            project_slug=parent.project,
        )
        return await self.create(child, parent=parent)

    async def pause(self, session_id: str) -> SessionEnvelope:
        """Free the sandbox's processes."""
        session = await self._context.rows.sessions.get(session_id)
        if session.sandbox is None and session.state in _ALIVE:
            raise SessionStateConflict(
                f"session {session_id} has no compute to free: it can rest as it is", state=session.state
            )
        if session.state in _ALIVE:
            await self._check_pausable(session)
        paused = await self._move(session, "paused", frozenset(_ALIVE - {"provisioning"}), "pause")
        await self._end_processes(paused)
        return views.envelope(paused, self._context.clock.now())

    async def _check_pausable(self, session: StoredSession) -> None:
        provider = await self._reachable.named(str(session.provider), session)
        if not isinstance(provider, Pausable):
            raise NotSupported(
                f"{provider.name} cannot pause a sandbox here: nothing would keep its files. Let session {session.id} "
                "run on, terminate it, or move it to another compute with its workspace",
                provider=provider.name,
            )

    async def resume(self, session_id: str) -> SessionEnvelope:
        """Make a session ready again; one that runs or is ready stays so."""
        session = await self._context.rows.sessions.get(session_id)
        if session.sandbox is None and session.state in _ALIVE:
            raise SessionStateConflict(
                f"session {session_id} is memory alone: there is nothing to resume; append to it, or give it a "
                f"compute over HTTP (POST /v2/sessions/{session_id}/compute)",
                state=session.state,
            )
        if session.state == "running":
            return views.envelope(session, self._context.clock.now())
        if session.state in _ALIVE:
            provider = await self._reachable.named(str(session.provider), session)
            if isinstance(provider, Pausable):
                await provider.resume(sandbox_from_json(session))
        resumed = await self._move(session, "ready", _AT_REST, "resume")
        return views.envelope(resumed, self._context.clock.now())

    async def attach(self, session_id: str, request: AttachCompute) -> SessionEnvelope:
        """Make the new sandbox, put it under the session, destroy the old one; the same compute changes nothing."""
        session = await self._context.rows.sessions.get(session_id)
        if session.state not in _AT_REST:
            raise SessionStateConflict(
                f"session {session_id} is {session.state}: its compute can be changed only while it rests",
                state=session.state,
            )
        if request.compute is None:
            change = SessionChange(
                state="ready", provider=None, compute_id=None, sandbox=None, from_states=frozenset({session.state})
            )
            moved = await self._context.rows.sessions.change(session_id, change)
            answer = views.envelope(moved, self._context.clock.now())
        elif request.compute.credentials:
            raise NotSupported(
                "credentials come with the making of a session alone: give them with POST /v2/account/providers"
            )
        elif await self._placement.choose(request.compute) == session.provider:
            return views.envelope(await self._move(session, "ready", _AT_REST, "attach"), self._context.clock.now())
        else:
            answer = await self._moved(session, request)
        await Left(self._context).destroy(session)
        return answer

    async def _moved(self, session: StoredSession, request: AttachCompute) -> SessionEnvelope:
        """Put a session on another compute, with its files if they are to come along; a move that fails leaves it."""
        old = sandbox_from_json(session) if session.sandbox is not None and request.carry_workspace else None
        source = await self._reachable.named(str(session.provider), session) if old else None
        if old is not None and source is not None:
            await carrying.awake(source, old)
            await carrying.check_size(source, old, max_bytes=request.max_carry_bytes)
        place = await self._placement.place(session.id, _advice_for(session), request.compute)
        carried = None
        if old is not None and source is not None:
            try:
                carried = await carrying.carry(source, old, place.provider, place.sandbox)
            except BaseException:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
                    await place.provider.destroy(place.sandbox)
                raise
        settled = await self._settle(session, place)
        return settled.model_copy(update={"carried": carried})

    async def terminate(self, session_id: str, *, delete_workspace: bool) -> SessionEnvelope:
        """End a session; one that ended before stays as it was, but for a workspace that is to go now."""
        session = await self._context.rows.sessions.get(session_id)
        now_us = self._context.now_us()
        delete_at_us = now_us if delete_workspace else _workspace_delete_at_us(session, now_us)
        if session.state in _ALIVE:
            change = SessionChange(
                state="terminated",
                end_reason="terminated",
                ended_at_us=now_us,
                updated_at_us=now_us,
                workspace_delete_at_us=delete_at_us,
                from_states=_ALIVE,
            )
            session = await self._context.rows.sessions.change(session_id, change)
            self._context.feed.wake(session_id)
            await self._learn_minutes(session, now_us)
            if not await self._is_within_reach(session):
                return views.envelope(session, self._context.clock.now())
            if not await self._end_processes(session):
                delete_at_us = now_us  # what cannot be paused would run on, and cost, until then
        if session.sandbox is not None and delete_at_us is not None and delete_at_us <= now_us:
            await self._destroy(session)
            session = await self._context.rows.sessions.change(session_id, SessionChange(sandbox=None))
        return views.envelope(session, self._context.clock.now())

    async def _is_within_reach(self, session: StoredSession) -> bool:
        """Tell whether a session that ended can be cleared away now; else a sweep does it when credentials are back."""
        if session.sandbox is None or session.provider is None:
            return True
        try:
            await self._reachable.named(session.provider, session)
        except NoComputeAvailable:
            log.warning("session %s ended; its sandbox on %s is out of reach", session.id, session.provider)
            return False
        return True

    async def _learn_minutes(self, session: StoredSession, now_us: int) -> None:
        """Let the advisor know how long such work keeps a sandbox; on the user's own machine nobody counts that."""
        if session.provider not in {None, "local"}:
            minutes = (now_us - session.created_at_us) / 60_000_000
            await self._placement.observations.add_minutes(session.workload, minutes)

    async def _move(
        self, session: StoredSession, state: Lifecycle, from_states: frozenset[Lifecycle], verb: str
    ) -> StoredSession:
        if session.state not in from_states:
            raise SessionStateConflict(
                f"session {session.id} is {session.state}: there is nothing to {verb}", state=session.state
            )
        change = SessionChange(state=state, updated_at_us=self._context.now_us(), from_states=from_states)
        return await self._context.rows.sessions.change(session.id, change)

    async def _end_processes(self, session: StoredSession) -> bool:
        """Free what the sandbox uses and keep its files; false where the provider cannot."""
        if session.sandbox is None or session.provider is None:
            return True
        provider = await self._reachable.named(session.provider, session)
        if not isinstance(provider, Pausable):
            return False
        await provider.pause(sandbox_from_json(session))
        return True

    async def _destroy(self, session: StoredSession) -> None:
        if session.sandbox is None or session.provider is None:
            return
        provider = await self._reachable.named(session.provider, session)
        await provider.destroy(sandbox_from_json(session))
        if session.sandbox.get(OWN) is True:
            await self._reachable.forget(session.id, session.provider)


def _advice(request: CreateSession) -> RecommendRequest:
    return RecommendRequest(
        task=request.task,
        workload=request.workload,
        repo=request.repo,
        requirements=request.requirements,
        policy=request.policy,
        metadata=request.metadata,
        canary=request.canary,
    )


def _cost_micro_usd(place: Place) -> int | None:
    """Give what making the sandbox cost so far: the canary; null where nothing is known."""
    probed = place.routing.canary
    if probed is not None and probed.cost_usd is not None:
        return round(probed.cost_usd * 1_000_000)
    return 0 if place.provider.name == "local" else None


def _advice_for(session: StoredSession) -> RecommendRequest:
    return RecommendRequest(
        task=session.task,
        workload=session.workload,
        requirements=Requirements.model_validate(session.requirements),
        policy=Policy.model_validate(session.policy),
    )


def _choice(request: CreateSession) -> ComputeChoice | None:
    if request.compute is None and request.target_compute_id is not None:
        return ComputeChoice(compute_id=request.target_compute_id)
    return request.compute


def _brought(request: CreateSession) -> tuple[str, Mapping[str, str]] | None:
    """Find the credentials that a request brings, and for which provider.

    Raises:
        InvalidInput: it does not name the provider.
    """
    choice = request.compute
    if choice is None or not choice.credentials:
        return None
    name = choice.provider or str(choice.compute_id or "").removeprefix("provider_")
    if not name or (choice.provider is None and not str(choice.compute_id).startswith("provider_")):
        raise InvalidInput("credentials need the provider that they are for: name it in compute.provider")
    return name, choice.credentials


def _inherited_metadata(parent: StoredSession) -> dict[str, str]:
    return {"source": parent.source} if parent.source else {}


def _workspace_delete_at_us(session: StoredSession, now_us: int) -> int | None:
    level = Requirements.model_validate(session.requirements).persistence_level
    if level == "high":
        return None
    return now_us if level == "low" else to_us(from_us(now_us) + timedelta(hours=24))
