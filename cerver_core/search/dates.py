"""Finds the dates that a text names, in words or in ISO form, as ranges of time in UTC; decides nothing by them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

__all__ = ["DateRange", "NamedRange", "find_dates", "read_moment"]

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH_OF = {name[: max(3, cut)]: number for number, name in enumerate(_MONTHS, 1) for cut in (3, 4, len(name))}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS.split())} | {"a": 1, "an": 1}
_UNIT = {"m": "minute", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "d": "day",
         "w": "week", "mo": "month", "y": "year"}  # fmt: skip
_SPAN = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
         "week": timedelta(days=7), "month": timedelta(days=30), "year": timedelta(days=365)}  # fmt: skip
_LARGEST_COUNT = 10_000

_MONTH = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_COUNT = r"\d{1,4}|" + "|".join(_NUMBERS)
_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_ISO = rf"{_ISO_DAY}(?:T\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?|\d{{4}}-\d{{2}}(?!\d|-\d)"


@dataclass(frozen=True, slots=True)
class DateRange:
    """From `since` up to, and without, `until`.

    `names_year` is false for "in May" and "March 3": it is the last one that began, and may mean one of another year.
    """

    since: datetime
    until: datetime
    names_year: bool = True


@dataclass(frozen=True, slots=True)
class NamedRange:
    """A range, where its words stand in the text, and whether they can hardly mean anything else than time.

    `moment` is the point that the words name, where they name one: three hours before now for "3 hours ago".
    """

    range: DateRange
    start: int
    end: int
    moment: datetime


def find_dates(text: str, now: datetime) -> Sequence[NamedRange]:
    """Find all that names a time in a text, as it is meant at `now`; what cannot be a date is no date.

    Days and weeks are those of `now`'s time zone. A month without a year is the last one that has begun.
    """
    found: list[NamedRange] = []
    for pattern, read in _PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            try:
                named = read(match, now)
            except (ValueError, OverflowError):
                continue  # the thirtieth of February, or a time before the calendar
            if named is not None:
                found.append(NamedRange(named[0], match.start(), match.end(), named[1]))
    return sorted(found, key=lambda one: one.start)


def read_moment(text: str, now: datetime, *, is_end: bool) -> datetime | None:
    """Read a text that is a date and nothing else, as the beginning of a range or as its end; null if it is none.

    "yesterday" begins at its midnight and ends at the next; "3h" and "3 hours ago" are three hours before now.
    """
    one = _all_of(text.strip(), now) or _all_of(f"in {text.strip()}", now)
    if one is None:
        return None
    if one.moment not in {one.range.since, one.range.until}:
        return one.moment
    return one.range.until if is_end else one.range.since


def _all_of(text: str, now: datetime) -> NamedRange | None:
    found = find_dates(text, now)
    return found[0] if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)) else None


_Reading = tuple[DateRange, datetime] | None


def _whole(since: datetime, until: datetime) -> _Reading:
    return DateRange(since, until), since


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _day(since: datetime) -> _Reading:
    return _whole(since, since + timedelta(days=1))


def _month_range(year: int, month: int, now: datetime) -> _Reading:
    since = datetime(year, month, 1, tzinfo=now.tzinfo or UTC)
    until = since.replace(year=year + month // 12, month=month % 12 + 1)
    return _whole(since, until)


def _year_range(year: int, now: datetime) -> _Reading:
    zone = now.tzinfo or UTC
    return _whole(datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone))


def _months_back(count: int, now: datetime) -> tuple[int, int]:
    months = now.year * 12 + now.month - 1 - count
    return months // 12, months % 12 + 1


def _iso_range(match: re.Match[str], now: datetime) -> _Reading:
    first, last = _iso(match["first"], now), _iso(match["last"], now)
    return None if first is None or last is None else (DateRange(first[0].since, last[0].until), first[0].since)


def _iso_one(match: re.Match[str], now: datetime) -> _Reading:
    return _iso(match.group(), now)


def _iso(text: str, now: datetime) -> _Reading:
    if len(text) == len("2026-05"):
        return _month_range(int(text[:4]), int(text[5:]), now)
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo or UTC)
    return _day(moment) if len(text) == len("2026-05-03") else _whole(moment, moment + timedelta(minutes=1))


def _named_day(match: re.Match[str], now: datetime) -> _Reading:
    word = " ".join(match.group().lower().split())
    back = {"today": 0, "tonight": 0, "this morning": 0, "yesterday": 1, "the day before yesterday": 2,
            "day before yesterday": 2, "last night": 1}[word]  # fmt: skip
    return _day(_midnight(now) - timedelta(days=back))


def _ago(match: re.Match[str], now: datetime) -> _Reading:
    count, unit = _count(match["count"]), _unit(match["unit"])
    if unit == "day":
        return _day(_midnight(now) - timedelta(days=count))
    if unit == "month":
        return _month_range(*_months_back(count, now), now)
    if unit == "year":
        return _year_range(now.year - count, now)
    middle, half = now - count * _SPAN[unit], _SPAN[unit] / 2
    return DateRange(middle - half, middle + half), middle


def _last_count(match: re.Match[str], now: datetime) -> _Reading:
    return _whole(now - _count(match["count"]) * _SPAN[_unit(match["unit"])], now)


def _last_unit(match: re.Match[str], now: datetime) -> _Reading:
    back = 0 if match["which"].lower() == "this" else 1
    unit = match["unit"].lower()
    if unit == "week":
        monday = _midnight(now) - timedelta(days=now.weekday() + 7 * back)
        return _whole(monday, monday + timedelta(days=7))
    if unit == "weekend":
        saturday = _midnight(now) - timedelta(days=(now.weekday() - 5) % 7 + (7 if back and now.weekday() >= 5 else 0))
        return _whole(saturday, saturday + timedelta(days=2))
    return _month_range(*_months_back(back, now), now) if unit == "month" else _year_range(now.year - back, now)


def _weekday(match: re.Match[str], now: datetime) -> _Reading:
    back = (now.weekday() - _DAYS.index(match["day"].lower())) % 7
    return _day(_midnight(now) - timedelta(days=back or 7))


def _month_day(match: re.Match[str], now: datetime) -> _Reading:
    month, day = _MONTH_OF[match["month"].lower()], int(match["day"])
    year = int(match["year"]) if match["year"] else now.year
    since = datetime(year, month, day, tzinfo=now.tzinfo or UTC)
    return _day(since) if match["year"] else _yearly(_day(since if since <= now else since.replace(year=year - 1)))


def _month_year(match: re.Match[str], now: datetime) -> _Reading:
    return _month_range(int(match["year"]), _MONTH_OF[match["month"].lower()], now)


def _month_alone(match: re.Match[str], now: datetime) -> _Reading:
    month = _MONTH_OF[match["month"].lower()]
    year = now.year if month <= now.month else now.year - 1
    return _yearly(_month_range(year, month, now))


def _yearly(named: _Reading) -> _Reading:
    return None if named is None else (replace(named[0], names_year=False), named[1])


def _year_alone(match: re.Match[str], now: datetime) -> _Reading:
    return _year_range(int(match["year"]), now)


def _count(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word.lower()]


def _unit(word: str) -> str:
    word = word.lower()
    return _UNIT.get(word) or word.rstrip("s")


def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-])(?:{source})(?![\w-])", re.IGNORECASE)


_LONG_UNIT = r"(?P<unit>(?:minute|hour|day|week|month|year)s?)"
_DAY_NUMBER = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH_NAME = rf"(?P<month>{_MONTH})"
# "may" and "march" are months only where the words around them say so.
_BEFORE_MONTH = r"(?:in|during|since|until|before|after|by|from|of|last|this|early|late|mid)\s+"
_PLAIN_MONTH = r"(?P<month>" + "|".join(name for name in _MONTHS if name not in {"may", "march"}) + ")"

_PATTERNS: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], _Reading]]] = (
    (_pattern(rf"(?P<first>{_ISO})\s*(?:\.\.|to|until|through|\u2013)\s*(?P<last>{_ISO})"), _iso_range),
    (_pattern(_ISO), _iso_one),
    (_pattern(r"(?:the\s+)?day\s+before\s+yesterday|yesterday|today|tonight|this\s+morning|last\s+night"), _named_day),
    (_pattern(rf"(?P<count>{_COUNT})\s+{_LONG_UNIT}\s+ago"), _ago),
    (_pattern(rf"(?P<count>\d{{1,4}})(?P<unit>{'|'.join(_UNIT)})\s+ago"), _ago),
    (_pattern(rf"(?:the\s+)?(?:last|past)\s+(?P<count>{_COUNT})\s+{_LONG_UNIT}"), _last_count),
    (_pattern(r"(?P<count>\d{1,4})(?P<unit>h|d|w|min|mins|hrs)"), _last_count),
    (_pattern(r"(?:the\s+)?(?P<which>last|this|past)\s+(?P<unit>weekend|week|month|year)"), _last_unit),
    (_pattern(rf"(?:last|on|this\s+past)\s+(?P<day>{'|'.join(_DAYS)})"), _weekday),
    (_pattern(rf"{_MONTH_NAME}\.?\s+{_DAY_NUMBER}(?:,?\s+{_YEAR})?"), _month_day),
    (_pattern(rf"{_DAY_NUMBER}\s+(?:of\s+)?{_MONTH_NAME}\.?(?:,?\s+{_YEAR})?"), _month_day),
    (_pattern(rf"{_MONTH_NAME}\.?,?\s+(?:of\s+)?{_YEAR}"), _month_year),
    (_pattern(rf"{_BEFORE_MONTH}{_MONTH_NAME}"), _month_alone),
    (_pattern(_PLAIN_MONTH), _month_alone),
    (_pattern(rf"(?:in|during|since|of)\s+{_YEAR}"), _year_alone),
)
