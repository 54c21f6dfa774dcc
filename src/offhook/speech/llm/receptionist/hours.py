"""Opening hours from an agent's facts: which spans a day has, and whether a moment lies in them. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from offhook.speech.llm.receptionist.when import DAYS

Span = tuple[time, time]
_SPAN = re.compile(r"\s*(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})\s*")
_END_OF_DAY = time(23, 59)


class Hours:
    """A week of opening hours. A day that is missing or cannot be read is unknown (None)."""

    def __init__(self, written: dict[str, str]) -> None:
        """`written` is `Facts.hours`; what is wrong in it is listed in `problems`."""
        self.problems: list[str] = []
        self._week: list[tuple[Span, ...] | None] = [None] * 7
        for day, text in written.items():
            name = day.strip().casefold()
            if name not in DAYS:
                self.problems.append(f"hours: {day!r} is not a day of the week")
                continue
            try:
                self._week[DAYS.index(name)] = _spans(text)
            except ValueError:
                self.problems.append(f"hours.{name}: {text!r} is not like 09:00-17:30 or closed")

    @property
    def known(self) -> bool:
        """Whether anything is known of any day."""
        return any(day is not None for day in self._week)

    def week(self) -> list[tuple[Span, ...] | None]:
        """Monday to Sunday."""
        return list(self._week)

    def on(self, day: date) -> tuple[Span, ...] | None:
        """The spans of a day: empty when closed, None when unknown."""
        return self._week[day.weekday()]

    def is_open(self, moment: datetime) -> bool | None:
        """Whether it is open at a moment; None when unknown."""
        spans = self.on(moment.date())
        if spans is None:
            return None
        return any(start <= moment.time() < end for start, end in spans)

    def closes(self, moment: datetime) -> time | None:
        """When the span that a moment lies in ends."""
        spans = self.on(moment.date()) or ()
        return next((end for start, end in spans if start <= moment.time() < end), None)

    def next_opening(self, moment: datetime) -> datetime | None:
        """The next opening after a moment, within a week."""
        for ahead in range(8):
            day = moment.date() + timedelta(ahead)
            for start, _ in self.on(day) or ():
                if ahead or start > moment.time():
                    return datetime.combine(day, start, moment.tzinfo)
        return None

    def next_open_day(self, day: date) -> date | None:
        """The next day after `day` that is open at all, within a week."""
        for ahead in range(1, 8):
            if self.on(day + timedelta(ahead)):
                return day + timedelta(ahead)
        return None

    def fits(self, day: date, start: time, minutes: int) -> bool:
        """Whether something of that length fits into the opening hours; True when they are unknown."""
        spans = self.on(day)
        if spans is None:
            return True
        begin = datetime.combine(day, start)
        return any(
            opens <= start and begin + timedelta(minutes=minutes) <= datetime.combine(day, closes)
            for opens, closes in spans
        )


def _spans(text: str) -> tuple[Span, ...]:
    if text.strip().casefold() in {"closed", ""}:
        return ()
    spans = []
    for piece in text.split(","):
        if not (match := _SPAN.fullmatch(piece)):
            raise ValueError(piece)
        hour, minute, to_hour, to_minute = (int(group) for group in match.groups())
        end = _END_OF_DAY if (to_hour, to_minute) == (24, 0) else time(to_hour, to_minute)
        if (start := time(hour, minute)) >= end:
            raise ValueError(piece)
        spans.append((start, end))
    return tuple(sorted(spans))
