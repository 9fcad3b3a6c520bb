import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.render.escape import json_visible, visible, visible_line

EVERY_CHARACTER = st.text(st.characters(codec=None, categories=None))
HIDDEN = "\x00\x1b\x7f\x9b\xad\u061c\u200b\u200e\u202a\u202e\u2028\u2066\u2069\u3164\ufeff\U000e0041\ud800\r"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc\u202edef", "abc\\u202edef"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\x00b", "a\\u0000b"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("one\r\ntwo\rover", "one\ntwo\\u000dover"),
        ("half \ud800", "half \\ud800"),
        ("Grüße 日本 👩‍🚀 ❤️ می‌خواهم", "Grüße 日本 👩‍🚀 ❤️ می‌خواهم"),
        ("\u200c\u200d\u200c\u200d", "\\u200c\\u200d\\u200c\\u200d"),
    ],
)
def test_hidden_characters_are_shown_and_ordinary_writing_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(EVERY_CHARACTER)
def test_nothing_hidden_survives(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & set(HIDDEN)
    assert visible(shown) == shown


@given(st.text())
def test_escaped_json_means_the_same(text: str) -> None:
    escaped = json_visible(json.dumps({"content": text}, ensure_ascii=False))
    assert json.loads(escaped) == {"content": text}
    assert not set(escaped) & set(HIDDEN)


def test_escaped_json_writes_surrogate_pairs() -> None:
    assert json_visible('"\U000e0041"') == '"\\udb40\\udc41"'


@given(EVERY_CHARACTER, st.integers(2, 80))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = visible_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line


def test_a_long_line_ends_with_an_ellipsis() -> None:
    assert visible_line("fix  the\nlogin flow now", 14) == "fix the login…"
