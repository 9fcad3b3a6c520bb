"""Masks known secrets in text, JSON and byte streams, in the shapes in which programs print them by accident.

It is a net for accidents: a value that is reversed, compressed or printed letter by letter goes through. Redact before
anything is cut, stored or shown: half a secret is not recognised.
"""

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NoReturn
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

__all__ = ["MIN_REDACTED_CHARS", "KnownSecrets", "RedactingStream", "Redactor"]

MIN_REDACTED_CHARS = 8
"""A shorter value is not masked: it would be found everywhere."""


class Redactor:
    """Replaces every form of each secret's value by `[secret:NAME]`; without secrets it passes everything through.

    Where two secrets begin at the same place the longer one is masked; of two names for one value, the first.
    It holds the values, shows them in no repr and refuses to be pickled.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._pairs: tuple[tuple[str, str], ...] = tuple((secrets or {}).items())

    def with_secrets(self, secrets: Mapping[str, str]) -> "Redactor":
        """Give a redactor that masks these secrets too. A name with a new value keeps the old value masked."""
        known = set(self._pairs)
        fresh = tuple(pair for pair in secrets.items() if pair not in known)
        if not fresh:
            return self
        both = Redactor()
        both._pairs = self._pairs + fresh
        return both

    @property
    def too_short(self) -> tuple[str, ...]:
        """The names whose values are too short to be masked, in the order in which they were given."""
        return tuple(dict.fromkeys(name for name, value in self._pairs if len(value) < MIN_REDACTED_CHARS))

    def text(self, value: str) -> str:
        """Mask the secrets in a text; a clean text comes back as it is."""
        return value if self._text_forms is None else self._text_forms.mask(value, final=True)[0]

    def json(self, value: JsonValue) -> JsonValue:
        """Mask the secrets in every string of a JSON value, keys too; a number that holds one becomes a string."""
        return self._json(value) if self else value

    def stream(self) -> "RedactingStream":
        """Begin a byte stream to mask in; each stream needs its own."""
        return RedactingStream(self._data_forms)

    def __bool__(self) -> bool:
        """Tell whether there is anything to mask."""
        return any(len(value) >= MIN_REDACTED_CHARS for _, value in self._pairs)

    def __repr__(self) -> str:
        return f"Redactor({', '.join(dict.fromkeys(name for name, _ in self._pairs))})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Redactor holds secrets and is not pickled or copied")

    @cached_property
    def _marks(self) -> dict[bytes, str]:
        marks: dict[bytes, str] = {}
        for name, value in self._pairs:
            if len(value) >= MIN_REDACTED_CHARS:
                for form in _forms(value):
                    marks.setdefault(form, f"[secret:{name}]")
        return marks

    @cached_property
    def _data_forms(self) -> "_Forms | None":
        marks = {form.decode("latin-1"): _as_bytes(mark).decode("latin-1") for form, mark in self._marks.items()}
        return _Forms(marks) if marks else None

    @cached_property
    def _text_forms(self) -> "_Forms | None":
        marks = {text: mark for form, mark in self._marks.items() if (text := _as_text(form)) is not None}
        return _Forms(marks) if marks else None

    def _json(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._json(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._json(item) for item in value]
        if isinstance(value, bool) or value is None:
            return value
        written = str(value)
        masked = self.text(written)
        return value if masked == written else masked


class KnownSecrets:
    """The secrets a process has handed out; `redactor` masks them all, from the moment each is remembered."""

    def __init__(self) -> None:
        self.redactor = Redactor()

    def remember(self, name: str, value: str) -> None:
        """Mask this value from now on."""
        self.redactor = self.redactor.with_secrets({name: value})


class RedactingStream:
    """Masks secrets in bytes that come in pieces, however they are cut; the whole equals what one piece would give.

    Inside, a byte is a letter of Latin-1, so that text and bytes are searched in one way.
    """

    def __init__(self, forms: "_Forms | None") -> None:
        self._forms = forms
        self._held = ""

    def feed(self, data: bytes) -> bytes:
        """Take a piece and give what is certain; the longest end that may begin a secret is held back."""
        if self._forms is None:
            return data
        done, self._held = self._forms.mask(self._held + data.decode("latin-1"), final=False)
        return done.encode("latin-1")

    def finish(self) -> bytes:
        """Give what was held back, masked; call it once, when the stream has ended, and never because it is silent."""
        held, self._held = self._held, ""
        return b"" if self._forms is None else self._forms.mask(held, final=True)[0].encode("latin-1")


class _Forms:
    """All forms of some secrets with their marks, found by their first letters and then compared as a whole.

    Compiling the whole forms into the pattern would take a third of a second for one private key.
    """

    def __init__(self, marks: Mapping[str, str]) -> None:
        self._marks = marks
        self._by_head: dict[str, list[str]] = {}
        for form in sorted(marks, key=len, reverse=True):
            self._by_head.setdefault(form[:_HEAD], []).append(form)
        self._heads = re.compile(_any_of(list(self._by_head)))
        self._head_starts = frozenset(head[:size] for head in self._by_head for size in range(1, _HEAD))

    def mask(self, data: str, *, final: bool) -> tuple[str, str]:
        """Give the masked data, and the end of it (none when `final`) that more data could make a form.

        The leftmost form is masked, of several in one place the longest. One that is still open in a place decides
        before a shorter one that is complete there.
        """
        done: list[str] = []
        written = position = 0
        while (head := self._heads.search(data, position)) is not None:
            start = head.start()
            form, is_open = self._at(data, start, head[0])
            if is_open and not final:
                done.append(data[written:start])
                return "".join(done), data[start:]
            if form is None:
                position = start + 1
                continue
            done += (data[written:start], self._marks[form])
            written = position = start + len(form)
        if not done and final:
            return data, ""
        end = len(data) if final else self._open_end(data, position)
        done.append(data[written:end])
        return "".join(done), data[end:]

    def _at(self, data: str, start: int, head: str) -> tuple[str | None, bool]:
        """Give the longest form that is whole in this place, and tell whether a longer one is open there."""
        rest, is_open = len(data) - start, False
        for form in self._by_head[head]:
            if len(form) > rest:
                is_open = is_open or form.startswith(data[start:])
            elif data.startswith(form, start):
                return form, is_open
        return None, is_open

    def _open_end(self, data: str, position: int) -> int:
        """Tell where the longest end begins that could become a head."""
        for start in range(max(position, len(data) - _HEAD + 1), len(data)):
            if data[start:] in self._head_starts:
                return start
        return len(data)


def _any_of(heads: Sequence[str]) -> str:
    """Write a pattern for any of the heads, all of one length; branching letter by letter makes the search fast."""
    if len(heads) == 1:
        return re.escape(heads[0])
    branches: dict[str, list[str]] = {}
    for head in heads:
        branches.setdefault(head[0], []).append(head[1:])
    return f"(?:{'|'.join(re.escape(letter) + _any_of(rest) for letter, rest in branches.items())})"


def _as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _as_text(form: bytes) -> str | None:
    try:
        return form.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return None


def _forms(value: str) -> Iterator[bytes]:
    """Give every form in which the value is masked; some come twice."""
    for whole in (value, value.strip()):
        if len(whole) >= MIN_REDACTED_CHARS:
            yield from map(_as_bytes, _spellings(whole))
            yield from _encodings(_as_bytes(whole))
    for line in value.splitlines():
        # The first and last line of a PEM block are the same in everybody's.
        if len(line.strip()) >= _LONG_LINE_CHARS and not line.startswith("-----"):
            yield _as_bytes(line.strip())


def _spellings(value: str) -> Iterator[str]:
    """Give the value as it is, and as text formats and languages write it."""
    yield value
    for spell in _JSON_SPELLINGS:
        yield spell(value)
        yield spell(spell(value))
    for safe in ("", "/", "!'()*", "/!'()*"):
        escaped = quote(_as_bytes(value), safe=safe)
        yield from (escaped, _lower_escapes(escaped))
    plus = quote_plus(_as_bytes(value))
    yield from (plus, _lower_escapes(plus))
    yield from (spell(value) for spell in _OTHER_SPELLINGS)


def _encodings(raw: bytes) -> Iterator[bytes]:
    """Give the value in hex, UTF-16 and base64; of base64 only what does not depend on the bytes beside the value."""
    for digits in (raw.hex(), raw.hex().upper()):
        yield from _wrapped(digits.encode(), (60,))
    yield raw.decode(errors="surrogatepass").encode("utf-16-le", errors="surrogatepass")
    for offset, skipped in enumerate((0, 2, 3)):
        known = (offset + len(raw)) * 8 // 6
        yield from _both_alphabets(base64.b64encode(bytes(offset) + raw)[skipped:known])
    for whole in (raw, raw + b"\n"):
        for encoded in _wrapped(base64.b64encode(whole), (64, 76)):
            yield from _both_alphabets(encoded)


def _wrapped(encoded: bytes, widths: Iterable[int]) -> Iterator[bytes]:
    """Give the encoded value in one piece, and in the lines into which tools break it."""
    yield encoded
    for width in widths:
        for start in range(0, len(encoded), width) if len(encoded) > width else ():
            line = encoded[start : start + width]
            if len(line) >= MIN_REDACTED_CHARS:
                yield line


def _both_alphabets(encoded: bytes) -> tuple[bytes, bytes]:
    return encoded, encoded.translate(_URL_ALPHABET)


def _json_ascii(value: str) -> str:
    return json.dumps(value)[1:-1]


def _json_plain(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _json_for_pages(value: str) -> str:
    """Write JSON as Go does, with `<`, `>` and `&` escaped."""
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", _json_plain(value))


def _json_with_slashes(value: str) -> str:
    """Write JSON as PHP does, with `/` escaped."""
    return _json_ascii(value).replace("/", "\\/")


def _html_decimal(value: str) -> str:
    """Write HTML as template engines do, with quotes as decimal references."""
    return html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _lower_escapes(escaped: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)


_HEAD = 4
_LONG_LINE_CHARS = 16
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
_JSON_SPELLINGS: tuple[Callable[[str], str], ...] = (_json_ascii, _json_plain, _json_for_pages, _json_with_slashes)
_OTHER_SPELLINGS: tuple[Callable[[str], str], ...] = (
    html.escape,
    lambda value: html.escape(value, quote=False),
    _html_decimal,
    lambda value: repr(value)[1:-1],
    lambda value: ascii(value)[1:-1],
    lambda value: repr(_as_bytes(value))[2:-1],
    lambda value: shlex.quote(value).removeprefix("'").removesuffix("'"),
    lambda value: value.replace("'", "'\\''"),
    lambda value: re.sub(r"([^\w@%+=:,./-])", r"\\\1", value),
)
