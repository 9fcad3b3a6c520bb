"""The profiles of the providers that Cerver knows, by name; whether one works here and now is said elsewhere."""

from collections.abc import Mapping

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times
from cerver_core.catalog.profiles.cloudflare import CLOUDFLARE
from cerver_core.catalog.profiles.daytona import DAYTONA
from cerver_core.catalog.profiles.e2b import E2B
from cerver_core.catalog.profiles.machines import LOCAL, P69, RELAY
from cerver_core.catalog.profiles.modal import MODAL
from cerver_core.catalog.profiles.vercel import VERCEL

__all__ = ["PROFILES", "Boots", "ComputeProfile", "Fact", "Offers", "Source", "Times"]

PROFILES: Mapping[str, ComputeProfile] = {
    profile.name: profile for profile in (LOCAL, RELAY, P69, VERCEL, E2B, CLOUDFLARE, DAYTONA, MODAL)
}
"""By provider name, in the order in which they are shown."""
