"""One provider that could be asked, as the advisor sees it."""

from dataclasses import dataclass

from cerver_core.advisor.history import History
from cerver_core.catalog.profile import ComputeProfile

__all__ = ["Candidate"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that could be asked: its profile, what was seen of it, and what stands in the way of running on it.

    `how_to` says what to do about that, in a few words.
    """

    profile: ComputeProfile
    not_executable_because: str | None = None
    history: History | None = None
    how_to: str | None = None

    @property
    def is_executable(self) -> bool:
        """Tell whether work can really run there now."""
        return self.not_executable_because is None
