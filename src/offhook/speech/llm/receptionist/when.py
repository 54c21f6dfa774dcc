"""Days and times as callers say them, against a given now. Pure; knows nothing of opening hours."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from offhook.speech.llm.receptionist.words import listed, numbered

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = listed("january february march april may june july august september october november december")
_PARTS = {
    "morning": (6, 12),
    "afternoon": (12, 18),
    "evening": (16, 23),
    "tonight": (17, 23),
    "lunchtime": (11, 14),
}
_SHORT_DAYS = {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4}
_COUNTS = {"a": 1, "an": 1}


@dataclass(frozen=True, slots=True)
class When:
    """What was said of a time: a day, a clock time, and a part of the day as hours [from, to).

    `certain` is whether the time carries am or pm (or is on the 24-hour clock).
    """

    day: date | None = None
    time: time | None = None
    part: tuple[int, int] | None = None
    certain: bool = False
    soon: bool = False


def weekday(word: str) -> int | None:
    """Monday is 0. Plurals, short forms and near misses of a recognizer ("wensday") count."""
    word = word.removesuffix("s") if word.endswith("days") else word
    if word in DAYS:
        return DAYS.index(word)
    if word in _SHORT_DAYS:
        return _SHORT_DAYS[word]
    if len(word) >= 6 and word not in {"birthday", "holiday", "yesterday"}:
        close = difflib.get_close_matches(word, DAYS, 1, 0.8)
        return DAYS.index(close[0]) if close else None
    return None


def parse(words: list[str], now: datetime) -> When:
    """All that `words` say of day and time; past days are given as they were said."""
    said = numbered(words)
    day, used = _day(said, now.date())
    rest = [word for index, word in enumerate(said) if index not in used]
    part = next((_PARTS[word] for word in said if word in _PARTS), None)
    clock, certain = _time(rest)
    if clock is None and "now" in said and not {"not", "from"} & set(said):
        return When(day or now.date(), now.time().replace(second=0, microsecond=0), part, True)
    if clock is not None and not certain and part is not None:
        clock, certain = _within(clock, part), True
    if day is None and "tonight" in said:
        day = now.date()
    soon = bool({"earliest", "soonest", "asap", "anytime", "whenever"} & set(said)) or _any_time(said)
    return When(day, clock, part, certain, soon)


def _any_time(said: list[str]) -> bool:
    text = " ".join(said)
    return any(
        p in text for p in ("any time", "soon as possible", "1 th thing", "1 th available", "1 th free")
    )


def _day(said: list[str], today: date) -> tuple[date | None, set[int]]:
    for index, word in enumerate(said):
        before = said[index - 1] if index else ""
        if word == "tomorrow":
            late = said[max(0, index - 2) : index] == ["day", "after"]
            return today + timedelta(2 if late else 1), {index}
        if word in {"today", "tonight"}:
            return today, {index}
        if word in MONTHS and (found := _month_day(said, index, today)):
            return found
        if (number := weekday(word)) is not None:
            return _weekday(number, before, said, index, today), {index}
    return _counted_day(said, today)


def _weekday(number: int, before: str, said: list[str], index: int, today: date) -> date:
    ahead = (number - today.weekday()) % 7
    after = said[index + 1 : index + 3]
    if before == "next" or after[:2] == ["next", "week"]:
        return today + timedelta(7 - today.weekday() + number)
    if after[:1] == ["week"]:
        return today + timedelta(ahead + 7)
    return today + timedelta(ahead)


def _month_day(said: list[str], index: int, today: date) -> tuple[date, set[int]] | None:
    """ "march 5 th", "march the 5 th", "5 th of march"; the next such day."""
    month = MONTHS.index(said[index]) + 1
    places = [index + 1, index + 2, index - 1, index - 2, index - 3]
    for place in places:
        if 0 <= place < len(said) and said[place].isascii() and said[place].isdigit():
            between = said[min(place, index) + 1 : max(place, index)]
            if not set(between) <= {"the", "th", "of"}:
                continue
            found = _date(today, month, int(said[place]))
            return (found, {index, place}) if found else None
    return None


def _date(today: date, month: int | None, number: int) -> date | None:
    for months in range(13):
        year, at = divmod(today.month - 1 + months, 12)
        if month is not None and at + 1 != month:
            continue
        try:
            found = date(today.year + year, at + 1, number)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _counted_day(said: list[str], today: date) -> tuple[date | None, set[int]]:
    """ "in 3 days", "in a week", "a week from now", "the 5 th"."""
    for index, word in enumerate(said[:-1]):
        count = _COUNTS.get(word) or (int(word) if word.isascii() and word.isdigit() and len(word) < 3 else 0)
        unit = said[index + 1]
        lead = said[index - 1] if index else ""
        later = lead == "in" or said[index + 2 : index + 3] in (["from"], ["time"])
        if count and later and unit in {"day", "days", "week", "weeks"}:
            return today + timedelta(count * (7 if unit.startswith("week") else 1)), {index}
        if count and unit == "th" and lead in {"the", "on"} and word not in _COUNTS:
            found = _date(today, None, count) if count <= 31 else None
            following = said[index + 2 : index + 3]
            if found and following not in (["time"], ["thing"], ["available"], ["free"], ["one"]):
                return found, {index}
    return None, set()


def _within(clock: time, part: tuple[int, int]) -> time:
    """`clock` moved by twelve hours where that brings it into the part of the day."""
    if part[0] <= clock.hour < part[1] or clock.hour > 12:
        return clock
    moved = (clock.hour + 12) % 24
    return clock.replace(hour=moved) if part[0] <= moved < part[1] else clock


def _time(said: list[str]) -> tuple[time | None, bool]:
    if "noon" in said or "midday" in said:
        return time(12), True
    if "midnight" in said:
        return time(0), True
    for index in range(len(said)):
        if (found := _relative(said, index)) or (found := _clock(said, index)):
            hour, minute, end = found
            half = next((word for word in said[end : end + 3] if word in {"am", "pm"}), "")
            spelled = said[end : end + 2]
            if not half and spelled in (["a", "m"], ["p", "m"]):
                half = "".join(spelled)
            return _halved(hour, minute, half)
    return None, False


def _halved(hour: int, minute: int, half: str) -> tuple[time | None, bool]:
    if hour > 23 or minute > 59:
        return None, False
    if half == "pm" and hour < 12:
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return time(hour, minute), bool(half) or hour > 12 or hour == 0


def _relative(said: list[str], index: int) -> tuple[int, int, int] | None:
    """ "half past 3", "quarter to 4", "10 past 5", "half 3"."""
    word = said[index]
    minutes = {"half": 30, "quarter": 15}.get(word) or _small(word, 59)
    if minutes is None:
        return None
    joint = index + 1
    if said[joint : joint + 1] == ["minutes"]:
        joint += 1
    side, hour = "".join(said[joint : joint + 1]), _small("".join(said[joint + 1 : joint + 2]), 12)
    if hour and side in {"past", "after"}:
        return hour, minutes, joint + 2
    if hour and side in {"to", "before", "till"} and (word in {"quarter"} or minutes in {5, 10, 15, 20, 25}):
        return (hour - 1 or 12), 60 - minutes, joint + 2
    if word == "half" and (hour := _small(side, 12)):
        return hour, 30, joint + 1
    return None


_BEFORE_TIME = {
    "at",
    "around",
    "about",
    "by",
    "for",
    "say",
    "till",
    "until",
    "like",
    "maybe",
    "to",
    "past",
    "after",
}
_AFTER_TIME = {"am", "pm", "oclock", "in", "a", "p", "sharp", "would", "please", "works", "is", "on", "if"}
_NOT_TIME = {
    "th",
    "second",
    "sec",
    "moment",
    "minutes",
    "minute",
    "hours",
    "hour",
    "people",
    "days",
    "dollars",
    "weeks",
    "percent",
    "of",
}


def _clock(said: list[str], index: int) -> tuple[int, int, int] | None:
    """ "3:30", "3 pm", "at 3", "3 30", "15 oclock", a lone "3"."""
    word = said[index]
    if ":" in word:
        hour, minute = word.split(":")
        return int(hour), int(minute), index + 1
    hour_said = _small(word, 23)
    following = said[index + 1] if index + 1 < len(said) else ""
    if hour_said is None or following in _NOT_TIME:
        return None
    minute_said = _small(following, 59)
    if minute_said is not None and hour_said and (len(following) == 2 and minute_said >= 10):
        after = "".join(said[index + 2 : index + 3])
        return None if after.isdigit() or after in _NOT_TIME else (hour_said, minute_said, index + 2)
    if following.isdigit():
        return None
    before = said[index - 1] if index else ""
    alone = len([w for w in said if w.isdigit()]) == 1 and before not in {"number", "chapter", "option"}
    if before in _BEFORE_TIME or following in _AFTER_TIME or (alone and len(said) <= 5):
        return hour_said, 0, index + 1
    return None


def _small(word: str, top: int) -> int | None:
    if not (word.isascii() and word.isdigit() and len(word) <= 2):
        return None
    return int(word) if int(word) <= top else None
