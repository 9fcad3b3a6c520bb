"""Routing, over HTTP: advice, the catalog of providers, stress tests, policies."""

from collections.abc import Mapping

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.policies import PutPolicy
from cerver_core.wire.routing import RecommendRequest
from cerver_core.wire.stress import StressRequest

__all__ = ["HANDLERS"]


async def _recommend(call: Call) -> Answer:
    return await call.cerver.routing.recommend(call.body(RecommendRequest))


async def _providers(call: Call) -> Answer:
    return await call.cerver.routing.providers()


async def _stress_test(call: Call) -> Answer:
    return await call.cerver.routing.stress_test(call.body(StressRequest))


async def _policy(call: Call) -> Answer:
    return await call.cerver.routing.policy()


async def _put_policy(call: Call) -> Answer:
    return await call.cerver.routing.put_policy(call.body(PutPolicy))


async def _project_policy(call: Call) -> Answer:
    return await call.cerver.routing.project_policy(call.parameters["slug"])


async def _put_project_policy(call: Call) -> Answer:
    return await call.cerver.routing.put_project_policy(call.parameters["slug"], call.body(PutPolicy))


async def _community_policies(call: Call) -> Answer:
    return await call.cerver.routing.community_policies()


HANDLERS: Mapping[str, Handler] = {
    "routing.recommend": _recommend,
    "routing.providers": _providers,
    "routing.stress_test": _stress_test,
    "routing.policy": _policy,
    "routing.put_policy": _put_policy,
    "routing.project_policy": _project_policy,
    "routing.put_project_policy": _put_project_policy,
    "routing.community_policies": _community_policies,
}
