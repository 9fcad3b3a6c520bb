"""Identifiers: how they are made and what they look like.

Session ids are UUIDs of 36 characters: the public command-line client takes anything of 32 characters or more for a
full id and matches shorter ones by prefix. They are random (version 4), so that eight characters are unique enough
to type; order comes from time stamps, never from ids.
"""

import hashlib
import uuid

__all__ = ["compute_id", "new_session_id", "new_tool_id"]


def new_session_id() -> str:
    """Make a session id: a random UUID, 36 characters."""
    return str(uuid.uuid4())


def new_tool_id() -> str:
    """Make the id that ties a `tool_use` entry to its `tool_result`: `tool_` and 16 hexadecimal digits."""
    return "tool_" + uuid.uuid4().hex[:16]


def compute_id(provider: str, place: str) -> str:
    """Name a compute: `comp_` and 16 hexadecimal digits, the same for the same provider and place every time."""
    return "comp_" + hashlib.sha256(f"{provider}\0{place}".encode()).hexdigest()[:16]
