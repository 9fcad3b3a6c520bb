"""The contract: what Cerver can do, as one protocol per resource.

`cerver_core.engine` does it on this machine; `cerver_core.client` asks a gateway for it. Nobody above knows which.
A session is named by its full id in every method; `Sessions.resolve` turns a prefix or a name into one.
"""

from cerver_core.api.cerver import Cerver
from cerver_core.api.computes import Computes, ExecStream
from cerver_core.api.files import Files
from cerver_core.api.host import Caller, Host
from cerver_core.api.routing import RoutingAdvice
from cerver_core.api.sessions import Sessions
from cerver_core.api.transcripts import Transcripts

__all__ = ["Caller", "Cerver", "Computes", "ExecStream", "Files", "Host", "RoutingAdvice", "Sessions", "Transcripts"]
