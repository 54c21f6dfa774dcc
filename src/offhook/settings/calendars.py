"""What can be set of calendars (`[routing.calendars.NAME]`), made into `center.calendar`'s. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from offhook.center import calendar as calendars
from offhook.center.calendar import DAYS, Calendar
from offhook.settings.vendors import Section

Fault = tuple[tuple[str | int, ...], Any, str]
"""Path, value, what is allowed."""


def _texts(value: Any) -> Any:
    """One text is a list of one; dates that TOML knows are texts again."""
    if isinstance(value, list):
        return [each.isoformat() if isinstance(each, date) else each for each in value]
    return (
        [value.isoformat() if isinstance(value, date) else value] if isinstance(value, str | date) else value
    )


def _dates(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key.isoformat() if isinstance(key, date) else key: each for key, each in value.items()}


Texts = Annotated[list[str], BeforeValidator(_texts)]


class CalendarSettings(Section):
    """`[routing.calendars.NAME]`: when somebody is there."""

    timezone: str = ""
    hours: dict[str, str] = Field(default_factory=dict)
    """Days to hours; a day that is not named is closed. `weekdays` and `everyday` name several."""
    dates: Annotated[dict[str, str], BeforeValidator(_dates)] = Field(default_factory=dict)
    """Single days with hours of their own."""
    holidays: Texts = Field(default_factory=list)

    def calendar(self, name: str) -> Calendar:
        """Of settings that `faults` found nothing in."""
        week = tuple(calendars.spans(self._hours(day)) for day in DAYS)
        dates = {date.fromisoformat(day): calendars.spans(hours) for day, hours in self.dates.items()}
        holidays = frozenset(day for text in self.holidays for day in calendars.days(text))
        return Calendar(name, self.timezone, week, dates, holidays)

    def _hours(self, day: str) -> str:
        group = "weekdays" if day in DAYS[:5] else ""
        return self.hours.get(day) or self.hours.get(group) or self.hours.get("everyday") or "closed"

    def faults(self) -> Iterator[Fault]:
        known = (*DAYS, "weekdays", "everyday")
        if fault := fault_of(calendars.zone, self.timezone):
            yield ("timezone",), self.timezone, fault
        for day, hours in self.hours.items():
            if day not in known:
                yield ("hours", day), hours, "days " + ", ".join(known)
            elif fault := fault_of(calendars.spans, hours):
                yield ("hours", day), hours, fault
        for day, hours in self.dates.items():
            if fault_of(date.fromisoformat, day):
                yield ("dates", day), hours, 'a date like "2026-12-24"'
            elif fault := fault_of(calendars.spans, hours):
                yield ("dates", day), hours, fault
        for index, text in enumerate(self.holidays):
            if fault := fault_of(calendars.days, text):
                yield ("holidays", index), text, fault


def fault_of(read: Callable[[str], Any], text: str) -> str:
    """What is allowed, where `read` raises ValueError; else an empty string."""
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return ""
