"""Pieces of a text round what matched."""

from hypothesis import given
from hypothesis import strategies as st

from cerver_core.search.snippets import snippet
from cerver_core.search.words import words


def test_a_piece_shows_where_most_of_the_words_stand() -> None:
    text = "apple " + "filler " * 100 + "red apple pie" + " filler" * 100
    marks = [word for word in words(text) if word.text in {"red", "apple", "pie"}]
    piece = snippet(text, marks, 60)
    assert "**red** **apple** **pie**" in piece
    assert piece.startswith("…")
    assert piece.endswith("…")


@given(st.text(max_size=400), st.integers(20, 120), st.data())
def test_a_piece_is_one_bounded_line_of_the_text(text: str, limit: int, data: st.DataObject) -> None:
    found = list(words(text))
    marks = data.draw(st.lists(st.sampled_from(found))) if found else []
    piece = snippet(text, marks, limit)
    assert len(piece) <= limit + 2 + 4 * len(set(marks))
    assert "\n" not in piece
