"""Queries as they are typed: operators where they are meant, text everywhere else."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cerver_core.search.query import MOST_TERMS, parse
from cerver_core.search.words import fold, forms, indexable, words

_NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


def _words(query: str) -> list[str]:
    return [" ".join(term.spellings[0]) + ("*" if term.is_prefix else "") for term in parse(query, _NOW).terms]


def test_words_phrases_prefixes_and_exclusions_are_read() -> None:
    query = parse('deploy "red apple" migrat* -staging foo.py', _NOW)
    assert _words('deploy "red apple" migrat* -staging foo.py') == ["deploy", "red apple", "migrat*", "foo py"]
    assert [term.spellings for term in query.excluded] == [(("staging",),)]
    assert [term.spellings for term in query.required] == [(("red", "apple"),)]


def test_stop_words_count_only_where_nothing_else_is_asked() -> None:
    assert _words("What did we do about the pool?") == ["pool"]
    assert _words("to be or not to be") == ["to", "be", "or", "not"]


def test_a_possessive_and_a_hyphen_are_plain_words() -> None:
    assert _words("Caroline's self-care") == ["caroline", "self", "care"]


def test_dates_give_a_range_and_are_no_words_unless_texts_say_them() -> None:
    query = parse("pool in October", _NOW)
    assert [(one.since.isoformat(), one.until.isoformat()) for one in query.dates] == [
        ("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00")
    ]
    assert _words("pool yesterday") == ["pool"]
    assert parse('"in May"', _NOW).dates == ()


def test_forms_hold_inflections_that_rules_and_that_no_rule_gives() -> None:
    assert {"decide", "decided", "deciding", "decides"} <= set(forms("decided"))
    assert {"buy", "bought", "buying"} <= set(forms("bought"))
    assert {"child", "children"} <= set(forms("children"))
    assert forms("x86") == ("x86",)


def test_words_are_compared_without_case_accents_and_joined_scripts() -> None:
    assert [word.text for word in words("Crème_brûlée: 数据库!")] == ["creme", "brulee", "数", "据", "库"]
    assert indexable("A" * 500 + " end") == "  end"


@given(st.text(max_size=300))
def test_no_text_is_an_error_and_a_query_is_bounded(text: str) -> None:
    query = parse(text, _NOW)
    assert len(query.terms) <= MOST_TERMS
    for term in (*query.terms, *query.excluded):
        assert all(word and word == fold(word) and '"' not in word for spelling in term.spellings for word in spelling)


@given(st.text(max_size=300))
def test_every_word_stands_where_it_says(text: str) -> None:
    for word in words(text):
        assert 0 <= word.start < word.end <= len(text)
        assert word.text.isascii() is False or word.text in fold(text[word.start : word.end])
