"""Routing policies of the account and its projects: kept, read, and applied to what a caller leaves open."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from cerver_core.advisor.rules import Circumstances, Routed, notes, route
from cerver_core.engine.context import Context
from cerver_core.errors import Forbidden, NotFound
from cerver_core.policies import SLUGS, community_policy
from cerver_core.stores.base import SessionChange, StoredSession
from cerver_core.stores.records import RecordStore
from cerver_core.wire.computes import ComputeChoice
from cerver_core.wire.policies import (
    CanarySetting,
    CommunityPolicies,
    CommunityPolicy,
    Consume,
    PolicyReply,
    PutPolicy,
    RoutingPolicy,
)
from cerver_core.wire.sessions import CreateSession

__all__ = ["ROUTED", "Policies"]

ROUTED = "routing_policy"
"""The key of a session's metadata under which the rule in use stands, and what it may choose: harness, model."""

_KIND = "routing.policy"
_ACCOUNT = "account"
_PROJECT = "project"


class Policies:
    """The policies of one account. A project's comes before the account's; what a caller chose beats both."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _records(self) -> RecordStore:
        return self._context.rows.records

    async def read(self, project: str | None = None) -> PolicyReply:
        """Read the account's, or a project's."""
        if project is not None:
            await self._check(project)
        return _reply(await self._kept(_id(project)))

    async def put(self, request: PutPolicy, project: str | None = None) -> PolicyReply:
        """Set it, or clear it."""
        if project is not None:
            await self._check(project)
        elif self._context.tenant.project is not None:
            raise Forbidden(
                f"this key is bound to project {self._context.tenant.project}: set the project's own policy"
            )
        if request.routing_policy is None:
            await self._records.delete(_KIND, _id(project))
            return PolicyReply()
        data: Mapping[str, JsonValue] = request.routing_policy.model_dump(mode="json", exclude_unset=True)
        await self._records.put(_KIND, _id(project), data, now_us=self._context.now_us())
        return _reply(request.routing_policy)

    def community(self) -> CommunityPolicies:
        """List those that come with Cerver."""
        return CommunityPolicies(
            policies=tuple(CommunityPolicy(slug=slug, routing_policy=community_policy(slug)) for slug in SLUGS)
        )

    async def in_force(self, project: str | None) -> RoutingPolicy | None:
        """Give the policy that holds for a project's sessions, or for those of none."""
        own = None if project is None else await self._kept(_id(project))
        return own or await self._kept(_ACCOUNT)

    async def canary(self, project: str | None) -> CanarySetting | None:
        """Give the setting of canaries that holds for a project's sessions, or for those of none."""
        policy = await self.in_force(project)
        return None if policy is None else policy.canary

    async def choose(self, project: str | None, now: Circumstances) -> Routed | None:
        """Say where the policy in force leads; null where there is none. For whoever starts a turn."""
        policy = await self.in_force(project)
        return None if policy is None else route(policy, now)

    async def applied(self, request: CreateSession) -> CreateSession:
        """Fill in what the caller left open of a new session: harness, model, compute."""
        policy = await self.in_force(request.project_slug)
        if policy is None:
            return request
        now = Circumstances(request.metadata, prompt_chars=len(request.task))
        routed = route(policy, now)
        changes: dict[str, object] = {}
        metadata = dict(request.metadata)
        left_open: list[JsonValue] = []
        if request.harness is None and "cli_tool" not in metadata:
            left_open.append("harness")
            changes["harness"] = routed.route.harness
        if request.harness is None and "cli_model" not in metadata:
            left_open.append("model")
            if routed.route.model is not None:
                metadata["cli_model"] = routed.route.model
        metadata[ROUTED] = {"name": routed.policy, "rule": routed.rule, "chooses": left_open}
        changes["metadata"] = metadata
        if not _says_where(request):
            changes.update(_compute(request, routed, policy))
        return request.model_copy(update=changes)

    async def at_turn(self, session: StoredSession, prompt: str, change: SessionChange) -> SessionChange:
        """Add to what a turn changes the harness and the model that another rule leads to now.

        Only what the policy may choose: what the caller left open, and nobody switched since. A session moves to
        another compute only when it is told to: its processes and files are there.
        """
        routed_before = session.metadata.get(ROUTED)
        chooses = routed_before.get("chooses") if isinstance(routed_before, dict) else None
        if not isinstance(routed_before, dict) or not isinstance(chooses, list) or not chooses:
            return change
        now = Circumstances(session.metadata, len(prompt), turns=session.counters.user_entry_count)
        routed = await self.choose(session.project, now)
        if routed is None or (routed.policy, routed.rule) == (routed_before.get("name"), routed_before.get("rule")):
            return change
        merged: dict[str, JsonValue] = {ROUTED: {"name": routed.policy, "rule": routed.rule, "chooses": chooses}}
        if "model" in chooses:
            merged["cli_model"] = routed.route.model
        if "harness" in chooses and routed.route.harness is not None:
            change = replace(change, harness=routed.route.harness)
        return replace(change, metadata_merge=self._context.masking.object(merged))

    async def _kept(self, record_id: str) -> RoutingPolicy | None:
        record = await self._records.get(_KIND, record_id, now_us=self._context.now_us())
        return None if record is None else RoutingPolicy.model_validate(record.data)

    async def _check(self, project: str) -> None:
        is_hidden = self._context.tenant.project not in {None, project}
        found = await self._records.get(_PROJECT, project, now_us=self._context.now_us())
        if is_hidden or (found is None and self._context.tenant.hosting is not None):
            raise NotFound(f"there is no project {project!r}: list the projects to see those there are")


def _reply(policy: RoutingPolicy | None) -> PolicyReply:
    return PolicyReply(routing_policy=policy, notes=() if policy is None else tuple(notes(policy)))


def _id(project: str | None) -> str:
    return _ACCOUNT if project is None else f"project:{project}"


def _says_where(request: CreateSession) -> bool:
    chosen = request.compute is not None or request.target_compute_id is not None
    return chosen or request.is_transcript_only or request.policy.mode == "pinned"


def _compute(request: CreateSession, routed: Routed, policy: RoutingPolicy) -> dict[str, object]:
    """Turn what a policy says of computes into a choice, or into what the advisor is to keep to."""
    place = routed.route.compute
    if place is not None:
        is_id = place.startswith(("comp_", "cmp_", "provider_"))
        return {"compute": ComputeChoice(compute_id=place) if is_id else ComputeChoice(provider=place)}
    consume = policy.compute.consume if policy.compute else None
    if consume is None:
        return {}
    return {"policy": request.policy.model_copy(update=_limits(request, consume))}


def _limits(request: CreateSession, consume: Consume) -> dict[str, object]:
    limits: dict[str, object] = {}
    if consume.providers and request.policy.allowed_providers is None:
        limits["allowed_providers"] = consume.providers
    if consume.order and "mode" not in request.policy.model_fields_set:
        limits["order"] = consume.order
    return limits
