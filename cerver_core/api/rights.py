"""What a key may ask: the one rule, for everyone who serves calls."""

from cerver_core.api.caller import Caller
from cerver_core.errors import Forbidden
from cerver_core.wire.operations import Operation

__all__ = ["OF_ALL", "PUBLIC", "check_rights"]

PUBLIC = frozenset(
    {"sessions.create", "sessions.get", "sessions.input", "sessions.run_llm", "account.whoami", "chat.public_config"}
)
"""What a publishable key may ask: to open a conversation and go on with one whose id it was given, no more.

Such a key stands in web pages for everyone to read, so it must not list or search what others said.
"""

OF_ALL = frozenset({"account.delete_key"})
"""What every secret key may ask, whatever its scopes: to revoke itself. That it is itself is seen to in the work."""


def check_rights(caller: Caller, operation: Operation, *, origin: str | None = None) -> None:
    """Let a call through, or refuse it; `origin` is the page that asks, as the browser says (null: none did).

    Raises:
        Forbidden: the key's scopes, kind or origins do not allow it; the message says which.
    """
    if operation.scope not in caller.scopes and operation.name not in OF_ALL:
        held = ", ".join(sorted(caller.scopes))
        raise Forbidden(
            f"this key may not {operation.name}: it needs the scope {operation.scope} and has {held}",
            needs=operation.scope,
        )
    if caller.kind != "publishable":
        return
    if operation.name not in PUBLIC:
        raise Forbidden(f"a publishable key may not {operation.name}: use a secret key on a server")
    if origin is None or origin.lower() not in caller.allowed_origins:
        raise Forbidden("this publishable key is not for this page: add the page's origin to the key's allowed_origins")
