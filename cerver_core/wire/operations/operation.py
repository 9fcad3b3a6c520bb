"""What an operation over HTTP is, and the words that several resources' operations use."""

from dataclasses import dataclass
from typing import Literal

from cerver_core.errors import CerverError, SessionNotFound, SessionStateConflict
from cerver_core.wire.model import Reply, Request

__all__ = ["BINARY", "EVENTS", "JSON", "OLD_SESSION", "SESSION", "STATE", "TAR", "Operation"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

JSON = "application/json"
EVENTS = "text/event-stream"
"""Server-sent events: `event:` is the event's `type` (or `entry`), `data:` its JSON on one line, `id:` an entry's seq.

A comment line comes at least every 15 seconds. A failure is `event: error` with a problem body. A transcript closes
with `event: end`.
"""
BINARY = "application/octet-stream"
TAR = "application/x-tar"
"""A folder: an uncompressed pax archive with names relative to the folder.

One that is downloaded carries its `FolderReport` as JSON in the archive's own pax header `CERVER.report`.
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation over HTTP.

    `query` is sent in the URL, `body` as JSON unless `body_media` says otherwise; a body with a media and no model is
    bytes. `reply` is the model of the answer; with several, each is one kind of event of a stream.
    """

    name: str
    method: Method
    path: str
    summary: str
    query: type[Request] | None = None
    body: type[Request] | None = None
    body_media: str | None = None
    reply: tuple[type[Reply], ...] = ()
    reply_media: str | None = JSON
    status: int = 200
    errors: tuple[type[CerverError], ...] = ()
    aliases: tuple[str, ...] = ()
    is_open: bool = False
    """Answers without a key."""
    needs_no_key: bool = False
    """Answers without a key too, from what is public; with one, it is the account's own answer."""
    is_admin: bool = False
    """Asks for the scope `admin`: keys, vaults, credentials of providers."""
    shows_secret: bool = False
    """The answer holds a secret that is shown once, and is therefore never kept."""

    @property
    def scope(self) -> Literal["read", "write", "admin"]:
        """Tell which right a key must have."""
        if self.is_admin:
            return "admin"
        return "read" if self.method == "GET" else "write"

    @property
    def streams(self) -> bool:
        """Tell whether the answer comes as server-sent events."""
        return self.reply_media == EVENTS


SESSION = "/v2/sessions/{session_id}"
OLD_SESSION = "/gateway/sessions/{session_id}"
STATE: tuple[type[CerverError], ...] = (SessionNotFound, SessionStateConflict)
"""How a call to one session can fail."""
