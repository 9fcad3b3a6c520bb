import base64
import json
from pathlib import Path

import pytest

from cerver_core.errors import ConfigurationError, StoreCorrupt
from cerver_core.keys import make_key, parse_key
from cerver_core.sealing import MASTER_KEY_FILE, Sealer, add_master_key, load_sealer

_KEY = bytes(range(32))
_OTHER = bytes(range(32, 64))


def test_what_is_sealed_opens_again_and_shows_nothing_but_names() -> None:
    sealed = Sealer([_KEY]).seal("acct_a", "ifc_1", {"token": "s3cret-väl", "empty": ""})
    assert "s3cret" not in json.dumps(sealed)
    assert set(sealed["fields"]) == {"token", "empty"}  # pyright: ignore[reportArgumentType]
    assert Sealer([_OTHER, _KEY]).open("acct_a", "ifc_1", sealed) == {"token": "s3cret-väl", "empty": ""}


@pytest.mark.parametrize(("account", "row"), [("acct_b", "ifc_1"), ("acct_a", "ifc_2")])
def test_a_row_copied_elsewhere_does_not_open(account: str, row: str) -> None:
    sealer = Sealer([_KEY])
    sealed = sealer.seal("acct_a", "ifc_1", {"token": "s3cret"})
    with pytest.raises(StoreCorrupt, match="copied from another row or account"):
        sealer.open(account, row, sealed)


def test_fields_that_changed_places_do_not_open() -> None:
    sealer = Sealer([_KEY])
    sealed = sealer.seal("acct_a", "ifc_1", {"token": "s3cret", "client_id": "me"})
    fields = sealed["fields"]
    assert isinstance(fields, dict)
    swapped = {**sealed, "fields": {"token": fields["client_id"], "client_id": fields["token"]}}
    with pytest.raises(StoreCorrupt):
        sealer.open("acct_a", "ifc_1", swapped)


def test_without_its_master_key_it_says_which_one_is_missing() -> None:
    sealed = Sealer([_KEY]).seal("acct_a", "ifc_1", {"token": "s3cret"})
    with pytest.raises(ConfigurationError, match=Sealer([_KEY]).key_id):
        Sealer([_OTHER]).open("acct_a", "ifc_1", sealed)


def test_rotation_changes_the_master_key_and_keeps_what_is_sealed() -> None:
    sealed = Sealer([_KEY]).seal("acct_a", "ifc_1", {"token": "s3cret"})
    moved = Sealer([_OTHER, _KEY]).rewrap("acct_a", "ifc_1", sealed)
    assert moved is not None
    assert moved["fields"] == sealed["fields"]
    assert Sealer([_OTHER]).open("acct_a", "ifc_1", moved) == {"token": "s3cret"}
    assert Sealer([_OTHER, _KEY]).rewrap("acct_a", "ifc_1", moved) is None


def test_the_key_file_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = load_sealer({}, home)
    path = home / MASTER_KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_sealer({}, home).key_id == first.key_id
    add_master_key(home)
    assert path.stat().st_mode & 0o777 == 0o600
    second = load_sealer({}, home)
    assert second.key_id != first.key_id
    assert second.open("a", "r", first.seal("a", "r", {"f": "v"})) == {"f": "v"}
    assert sorted(child.name for child in home.iterdir()) == [MASTER_KEY_FILE]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_sealer({}, tmp_path)
    (tmp_path / MASTER_KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        load_sealer({}, tmp_path)


@pytest.mark.parametrize("word", ["short", base64.b64encode(b"x" * 31).decode(), "ü" * 44, ","])
def test_a_master_key_that_cannot_be_one_is_refused_without_being_shown(word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CERVER_MASTER_KEY must hold 32 random bytes") as caught:
        load_sealer({"CERVER_MASTER_KEY": word}, tmp_path)
    assert word == "," or word not in str(caught.value)


def test_a_key_reads_back_as_what_it_was_made_as() -> None:
    for kind, start in (("secret", "ck_"), ("publishable", "pk_")):
        key = make_key(kind)  # pyright: ignore[reportArgumentType]
        assert key.text.startswith(start)
        assert (len(key.text), parse_key(key.text)) == (69, key)
        assert key.secret not in repr(key)
        assert key.hash(_KEY) != key.hash(_OTHER)


def test_a_mistyped_key_is_no_key() -> None:
    text = make_key("secret").text
    swapped = text[:30] + text[31] + text[30] + text[32:]
    wrong = [text[:-1], text + "0", text.upper(), "ck_", "", "é" * 69, text.replace("ck_", "pk_")]
    assert [parse_key(one) for one in wrong] == [None] * len(wrong)
    assert swapped == text or parse_key(swapped) is None
