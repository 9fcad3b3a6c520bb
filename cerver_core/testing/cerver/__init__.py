"""The contract suite of `cerver_core.api.Cerver`: whoever satisfies the protocol passes it, on either road.

Inherit `CerverContract` and override its `cerver` fixture with a road that has one compute named `local` and whose
secret backend answers `SECRET` for `SUITE_TOKEN`; pytest runs the rest. Every test gets a road without sessions.
"""

from cerver_core.testing.cerver.computes import ComputeContract
from cerver_core.testing.cerver.digests import DigestContract
from cerver_core.testing.cerver.redactions import RedactionContract
from cerver_core.testing.cerver.road import SECRET
from cerver_core.testing.cerver.routing import RoutingContract
from cerver_core.testing.cerver.search import SearchContract
from cerver_core.testing.cerver.sessions import SessionContract
from cerver_core.testing.cerver.transcripts import TranscriptContract
from cerver_core.testing.cerver.turns import TurnContract

__all__ = ["SECRET", "CerverContract"]


class CerverContract(
    SessionContract,
    TranscriptContract,
    TurnContract,
    ComputeContract,
    RoutingContract,
    SearchContract,
    DigestContract,
    RedactionContract,
):
    """All of it."""
