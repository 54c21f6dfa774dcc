"""Weekly hours with holidays in a time zone: is it open at a moment? Pure; reads no clock.

Hours are what the clock on the wall there shows, so that a change of summer time moves nothing: an hour that
is skipped is open for nobody, one that comes twice is open twice. A span may go past midnight, as
"22:00-06:00" does; it belongs to the day it began on, also into a holiday.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 1440
LONGEST_HOLIDAY = 366
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z|24:00\Z")
_YEARLY = re.compile(r"(\d{2})-(\d{2})\Z")
HOURS_FORM = '"closed", "always", or hours like "09:00-17:30" or "22:00-06:00", several parted by commas'
DATE_FORM = 'a date like "2026-12-25", one of every year like "12-25", or "2026-04-09..2026-04-12"'

Span = tuple[int, int]
"""Minutes of the day; an end past 1440 is on the next day."""
Day = tuple[int, int]
"""Month and day of every year."""


def minutes(text: str) -> int:
    """ "17:30" as minutes of the day, "24:00" as 1440. Raises ValueError."""
    match = _TIME.match(text.strip())
    if match is None:
        raise ValueError('a time like "17:30"')
    return int(match[1]) * 60 + int(match[2]) if match[1] else DAY_MINUTES


def spans(text: str) -> tuple[Span, ...]:
    """The hours of a day. Raises ValueError with what is allowed."""
    word = text.strip().lower()
    if word == "closed":
        return ()
    if word == "always":
        return ((0, DAY_MINUTES),)
    found: list[Span] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            start, end = minutes(first), minutes(last)
        except ValueError:
            raise ValueError(HOURS_FORM) from None
        if not dash or start in (end, DAY_MINUTES):
            raise ValueError(HOURS_FORM)
        if found and start < found[-1][1]:
            raise ValueError("hours in order, without overlap; only the last may go past midnight")
        found.append((start, end if end > start else end + DAY_MINUTES))
    return tuple(found)


def zone(name: str) -> tzinfo | None:
    """The time zone of an IANA name; None, the machine's own, for an empty one. Raises ValueError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('a time zone name like "Asia/Riyadh"') from None


def days(text: str) -> Iterable[date | Day]:
    """The days that a holiday names. Raises ValueError with what is allowed."""
    first, dots, last = text.partition("..")
    try:
        if not dots and (yearly := _YEARLY.match(text)):
            return [_yearly(int(yearly[1]), int(yearly[2]))]
        start = date.fromisoformat(first)
        end = date.fromisoformat(last) if dots else start
    except ValueError:
        raise ValueError(DATE_FORM) from None
    if not 0 <= (end - start).days < LONGEST_HOLIDAY:
        raise ValueError("holidays that end after they begin, within a year")
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _yearly(month: int, day: int) -> Day:
    date(2024, month, day)  # a leap year: 02-29 is a day
    return month, day


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week` has the hours from Monday on, `dates` those of single days; neither counts on `holidays`."""

    name: str
    timezone: str = ""
    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    dates: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    holidays: frozenset[date | Day] = frozenset()
    _zone: tzinfo | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", zone(self.timezone))

    def local(self, at: datetime) -> datetime:
        """The wall clock there; `at` is aware."""
        return at.astimezone(self._zone)

    def hours(self, day: date) -> tuple[Span, ...]:
        """The hours that begin on a day."""
        if day in self.holidays or (day.month, day.day) in self.holidays:
            return ()
        return self.dates.get(day, self.week[day.weekday()])

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at an aware moment."""
        local = self.local(at)
        minute, today = local.hour * 60 + local.minute, local.date()
        if any(start <= minute < end for start, end in self.hours(today)):
            return True
        minute += DAY_MINUTES
        return any(minute < end for _, end in self.hours(today - timedelta(days=1)))

    def said(self, at: datetime) -> str:
        """The moment as people there say it: "Sat 21:05 (Asia/Riyadh)"."""
        return f"{self.local(at):%a %H:%M} ({self.timezone or 'local time'})"
