"""One caller's Cerver: every resource of the contract. No method anywhere takes an account id."""

from typing import Protocol

from cerver_core.api.account import Account, Admin
from cerver_core.api.computes import Computes
from cerver_core.api.files import Files
from cerver_core.api.projects import Projects
from cerver_core.api.routing import RoutingAdvice
from cerver_core.api.sessions import Sessions
from cerver_core.api.transcripts import Transcripts
from cerver_core.api.vaults import Vaults

__all__ = ["Cerver"]


class Cerver(Protocol):
    """All that one caller can ask."""

    @property
    def sessions(self) -> Sessions:
        """Open, find, pause, resume, spawn and end sessions."""
        ...

    @property
    def transcripts(self) -> Transcripts:
        """Append to transcripts, read and export them."""
        ...

    @property
    def computes(self) -> Computes:
        """Find places and run code in a session's sandbox."""
        ...

    @property
    def files(self) -> Files:
        """Move files in and out of a session's workspace."""
        ...

    @property
    def routing(self) -> RoutingAdvice:
        """Ask where work should run, and why."""
        ...

    @property
    def account(self) -> Account:
        """Keys, bills, limits, the audit trail."""
        ...

    @property
    def admin(self) -> Admin:
        """What the operator of a gateway does about accounts."""
        ...

    @property
    def projects(self) -> Projects:
        """Projects, their environments and repos."""
        ...

    @property
    def vaults(self) -> Vaults:
        """Connections to secret stores, and providers' credentials."""
        ...
