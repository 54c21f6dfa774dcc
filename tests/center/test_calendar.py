"""Calendars around midnight, summer time, holidays and leap days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.center.calendar import DAYS, Calendar, days, minutes, spans, zone

BERLIN = "Europe/Berlin"


def daily(hours: str, timezone: str = BERLIN, **more: object) -> Calendar:
    return Calendar("c", timezone, (spans(hours),) * 7, **more)  # type: ignore[arg-type]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-28 07:59", False),  # Winter: an hour ahead of UTC.
        ("2026-03-28 08:00", True),
        ("2026-03-29 06:59", False),  # Summer from this night on: two hours ahead.
        ("2026-03-29 07:00", True),
        ("2026-03-29 14:59", True),
        ("2026-03-29 15:00", False),
        ("2026-10-24 07:00", True),
        ("2026-10-25 07:00", False),  # Winter again.
        ("2026-10-25 08:00", True),
    ],
)
def test_hours_follow_the_wall_clock_over_summer_time(moment: str, is_open: bool) -> None:
    assert daily("09:00-17:00").is_open(utc(moment)) is is_open


def test_an_hour_that_is_skipped_and_one_that_comes_twice() -> None:
    night = daily("02:15-03:15")
    # 2026-03-29: 01:59 is followed by 03:00.
    assert [night.is_open(utc(f"2026-03-29 {t}")) for t in ("00:59", "01:00", "01:14", "01:15")] == [
        False,
        True,
        True,
        False,
    ]
    # 2026-10-25: 02:00 to 03:00 comes twice.
    opened = [night.is_open(utc("2026-10-25 00:00") + timedelta(minutes=n)) for n in range(180)]
    assert opened.count(True) == 45 + 45 + 15


def test_past_midnight_belongs_to_the_day_it_began_on() -> None:
    week = tuple(spans("22:00-06:00") if day == "friday" else () for day in DAYS)
    night = Calendar("n", BERLIN, week, holidays=frozenset({date(2026, 12, 5), date(2026, 12, 11)}))
    local = ZoneInfo(BERLIN)

    def at(text: str) -> bool:
        return night.is_open(datetime.fromisoformat(text).replace(tzinfo=local))

    assert not at("2026-12-04 21:59")
    assert at("2026-12-04 22:00")
    assert at("2026-12-05 05:59")  # Into a holiday, for it began before.
    assert not at("2026-12-05 06:00")
    assert not at("2026-12-11 23:00")  # A holiday: it does not begin.
    assert not at("2026-12-12 01:00")


def test_always_and_never_and_whole_days() -> None:
    assert daily("always").is_open(utc("2026-01-01 23:59"))
    assert daily("00:00-24:00").is_open(utc("2026-01-01 23:59"))
    assert not daily("closed").is_open(utc("2026-01-01 12:00"))
    assert Calendar("empty").is_open(utc("2026-01-01 12:00")) is False


def test_single_days_come_before_the_week_and_after_holidays() -> None:
    own = {date(2026, 12, 24): spans("09:00-11:00"), date(2026, 12, 25): spans("09:00-11:00")}
    calendar = daily("09:00-17:00", "UTC", dates=own, holidays=frozenset({(12, 25)}))
    assert calendar.is_open(utc("2026-12-24 10:59"))
    assert not calendar.is_open(utc("2026-12-24 11:00"))
    assert not calendar.is_open(utc("2026-12-25 10:00"))
    assert calendar.is_open(utc("2026-12-23 16:00"))


def test_what_texts_mean() -> None:
    assert minutes("24:00") == 1440
    assert spans("09:00-12:00,13:00-24:00") == ((540, 720), (780, 1440))
    assert spans("22:00-06:00") == ((1320, 1800),)
    assert list(days("02-29")) == [(2, 29)]
    assert list(days("2026-02-27..2026-03-01")) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert zone("") is None


@pytest.mark.parametrize(
    "text", ["", "9-5", "09:00", "09:00-09:00", "24:00-01:00", "09:00-25:00", "a-b", "-"]
)
def test_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        spans(text)


@pytest.mark.parametrize("text", ["", "30-02", "02-30", "2026-02-29", "2026-01-02..2026-01-01", "soon", ".."])
def test_no_days(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        list(days(text))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from([BERLIN, "Asia/Riyadh"]))
def test_a_day_is_either_within_hours_or_outside(moment: datetime, timezone: str) -> None:
    """What is open by day is closed by night, and the other way round, at every moment."""
    at = moment.replace(tzinfo=UTC)
    assert daily("06:00-22:00", timezone).is_open(at) is not daily("22:00-06:00", timezone).is_open(at)
