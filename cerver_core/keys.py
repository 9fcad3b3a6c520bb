"""API keys as text: how one is made, read and shown, and what is kept of it. Knows no store and no account.

A key is `ck_` (secret) or `pk_` (publishable), 16 characters of key id, `_`, 43 characters of secret (32 random bytes)
and 6 characters of checksum, so that a typing mistake, or a text that is no key, is noticed without asking anyone.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["KeyKind", "KeyText", "make_key", "parse_key", "prefix_of", "same_hash"]

KeyKind = Literal["secret", "publishable"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARACTERS = 16  # 95 bits: never two alike, and no secret
_SECRET_CHARACTERS = 43  # 256 bits
_CHECKSUM_CHARACTERS = 6
_WORD: dict[KeyKind, str] = {"secret": "ck", "publishable": "pk"}
_KIND: dict[str, KeyKind] = {"ck": "secret", "pk": "publishable"}
_SHAPE = re.compile(
    f"(ck|pk)_([0-9A-Za-z]{{{_ID_CHARACTERS}}})_([0-9A-Za-z]{{{_SECRET_CHARACTERS}}})([0-9A-Za-z]{{6}})"
)


@dataclass(frozen=True, slots=True)
class KeyText:
    """One key taken apart. The secret shows in no repr."""

    kind: KeyKind
    key_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, as its owner sees it once."""
        body = f"{_WORD[self.kind]}_{self.key_id}_{self.secret}"
        return body + _checksum(body)

    @property
    def prefix(self) -> str:
        """The part that may be shown: kind and key id."""
        return prefix_of(self.kind, self.key_id)

    @property
    def last4(self) -> str:
        """The last four characters, by which an owner knows it again."""
        return self.text[-4:]

    def hash(self, pepper: bytes) -> str:
        """Give what is kept in place of the secret: HMAC-SHA-256 under a key of the server, in hexadecimal.

        No slow hash: 256 random bits cannot be guessed, and a slow one would be a way to overload the server.
        """
        return hmac.digest(pepper, f"{self.kind}:{self.key_id}:{self.secret}".encode(), hashlib.sha256).hex()


def make_key(kind: KeyKind) -> KeyText:
    """Make a new key."""
    return KeyText(kind, _random(_ID_CHARACTERS), _base62(secrets.token_bytes(32), _SECRET_CHARACTERS))


def parse_key(text: str) -> KeyText | None:
    """Take a key apart; null for a text that is none, or whose checksum is wrong."""
    found = _SHAPE.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(text[:-_CHECKSUM_CHARACTERS]), found[4]):
        return None
    return KeyText(_KIND[found[1]], found[2], found[3])


def prefix_of(kind: KeyKind, key_id: str) -> str:
    """Write the part of a key that may be shown."""
    return f"{_WORD[kind]}_{key_id}"


def same_hash(one: str, other: str) -> bool:
    """Compare two hashes in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()).to_bytes(4, "big"), _CHECKSUM_CHARACTERS)


def _base62(data: bytes, characters: int) -> str:
    number = int.from_bytes(data, "big")
    letters: list[str] = []
    for _ in range(characters):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))
