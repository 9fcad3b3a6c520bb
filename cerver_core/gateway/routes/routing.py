"""Routing, over HTTP: advice, the catalog of providers, stress tests, policies.

What nobody's key came with is answered from published figures alone, and runs nothing.
"""

from collections.abc import Mapping
from uuid import uuid4

from cerver_core.advisor.published import published_advice, published_stress
from cerver_core.clock import to_us
from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.policies import PutPolicy
from cerver_core.wire.routing import RecommendRequest
from cerver_core.wire.stress import StressRequest

__all__ = ["HANDLERS"]


async def _recommend(call: Call) -> Answer:
    request = call.body(RecommendRequest)
    if call.caller is None and not request.canary:
        return published_advice(request, request_id=f"req_{uuid4().hex[:16]}", now_us=_now_us(call))
    return await call.cerver.routing.recommend(request)


async def _providers(call: Call) -> Answer:
    return await call.cerver.routing.providers()


async def _stress_test(call: Call) -> Answer:
    request = call.body(StressRequest)
    if call.caller is None and request.mode == "simulated":
        return published_stress(request, test_id=f"test_{uuid4().hex[:16]}", now_us=_now_us(call))
    return await call.cerver.routing.stress_test(request)


def _now_us(call: Call) -> int:
    return to_us(call.serving.rates.clock.now())


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
