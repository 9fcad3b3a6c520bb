"""Encryption of what customers entrust to a gateway, under a master key; knows no store and no record.

Every row has a data key of its own (AES-256-GCM), which is itself sealed under a master key; the master key's id
stands in the row. What is sealed is bound to its account, row and field: moved elsewhere, it does not open.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from cerver_core.errors import ConfigurationError, NotSupported, StoreCorrupt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["MASTER_KEY_FILE", "Sealer", "add_master_key", "held_key_ids", "load_sealer", "read_master_keys"]

MASTER_KEY_FILE = "master.key"
"""The file under `CERVER_HOME` that holds the master keys when `CERVER_MASTER_KEY` does not: the newest first."""

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = 1
_DATA_KEY = "data key"


class Sealer:
    """Seals and opens under the first master key; opens under each of them.

    `reread` reads the keys again when one is missing: another process may have rotated them.
    """

    def __init__(self, keys: Sequence[bytes], *, reread: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._reread = reread
        self._use(keys)

    def _use(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_id_of(key): _cipher(key) for key in keys}
        self._ids = tuple(self._ciphers)

    @property
    def key_id(self) -> str:
        """The id of the master key that new rows are sealed under."""
        return self._ids[0]

    def __repr__(self) -> str:
        return f"Sealer({', '.join(self._ids)})"

    def seal(self, account_id: str, row_id: str, fields: Mapping[str, str]) -> dict[str, JsonValue]:
        """Seal the fields of one row; the answer is JSON to be kept, and says nothing but the fields' names."""
        data_key = secrets.token_bytes(_KEY_BYTES)
        cipher = _cipher(data_key)
        sealed: dict[str, JsonValue] = {
            name: _encrypt(cipher, value.encode(), _bound(account_id, row_id, name)) for name, value in fields.items()
        }
        wrapped = _encrypt(self._ciphers[self.key_id], data_key, _bound(account_id, row_id, _DATA_KEY))
        return {"v": _VERSION, "key": self.key_id, "data_key": wrapped, "fields": sealed}

    def open(self, account_id: str, row_id: str, sealed: Mapping[str, JsonValue]) -> dict[str, str]:
        """Open the fields of one row.

        Raises:
            ConfigurationError: it was sealed under a master key that is not here.
            StoreCorrupt: it was altered, or belongs to another row or account.
        """
        cipher = _cipher(self._data_key(account_id, row_id, sealed))
        fields = sealed.get("fields")
        opened = fields.items() if isinstance(fields, Mapping) else ()
        return {name: _decrypt(cipher, value, _bound(account_id, row_id, name)).decode() for name, value in opened}

    def rewrap(self, account_id: str, row_id: str, sealed: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
        """Seal a row's data key under the first master key; null when it is already. The fields stay as they are."""
        if sealed.get("key") == self.key_id:
            return None
        data_key = self._data_key(account_id, row_id, sealed)
        wrapped = _encrypt(self._ciphers[self.key_id], data_key, _bound(account_id, row_id, _DATA_KEY))
        return {**sealed, "key": self.key_id, "data_key": wrapped}

    def _data_key(self, account_id: str, row_id: str, sealed: Mapping[str, JsonValue]) -> bytes:
        key_id = str(sealed.get("key"))
        if key_id not in self._ciphers and self._reread is not None:
            self._use(self._reread())
        if key_id not in self._ciphers:
            raise ConfigurationError(
                f"what is stored was sealed under master key {key_id}, and this gateway has {', '.join(self._ids)}: "
                f"give it in CERVER_MASTER_KEY or in {MASTER_KEY_FILE}, behind the newest"
            )
        return _decrypt(self._ciphers[key_id], sealed.get("data_key"), _bound(account_id, row_id, _DATA_KEY))


def load_sealer(environ: Mapping[str, str], home: Path) -> Sealer:
    """Read the master keys, or make the file with a first one.

    Raises:
        ConfigurationError: a key is not 32 bytes in base64, or the file can be read by others.
        NotSupported: the part that encrypts is not installed.
    """
    read = partial(read_master_keys, environ, home)
    return Sealer(read(), reread=read)


def read_master_keys(environ: Mapping[str, str], home: Path) -> tuple[bytes, ...]:
    """Read `CERVER_MASTER_KEY` (several with commas between, the newest first), else the file; make it if need be."""
    given = environ.get("CERVER_MASTER_KEY")
    if given:
        return tuple(_key(word, "CERVER_MASTER_KEY") for word in given.split(","))
    path = home / MASTER_KEY_FILE
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _write_new(path, [secrets.token_bytes(_KEY_BYTES)])
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others: make it 0600, and rotate the key it holds")
    return tuple(_key(line, str(path)) for line in path.read_text("utf-8").splitlines() or [""])


def held_key_ids(environ: Mapping[str, str], home: Path) -> frozenset[str]:
    """Tell the ids of the master keys that are here; makes none."""
    if not environ.get("CERVER_MASTER_KEY") and not (home / MASTER_KEY_FILE).exists():
        return frozenset()
    return frozenset(map(_id_of, read_master_keys(environ, home)))


def add_master_key(home: Path) -> None:
    """Put a new master key before those in the file; the older ones stay, to open what they sealed."""
    path = home / MASTER_KEY_FILE
    keys = read_master_keys({}, home)
    fresh = path.with_name(f"{MASTER_KEY_FILE}.{secrets.token_hex(4)}")
    _write_new(fresh, [secrets.token_bytes(_KEY_BYTES), *keys])
    fresh.replace(path)


def _write_new(path: Path, keys: Sequence[bytes]) -> None:
    """Write a file that was not there, for this user alone; a reader sees all of it or none."""
    text = "".join(base64.b64encode(key).decode() + "\n" for key in keys)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()


def _key(word: str, where: str) -> bytes:
    try:
        key = base64.b64decode(word.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"{where} must hold 32 random bytes in base64, as `openssl rand -base64 32` gives them"
        )
    return key


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"cerver master key\0" + key).hexdigest()[:8]


def _bound(account_id: str, row_id: str, field: str) -> bytes:
    return "\0".join((str(_VERSION), account_id, row_id, field)).encode()


def _cipher(key: bytes) -> "AESGCM":
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only a gateway needs it
    except ImportError as error:
        raise NotSupported(
            "encryption is not installed: install Cerver with its extra, `pip install 'cerver-mcp[gateway]'`"
        ) from error
    return AESGCM(key)


def _encrypt(cipher: "AESGCM", data: bytes, bound: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + cipher.encrypt(nonce, data, bound)).decode()


def _decrypt(cipher: "AESGCM", text: JsonValue, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only a gateway needs it

    try:
        data = base64.b64decode(str(text), validate=True)
        return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise StoreCorrupt(
            "a sealed credential does not open: it was altered, or copied from another row or account; enter it again"
        ) from error
