"""What the redactor masks, what it leaves alone, and that the cuts of a stream do not matter."""

import base64
import html
import json
import pickle
import shlex
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from cerver_core.redaction import KnownSecrets, Redactor

VALUE = "sk-Ab/9+z\"é'<&> \\x$7q"
PLAIN = "hunter2-but-longer"
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n"
    "-----END PRIVATE KEY-----\n"
)
LETTERS = st.text(alphabet="abAB01/+%\"' <\\é€\n", min_size=8, max_size=24)
SECRETS = st.dictionaries(st.sampled_from(["ONE", "TWO", "SIX"]), LETTERS, min_size=1, max_size=3)


def in_pieces(redactor: Redactor, data: bytes, cuts: list[int]) -> bytes:
    stream = redactor.stream()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join([*(stream.feed(data[start:end]) for start, end in pairwise(edges)), stream.finish()])


def whole(redactor: Redactor, data: bytes) -> bytes:
    return in_pieces(redactor, data, [])


def json_body(value: str, *, ascii_only: bool = True) -> str:
    return json.dumps(value, ensure_ascii=ascii_only)[1:-1]


SPELLINGS = {
    "raw": VALUE,
    "json": json_body(VALUE),
    "json_unicode": json_body(VALUE, ascii_only=False),
    "json_twice": json_body(json_body(VALUE)),
    "json_unicode_twice": json_body(json_body(VALUE, ascii_only=False), ascii_only=False),
    "json_by_go": "sk-Ab/9+z\\\"é'\\u003c\\u0026\\u003e \\\\x$7q",
    "json_by_php": "sk-Ab\\/9+z\\\"\\u00e9'<&> \\\\x$7q",
    "url": quote(VALUE, safe=""),
    "url_path": quote(VALUE),
    "url_form": quote_plus(VALUE),
    "url_lower": "sk-Ab%2f9%2bz%22%c3%a9%27%3c%26%3e%20%5cx%247q",
    "url_by_javascript": "sk-Ab%2F9%2Bz%22%C3%A9'%3C%26%3E%20%5Cx%247q",
    "html": html.escape(VALUE),
    "html_text": html.escape(VALUE, quote=False),
    "html_decimal": "sk-Ab/9+z&#34;é&#39;&lt;&amp;&gt; \\x$7q",
    "repr": repr(VALUE)[1:-1],
    "repr_of_bytes": repr(VALUE.encode())[2:-1],
    "shell": shlex.quote(VALUE),
    "shell_backslashes": "sk-Ab/9+z\\\"é\\'\\<\\&\\>\\ \\\\x\\$7q",
    "hex": VALUE.encode().hex(),
    "hex_upper": VALUE.encode().hex().upper(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_value_is_masked_in_every_spelling_as_text_and_as_bytes(spelling: str) -> None:
    redactor = Redactor({"KEY": VALUE})

    expected = "before [secret:KEY] after"
    quoted = "before '[secret:KEY]' after"
    assert redactor.text(f"before {spelling} after") in {expected, quoted}
    assert whole(redactor, f"before {spelling} after".encode()).decode() in {expected, quoted}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("offset", [0, 1, 2, 3, 4, 5])
def test_base64_is_masked_wherever_the_value_begins(offset: int, encode: Callable[[bytes], bytes]) -> None:
    encoded = encode(b"ABCDEFGHIJ"[:offset] + VALUE.encode() + b"the rest")

    masked = whole(Redactor({"KEY": VALUE}), encoded)

    # A value that begins or ends inside a group of four shares that letter with its neighbour, which stays.
    first = -(-offset * 8 // 6)
    after = (offset + len(VALUE.encode())) * 8 // 6
    assert masked == encoded[:first] + b"[secret:KEY]" + encoded[after:]


def test_a_lone_base64_value_is_masked_with_its_padding() -> None:
    redactor = Redactor({"KEY": PLAIN + "!"})

    assert redactor.text(base64.b64encode(f"{PLAIN}!".encode()).decode()) == "[secret:KEY]"
    assert redactor.text(base64.b64encode(f"{PLAIN}!\n".encode()).decode()) == "[secret:KEY]"


def test_base64_broken_into_lines_is_masked_line_by_line() -> None:
    wrapped = base64.encodebytes(PEM.encode())

    masked = whole(Redactor({"PEM": PEM}), wrapped)

    assert masked == b"[secret:PEM]\n" * wrapped.count(b"\n")


def test_utf_16_output_is_masked() -> None:
    data = f"key={VALUE};".encode("utf-16-le")

    assert whole(Redactor({"KEY": VALUE}), data) == "key=".encode("utf-16-le") + b"[secret:KEY]" + b";\0"


def test_a_long_line_of_a_value_with_several_lines_is_masked_alone() -> None:
    line = PEM.splitlines()[1]

    assert Redactor({"PEM": PEM}).text(f"1: {line}\r\n") == "1: [secret:PEM]\r\n"
    assert Redactor({"PEM": PEM}).text("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_blanks_around_a_value_need_not_be_printed() -> None:
    assert Redactor({"KEY": f" {PLAIN}\n"}).text(f"<{PLAIN}>") == "<[secret:KEY]>"


def test_a_short_value_is_named_and_not_masked() -> None:
    redactor = Redactor({"PIN": "1234567", "KEY": PLAIN})

    assert redactor.too_short == ("PIN",)
    assert redactor.text(f"1234567 {PLAIN}") == "1234567 [secret:KEY]"


def test_without_anything_to_mask_data_passes_as_the_same_object() -> None:
    for redactor in (Redactor(), Redactor({"PIN": "1234"})):
        data = b"x" * 10_000
        stream = redactor.stream()
        value: JsonValue = {"a": ["1234"]}
        text = "a" * 100

        assert not redactor
        assert stream.feed(data) is data
        assert stream.finish() == b""
        assert redactor.json(value) is value
        assert redactor.text(text) is text


def test_of_two_secrets_in_one_place_the_longer_is_masked() -> None:
    redactor = Redactor({"SHORT": "abcdefgh", "LONG": "abcdefgh-ijkl"})

    assert redactor.text("abcdefgh-ijkl abcdefgh-ijk") == "[secret:LONG] [secret:SHORT]-ijk"
    assert in_pieces(redactor, b"abcdefgh-ijkl abcdefgh-ijk", [8, 9, 22]) == b"[secret:LONG] [secret:SHORT]-ijk"
    assert in_pieces(redactor, b"abcdefgh-ij", [8]) == b"[secret:SHORT]-ij"


def test_one_value_under_two_names_is_masked_under_the_first() -> None:
    assert Redactor({"A": PLAIN, "B": PLAIN}).text(PLAIN) == "[secret:A]"


def test_a_redactor_with_more_secrets_masks_both_and_leaves_the_first_as_it_was() -> None:
    first = Redactor({"KEY": PLAIN})
    both = first.with_secrets({"KEY": "another-value", "PIN": "1"})

    assert both.text(f"{PLAIN} another-value") == "[secret:KEY] [secret:KEY]"
    assert both.too_short == ("PIN",)
    assert first.text("another-value") == "another-value"
    assert first.with_secrets({"KEY": PLAIN}) is first


def test_what_was_handed_out_is_masked_from_then_on() -> None:
    known = KnownSecrets()
    assert known.redactor.text(PLAIN) == PLAIN

    known.remember("KEY", PLAIN)
    known.remember("KEY", "its-next-value")

    assert known.redactor.text(f"{PLAIN} its-next-value") == "[secret:KEY] [secret:KEY]"


def test_json_is_masked_in_strings_keys_and_numbers() -> None:
    redactor = Redactor({"KEY": PLAIN, "ID": "1234567890"})

    masked = redactor.json({"a": [PLAIN, 1, 1.5, True, None], PLAIN: {"id": 1234567890}})

    assert masked == {"a": ["[secret:KEY]", 1, 1.5, True, None], "[secret:KEY]": {"id": "[secret:ID]"}}


def test_a_redactor_shows_no_value_and_is_not_pickled() -> None:
    redactor = Redactor({"KEY": PLAIN})

    assert repr(redactor) == "Redactor(KEY)"
    assert PLAIN not in repr(redactor.stream())
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(redactor)


def test_the_beginning_of_a_value_is_held_through_silence_and_given_at_the_end() -> None:
    stream = Redactor({"KEY": PLAIN}).stream()

    assert stream.feed(b"password: hunter2") == b"password: "
    assert stream.feed(b"") == b""
    assert stream.feed(b"-but-longer!") == b"[secret:KEY]!"
    assert stream.feed(b"hunt") == b""
    assert stream.finish() == b"hunt"


def test_a_value_cut_inside_a_letter_of_two_bytes_is_masked() -> None:
    data = f"x{VALUE}y".encode()

    for cut in range(len(data)):
        assert in_pieces(Redactor({"KEY": VALUE}), data, [cut]) == b"x[secret:KEY]y"


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    data = bytes(range(256)) * 3

    assert whole(Redactor({"KEY": PLAIN}), data) == data


@given(secrets=SECRETS, data=st.data())
@settings(max_examples=400, deadline=None)
def test_any_cutting_gives_what_one_piece_gives_and_no_raw_value_survives(
    secrets: dict[str, str], data: st.DataObject
) -> None:
    redactor = Redactor(secrets)
    values = list(secrets.values())
    forms = sorted(redactor._marks)
    part = st.one_of(
        st.text(alphabet="abAB01 ", max_size=6).map(str.encode),
        st.sampled_from([value.encode() for value in values]),
        st.sampled_from(forms),
        st.sampled_from(forms).map(lambda form: form[: len(form) // 2]),
    )
    printed = b"".join(data.draw(st.lists(part, max_size=8)))
    cuts = data.draw(st.lists(st.integers(0, 400), max_size=12))

    masked = in_pieces(redactor, printed, cuts)

    assert masked == whole(redactor, printed)
    assert not any(value.encode() in masked for value in values)


@given(value=LETTERS, text=st.text(alphabet="qwertzuio[]:", max_size=200))
@settings(max_examples=200, deadline=None)
def test_clean_text_is_untouched(value: str, text: str) -> None:
    redactor = Redactor({"KEY": value})

    assert redactor.text(text) == text
    assert redactor.json([text, {text: text}]) == [text, {text: text}]
    assert in_pieces(redactor, text.encode(), [3, 7, 50]) == text.encode()


@given(text=st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_masked_and_any_value_is(text: str) -> None:
    redactor = Redactor({"KEY": "abcdefgh\ud800"})

    assert redactor.text(text + "abcdefgh\ud800") == text + "[secret:KEY]"


@given(value=LETTERS, data=st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_held_back_is_shorter_than_the_longest_form(value: str, data: st.DataObject) -> None:
    redactor = Redactor({"KEY": value})
    longest = max(map(len, redactor._marks))
    form = data.draw(st.sampled_from(sorted(redactor._marks)))
    stream = redactor.stream()

    for piece in (b"abAB01" * 40, form[: data.draw(st.integers(0, len(form)))]):
        stream.feed(piece)
        assert len(stream._held) < longest
