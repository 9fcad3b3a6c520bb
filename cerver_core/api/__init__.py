"""The contract: what Cerver can do, as one protocol per resource.

`cerver_core.engine` does it on this machine; `cerver_core.client` asks a gateway for it. Nobody above knows which.
A session is named by its full id in every method; `Sessions.resolve` turns a prefix or a name into one.
"""

from cerver_core.api.account import Account, Admin
from cerver_core.api.caller import Caller
from cerver_core.api.cerver import Cerver
from cerver_core.api.computes import Computes, ExecStream
from cerver_core.api.files import Files
from cerver_core.api.host import Host
from cerver_core.api.logins import Logins
from cerver_core.api.projects import Projects
from cerver_core.api.routing import RoutingAdvice
from cerver_core.api.sessions import Sessions
from cerver_core.api.transcripts import Transcripts
from cerver_core.api.vaults import Vaults

__all__ = [
    "Account",
    "Admin",
    "Caller",
    "Cerver",
    "Computes",
    "ExecStream",
    "Files",
    "Host",
    "Logins",
    "Projects",
    "RoutingAdvice",
    "Sessions",
    "Transcripts",
    "Vaults",
]
