import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.render.cut import HeadTail, cut_text

MARKER = re.compile(r"\[… ([\d,]+) (bytes|characters) left out[^\]]* …\]")


def left_out(text: str) -> int:
    found = MARKER.search(text)
    return int(found[1].replace(",", "")) if found else 0


def collected(pieces: list[bytes], cap: int) -> HeadTail:
    collector = HeadTail(cap)
    for piece in pieces:
        collector.feed(piece)
    return collector


def test_up_to_the_cap_nothing_is_lost() -> None:
    collector = collected([b"01234", b"56789"], 10)
    assert collector.text() == "0123456789"
    assert not collector.truncated
    assert collector.total_bytes == 10


def test_beyond_the_cap_head_and_tail_stay_and_the_rest_is_counted() -> None:
    collector = collected([b"0123456789" * 10], 10)
    assert collector.truncated
    assert collector.total_bytes == 100
    assert collector.text() == "01234\n[… 90 bytes left out …]\n56789"


def test_a_character_on_the_cut_is_left_out_whole() -> None:
    collector = collected(["€€€€€€".encode()], 8)
    assert collector.text() == "€\n[… 12 bytes left out …]\n€"


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    assert collected([b"a\xff\xfeb"], 100).text() == "a\ufffd\ufffdb"
    assert collected([b"\x80" * 50], 10).text() == "\ufffd" * 5 + "\n[… 40 bytes left out …]\n" + "\ufffd" * 5


def test_a_cap_that_can_hold_no_two_ends_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        HeadTail(1)


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(2, 64))
def test_the_pieces_do_not_matter_only_the_bytes(pieces: list[bytes], cap: int) -> None:
    whole = b"".join(pieces)
    collector = collected(pieces, cap)
    assert collector.total_bytes == len(whole)
    assert collector.truncated == (len(whole) > cap)
    assert collector.text() == collected([whole], cap).text()
    if not collector.truncated:
        assert collector.text() == whole.decode("utf-8", "replace")


@given(st.text(min_size=20), st.integers(2, 64), st.integers(1, 7))
def test_text_is_never_split_inside_a_character(text: str, cap: int, step: int) -> None:
    data = text.encode()
    collector = collected([data[at : at + step] for at in range(0, len(data), step)], cap)
    shown = collector.text()
    if collector.truncated:
        head, tail = MARKER.split(shown)[0], MARKER.split(shown)[-1]
        assert text.startswith(head.removesuffix("\n"))
        assert text.endswith(tail.removeprefix("\n"))
        gap = len(data) - len(head.removesuffix("\n").encode()) - len(tail.removeprefix("\n").encode())
        assert gap - 2 <= left_out(shown) <= gap


def test_memory_stays_near_the_cap_under_a_flood() -> None:
    collector = HeadTail(64 * 1024)
    for _ in range(2_000):
        collector.feed(b"x" * 10_007)
    assert collector.total_bytes == 20_014_000
    kept = sum(sys.getsizeof(value) for value in (collector._head, collector._tail))
    assert kept < 3 * 64 * 1024


def test_a_text_within_its_limit_comes_back_as_it_is() -> None:
    assert cut_text("short", 5) == "short"


def test_a_long_text_keeps_head_and_tail_and_tells_what_is_missing() -> None:
    assert cut_text("a" * 500 + "z" * 500, 80, note="seq 12") == (
        "a" * 20 + "\n[… 961 characters left out; seq 12 …]\n" + "z" * 19
    )


def test_a_limit_below_the_marker_gives_the_marker() -> None:
    assert cut_text("a" * 1_000, 10) == "[… 1,000 characters left out …]"


@given(st.text(), st.integers(0, 200))
def test_a_cut_keeps_to_its_limit_and_counts_right(text: str, limit: int) -> None:
    shown = cut_text(text, limit)
    if len(text) <= limit:
        assert shown == text
        return
    assert len(shown) <= max(limit, len(f"[… {len(text):,} characters left out …]"))
    pieces = MARKER.split(shown)
    assert text.startswith(pieces[0].removesuffix("\n"))
