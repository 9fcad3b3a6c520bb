"""The operations of routing."""

from cerver_core.wire import routing
from cerver_core.wire.operations.operation import JSON, Operation

__all__ = ["ROUTING"]

ROUTING = (
    Operation(
        "routing.recommend",
        "POST",
        "/gateway/recommend",
        "Advise where work should run; having nothing to recommend is an answer.",
        body=routing.RecommendRequest,
        body_media=JSON,
        reply=(routing.Recommendation,),
        aliases=("/v2/recommend",),
    ),
)
