"""The operations of routing."""

from cerver_core.errors import Forbidden, NoComputeAvailable, NotFound
from cerver_core.wire import policies, providers, routing, stress
from cerver_core.wire.operations.operation import JSON, Operation

__all__ = ["ROUTING"]

_PROJECT_POLICY = "/v2/projects/{slug}/routing-policy"
_OLD_PROJECT_POLICIES = ("/v2/apps/{slug}/routing-policy", "/v2/apps/{slug}/policy")

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
        needs_no_key=True,
    ),
    Operation(
        "routing.providers",
        "GET",
        "/gateway/providers",
        "List the providers: executable or not, what is missing, what was observed.",
        reply=(providers.ProviderCatalog,),
        aliases=("/v2/providers",),
    ),
    Operation(
        "routing.stress_test",
        "POST",
        "/gateway/stress-tests",
        "Compare providers by one kind of work, from estimates or by really running it.",
        body=stress.StressRequest,
        body_media=JSON,
        reply=(stress.StressReport,),
        errors=(NoComputeAvailable,),
        aliases=("/v2/stress-tests",),
        needs_no_key=True,
    ),
    Operation(
        "routing.policy",
        "GET",
        "/v2/account/routing-policy",
        "Read the account's routing policy.",
        reply=(policies.PolicyReply,),
    ),
    Operation(
        "routing.put_policy",
        "PUT",
        "/v2/account/routing-policy",
        "Set the account's routing policy; null clears it.",
        body=policies.PutPolicy,
        body_media=JSON,
        reply=(policies.PolicyReply,),
        errors=(Forbidden,),
    ),
    Operation(
        "routing.project_policy",
        "GET",
        _PROJECT_POLICY,
        "Read a project's routing policy.",
        reply=(policies.PolicyReply,),
        errors=(NotFound,),
        aliases=_OLD_PROJECT_POLICIES,
    ),
    Operation(
        "routing.put_project_policy",
        "PUT",
        _PROJECT_POLICY,
        "Set a project's routing policy; null clears it.",
        body=policies.PutPolicy,
        body_media=JSON,
        reply=(policies.PolicyReply,),
        errors=(NotFound,),
        aliases=_OLD_PROJECT_POLICIES,
    ),
    Operation(
        "routing.community_policies",
        "GET",
        "/v2/routing-policies",
        "List the routing policies that come with Cerver.",
        reply=(policies.CommunityPolicies,),
    ),
)
