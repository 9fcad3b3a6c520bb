"""The rules for names of secrets, the same for every backend; needs no network and no environment."""

from cerver_core.errors import SecretNameInvalid, SecretReserved

__all__ = ["MAX_NAME_CHARS", "check_name", "quote_name", "refuse_reserved"]

MAX_NAME_CHARS = 255

_SHOWN_CHARS = 60


def check_name(name: object) -> str:
    """Give the name back when a backend may be asked for it.

    Raises:
        SecretNameInvalid: not text, empty, too long, with control characters or half a surrogate pair, or `.` or `..`,
            which mean another place in a URL and in a path.
    """
    if not isinstance(name, str):
        raise SecretNameInvalid(f"A secret's name must be text; this one is {type(name).__name__}")
    if not name:
        raise SecretNameInvalid("A secret's name must not be empty")
    if len(name) > MAX_NAME_CHARS:
        raise SecretNameInvalid(
            f"Secret name {quote_name(name)} has {len(name)} characters; at most {MAX_NAME_CHARS} are allowed"
        )
    if any(_is_control(character) for character in name):
        raise SecretNameInvalid(f"Secret name {quote_name(name)} holds characters that a name must not have")
    if name in {".", ".."}:
        raise SecretNameInvalid(f"{quote_name(name)} is not a secret's name")
    return name


def refuse_reserved(name: str) -> None:
    """Refuse the names of Cerver's own credentials, in any case of letters.

    Raises:
        SecretReserved: the name is one of them.
    """
    upper = name.upper()
    if upper in _RESERVED or upper.startswith(_RESERVED_PREFIXES):
        raise SecretReserved(f"Secret {quote_name(name)} is reserved: Cerver's own credentials are never served")


def quote_name(name: str) -> str:
    """Show a name in a message: quoted, cut when long, everything unprintable escaped."""
    return repr(name if len(name) <= _SHOWN_CHARS else name[:_SHOWN_CHARS] + "…")


def _is_control(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF


_RESERVED = frozenset({"CERVER_API_KEY", "CERVER_API_TOKEN", "CERVER_DATABASE_URL", "CERVER_MASTER_KEY"})
_RESERVED_PREFIXES = ("CERVER_SECRETS_", "INFISICAL_")
