import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.client.sse import Event, EventParser
from cerver_core.errors import ProviderFailed


def parsed(*chunks: bytes, max_bytes: int = 1_000_000) -> list[Event]:
    parser = EventParser(max_bytes)
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", [Event("message", "one")]),
        (b"\xef\xbb\xbfdata:one\r\n\r\n", [Event("message", "one")]),
        (b"event: output\ndata: a\ndata: b\nid: 7\n\n", [Event("output", "a\nb", "7")]),
        (b": heartbeat\n\ndata: x\r\r", [Event("message", "x")]),
        (b"event: empty\n\ndata: y\n\n", [Event("message", "y")]),
        (b"data\n\n", [Event("message", "")]),
        (b"retry: 5\nunknown: z\ndata:  two spaces\n\n", [Event("message", " two spaces")]),
        (b"data: cut off", []),
        ("data: Grüße 日本\n\n".encode(), [Event("message", "Grüße 日本")]),
    ],
)
def test_a_stream_becomes_its_events(stream: bytes, events: list[Event]) -> None:
    assert parsed(stream + b"" if not stream.endswith(b"\r") else stream + b":\n") == events


@given(
    st.lists(st.sampled_from([b"data: a", b"event: b", b": c", b"", b"id: 9", "data: ü".encode()]), max_size=20),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.integers(1, 9),
)
def test_how_the_bytes_are_cut_does_not_matter(lines: list[bytes], end: bytes, step: int) -> None:
    stream = end.join([*lines, b"", b": last", b""])
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
    assert parsed(*pieces) == parsed(stream)


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 2_000, b"data: xxxxxxxx\n" * 300])
def test_an_event_that_never_ends_is_refused(stream: bytes) -> None:
    with pytest.raises(ProviderFailed, match="more than 1,000 bytes"):
        parsed(*[stream[at : at + 100] for at in range(0, len(stream), 100)], max_bytes=1_000)
