"""Advice on where work should run, over HTTP."""

from collections.abc import Mapping

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.routing import RecommendRequest

__all__ = ["HANDLERS"]


async def _recommend(call: Call) -> Answer:
    return await call.cerver.routing.recommend(call.body(RecommendRequest))


HANDLERS: Mapping[str, Handler] = {"routing.recommend": _recommend}
