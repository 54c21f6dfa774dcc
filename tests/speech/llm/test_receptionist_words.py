"""Numbers, days, times, names and phone numbers as callers say them."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.agent import Service
from offhook.speech.llm.receptionist import slots
from offhook.speech.llm.receptionist.hours import Hours
from offhook.speech.llm.receptionist.when import parse
from offhook.speech.llm.receptionist.words import digits, grouped, numbered, tokens

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday
SERVICES = [Service("haircut"), Service("colouring"), Service("blow-dry"), Service("children's haircut")]


@pytest.mark.parametrize(
    ("said", "day", "at"),
    [
        ("half past three", None, time(3, 30)),
        ("tomorrow afternoon", date(2026, 3, 5), None),
        ("next Friday at 3 pm", date(2026, 3, 13), time(15)),
        ("three thirty p.m.", None, time(15, 30)),
        ("quarter to four", None, time(3, 45)),
        ("ten to five", None, time(4, 50)),
        ("twenty past 6 in the evening", None, time(18, 20)),
        ("the day after tomorrow at noon", date(2026, 3, 6), time(12)),
        ("March 5th at ten", date(2026, 3, 5), time(10)),
        ("the twenty first", date(2026, 3, 21), None),
        ("on the 5th of April at 14:00", date(2026, 4, 5), time(14)),
        ("the second", date(2026, 4, 2), None),
        ("wensday at nine", date(2026, 3, 4), time(9)),
        ("2", None, time(2)),
        ("in two weeks", date(2026, 3, 18), None),
        ("in a week", date(2026, 3, 11), None),
        ("three days from now", date(2026, 3, 7), None),
        ("Friday week", date(2026, 3, 13), None),
        ("monday next week", date(2026, 3, 9), None),
        ("tonight at eight", date(2026, 3, 4), time(20)),
        ("a haircut for two people on Friday", date(2026, 3, 6), None),
        ("half three tomorrow", date(2026, 3, 5), time(3, 30)),
        ("at midnight", None, time(0)),
        ("25:70", None, None),
        ("one second", None, None),
        ("february thirty", None, None),
        ("my number is five five five oh one four two", None, None),
    ],
)
def test_when(said: str, day: date | None, at: time | None) -> None:
    found = parse(tokens(said), NOW)
    assert (found.day, found.time) == (day, at)


def test_as_soon_as_possible() -> None:
    assert parse(tokens("as soon as possible"), NOW).soon
    assert parse(tokens("first thing tomorrow"), NOW).soon
    assert not parse(tokens("tomorrow"), NOW).soon


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("five five five, oh one four two", "5550142"),
        ("double five 5 0142", "5550142"),
        ("555-0142", "5550142"),
        ("it's 555 0142, thanks", "5550142"),
        ("area code four one five then five five five two six seven one", "4155552671"),
        ("triple seven one hundred", "777100"),
        ("fifty five oh one", "5501"),
        ("no", ""),
        ("1" * 40, ""),
    ],
)
def test_digits(said: str, number: str) -> None:
    assert digits(tokens(said)) == number


def test_numbers_and_groups() -> None:
    assert numbered(tokens("twenty first of three hundred and forty two")) == ["21", "th", "of", "342"]
    assert grouped("5550142") == "555 0142"
    assert grouped("4155552671") == "415 555 2671"
    assert grouped("112") == "112"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("John Smith", "John Smith"),
        ("my name is anna jones and I'd like a haircut", "Anna Jones"),
        ("it's Mary", "Mary"),
        ("um yes this is Peter", "Peter"),
        ("Mark Price speaking", "Mark Price"),
        ("M-A-R-Y", "Mary"),
        ("John Smith, S M I T H", "John Smith"),
        ("Jon Smyth, that's S M Y double T H", "Jon Smytth"),
        ("Ronald McDonald", "Ronald McDonald"),
        ("what time is it", ""),
        ("I would like to know more about it", ""),
        ("12345", ""),
        ("", ""),
    ],
)
def test_names(said: str, name: str) -> None:
    assert slots.bare_name(said) == name


@pytest.mark.parametrize(
    ("said", "service"),
    [
        ("a haircut please", "haircut"),
        ("hair cut", "haircut"),
        ("a hair cat", "haircut"),
        ("just a trim", "haircut"),
        ("I want my hair coloured", "colouring"),
        ("hair dye", "colouring"),
        ("blow drying", "blow-dry"),
        ("a kid's haircut", "children's haircut"),
        ("haircut for my son", "children's haircut"),
        ("tomorrow at three", None),
        ("a massage", None),
    ],
)
def test_services(said: str, service: str | None) -> None:
    found = slots.service(tokens(said), SERVICES)
    assert (found.name if found else None) == service


def test_callback_numbers() -> None:
    assert slots.callback(tokens("555 0142")) == "5550142"
    assert slots.callback(tokens("this number")) == slots.THIS_NUMBER
    assert slots.callback(tokens("skip")) == ""
    assert slots.callback(tokens("I like trains")) is None


def test_message_in_the_same_breath() -> None:
    assert slots.message_text("please tell Anna that I'm running late") == "I'm running late."
    assert slots.message_text("hello") == ""
    assert slots.sentence("  ") == ""


def test_hours() -> None:
    hours = Hours({"monday": "09:00-12:00, 14:00-18:00", "tuesday": "closed", "friday": "22:00-24:00"})
    monday = date(2026, 3, 9)
    assert hours.known
    assert not hours.problems
    assert hours.is_open(datetime(2026, 3, 9, 11, 59))
    assert not hours.is_open(datetime(2026, 3, 9, 12, 0))
    assert hours.is_open(datetime(2026, 3, 11, 12, 0)) is None
    assert hours.closes(datetime(2026, 3, 9, 15, 0)) == time(18)
    assert hours.next_opening(datetime(2026, 3, 9, 12, 30)) == datetime(2026, 3, 9, 14)
    assert hours.next_opening(datetime(2026, 3, 9, 19)) == datetime(2026, 3, 13, 22)
    assert hours.next_open_day(monday) == date(2026, 3, 13)
    assert hours.fits(monday, time(11, 30), 30)
    assert not hours.fits(monday, time(11, 45), 30)
    assert hours.fits(date(2026, 3, 11), time(3), 30)


def test_wrong_hours_are_named() -> None:
    hours = Hours(
        {"someday": "closed", "monday": "9 to 5", "tuesday": "18:00-09:00", "friday": "25:00-26:00"}
    )
    assert len(hours.problems) == 4
    assert not hours.known
    assert hours.next_opening(NOW) is None
    assert hours.next_open_day(NOW.date()) is None


@given(st.text(max_size=300))
def test_any_text_is_understood_somehow(text: str) -> None:
    words = tokens(text)
    parse(words, NOW)
    assert len(digits(words)) <= 15
    assert len(slots.bare_name(text)) <= 40
    slots.service(words, SERVICES)
    slots.callback(words)
    slots.message_text(text)
