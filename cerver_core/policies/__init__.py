"""Routing policies to start from, one readable file each; choosing by one is the advisor's."""

from importlib.resources import files

from cerver_core.wire.policies import RoutingPolicy

__all__ = ["SLUGS", "community_policy"]

SLUGS = ("frugal-coder", "escalate-on-struggle", "second-opinion")
"""The policies that come with Cerver, by their file's name."""


def community_policy(slug: str) -> RoutingPolicy:
    """Read one of them.

    Raises:
        KeyError: there is none by this name.
    """
    if slug not in SLUGS:
        raise KeyError(slug)
    text = (files("cerver_core.policies") / f"{slug}.json").read_text("utf-8")
    return RoutingPolicy.model_validate_json(text)
