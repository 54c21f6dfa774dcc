"""Where calls go: a house's rules as they are written in offhook.toml, and what becomes of each call."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from offhook.center.conditions import LONGEST_TEXT, Pattern, Situation, tidy_number
from offhook.center.routing import ASKED, Rule, Table, Target, TargetKind, parse_target
from offhook.foundation.errors import SettingsError
from offhook.settings import load

RIYADH = ZoneInfo("Asia/Riyadh")
AGENTS = "".join(
    f'[agents.{name}]\ngreeting = "Hello."\n' for name in ("front", "sales", "billing", "arabic", "night")
)
HOUSE = (
    """
default_agent = "front"

[routing]
default = "agent:front"

[routing.calendars.office]
timezone = "Asia/Riyadh"
holidays = ["09-23", 2026-12-31, "2026-03-20..2026-03-24"]
[routing.calendars.office.hours]
sunday = "09:00-17:00"
weekdays = "09:00-12:00, 13:00-17:00"
friday = "closed"
[routing.calendars.office.dates]
2026-11-26 = "09:00-11:00"

[routing.calendars.night_line]
timezone = "Asia/Riyadh"
hours = { everyday = "22:00-06:00" }

[[routing.rules]]
name = "blocked"
caller = ["+15550666", "/^\\\\+1900/"]
to = "voicemail:night"

[[routing.rules]]
name = "full house"
load_above = 0.9
to = "voicemail"

[[routing.rules]]
name = "fax line"
number = "+966 11 555 0199"
to = "number:+966115550198"

[[routing.rules]]
name = "vip"
variables = { tier = ["gold", "platinum*"] }
returning = true
to = "queue:vip"

[[routing.rules]]
name = "angry"
sentiment_below = -0.5
channel = ["phone", "webrtc", "livekit"]
to = "queue:support"

[[routing.rules]]
name = "wants a person"
intent = "wants_human"
open = "office"
to = "queue:support"

[[routing.rules]]
name = "wants a person at night"
intent = "wants_human"
closed = "office"
to = "voicemail"

[[routing.rules]]
name = "bills"
intent = ["billing", "cancel"]
to = "agent:billing"

[[routing.rules]]
name = "arabic"
language = "ar"
to = "agent:arabic"

[[routing.rules]]
name = "sales line"
number = "+1555*"
open = "office"
to = "agent:sales"

[[routing.rules]]
name = "weekend web"
channel = "browser"
days = ["friday", "saturday"]
after = "20:00"
before = "02:00"
timezone = "Asia/Riyadh"
to = "agent:night"

[[routing.rules]]
name = "night"
open = "night_line"
to = "agent:night"

[[routing.rules]]
name = "asked for sales"
agent = "sales"
to = "agent:sales"

[queues.vip]
[queues.support]
"""
    + AGENTS
)


def table(tmp_path: Path, text: str = HOUSE) -> Table:
    (tmp_path / "offhook.toml").write_text(text, encoding="utf-8")
    return load({}, tmp_path, {}).routing.table()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return table(tmp_path_factory.mktemp("house"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=RIYADH)


MONDAY, FRIDAY, SATURDAY = "2026-11-23", "2026-11-27", "2026-11-28"
DAY = f"{MONDAY} 10:00"

SITUATIONS: list[tuple[str, dict[str, Any], str, str]] = [
    # When, what is known, where to, by which rule.
    (DAY, {}, "agent:front", ""),
    (DAY, {"number": "+15550100"}, "agent:sales", "sales line"),
    (DAY, {"number": "+1 (555) 0100"}, "agent:sales", "sales line"),
    (DAY, {"number": "0015550100"}, "agent:sales", "sales line"),
    (DAY, {"number": "+14440100"}, "agent:front", ""),
    (f"{MONDAY} 08:59", {"number": "+15550100"}, "agent:front", ""),
    (f"{MONDAY} 09:00", {"number": "+15550100"}, "agent:sales", "sales line"),
    (f"{MONDAY} 12:00", {"number": "+15550100"}, "agent:front", ""),
    (f"{MONDAY} 12:59", {"number": "+15550100"}, "agent:front", ""),
    (f"{MONDAY} 13:00", {"number": "+15550100"}, "agent:sales", "sales line"),
    (f"{MONDAY} 16:59", {"number": "+15550100"}, "agent:sales", "sales line"),
    (f"{MONDAY} 17:00", {"number": "+15550100"}, "agent:front", ""),
    (f"{FRIDAY} 10:00", {"number": "+15550100"}, "agent:front", ""),
    ("2026-11-29 12:30", {"number": "+15550100"}, "agent:sales", "sales line"),  # a Sunday, without a break
    ("2026-09-23 10:00", {"number": "+15550100"}, "agent:front", ""),  # a holiday of every year
    ("2027-09-23 10:00", {"number": "+15550100"}, "agent:front", ""),
    ("2026-12-31 10:00", {"number": "+15550100"}, "agent:front", ""),  # a holiday of one year
    ("2027-12-30 10:00", {"number": "+15550100"}, "agent:sales", "sales line"),
    ("2026-03-22 10:00", {"number": "+15550100"}, "agent:front", ""),  # in a span of holidays
    ("2026-03-25 10:00", {"number": "+15550100"}, "agent:sales", "sales line"),
    ("2026-11-26 10:59", {"number": "+15550100"}, "agent:sales", "sales line"),  # a day of its own
    ("2026-11-26 11:00", {"number": "+15550100"}, "agent:front", ""),
    (f"{MONDAY} 21:59", {}, "agent:front", ""),
    (f"{MONDAY} 22:00", {}, "agent:night", "night"),
    (f"{MONDAY} 23:59", {}, "agent:night", "night"),
    (f"{MONDAY} 00:00", {}, "agent:night", "night"),
    (f"{MONDAY} 05:59", {}, "agent:night", "night"),
    (f"{MONDAY} 06:00", {}, "agent:front", ""),
    (f"{FRIDAY} 20:30", {"channel": "browser"}, "agent:night", "weekend web"),
    (f"{FRIDAY} 20:30", {"channel": "phone"}, "agent:front", ""),
    ("2026-11-29 01:59", {"channel": "browser"}, "agent:night", "weekend web"),  # Saturday's evening
    ("2026-11-27 01:30", {"channel": "browser"}, "agent:night", "night"),  # Thursday's: none of the rule's
    (DAY, {"language": "ar"}, "agent:arabic", "arabic"),
    (DAY, {"language": "ar-SA", "number": "+15550100"}, "agent:arabic", "arabic"),
    (DAY, {"language": "arz"}, "agent:front", ""),
    (DAY, {"language": "en"}, "agent:front", ""),
    (DAY, {"intent": "billing"}, "agent:billing", "bills"),
    (DAY, {"intent": "cancel", "language": "ar"}, "agent:billing", "bills"),
    (DAY, {"intent": "booking"}, "agent:front", ""),
    (DAY, {"intent": "wants_human"}, "queue:support", "wants a person"),
    (f"{MONDAY} 21:00", {"intent": "wants_human"}, "voicemail", "wants a person at night"),
    (DAY, {"sentiment": -0.51}, "queue:support", "angry"),
    (DAY, {"sentiment": -0.5}, "agent:front", ""),
    (DAY, {"sentiment": 0.0}, "agent:front", ""),
    (DAY, {"sentiment": -0.9, "channel": "browser"}, "agent:front", ""),
    (DAY, {"sentiment": -0.9, "channel": "livekit", "intent": "billing"}, "queue:support", "angry"),
    (DAY, {"variables": {"tier": "gold"}, "returning": True}, "queue:vip", "vip"),
    (DAY, {"variables": {"tier": "Platinum plus"}, "returning": True}, "queue:vip", "vip"),
    (DAY, {"variables": {"tier": "gold"}}, "agent:front", ""),
    (DAY, {"variables": {"tier": "silver"}, "returning": True}, "agent:front", ""),
    (DAY, {"load": 0.9}, "agent:front", ""),
    (DAY, {"load": 0.91, "number": "+15550100"}, "voicemail", "full house"),
    (DAY, {"caller": "+15550666", "load": 1.0}, "voicemail:night", "blocked"),
    (DAY, {"caller": "+19005550100"}, "voicemail:night", "blocked"),
    (DAY, {"caller": "sip:+1900@example.com"}, "agent:front", ""),
    (DAY, {"number": "+966115550199"}, "number:+966115550198", "fax line"),
    (DAY, {"number": "+966115550199", "channel": "webrtc"}, "agent:front", ""),  # nothing to dial with
    (DAY, {"agent": "sales"}, "agent:sales", "asked for sales"),
    (DAY, {"agent": "billing"}, "agent:front", ""),
]


@pytest.mark.parametrize(("when", "known", "target", "rule"), SITUATIONS)
def test_where_calls_go(house: Table, when: str, known: dict[str, Any], target: str, rule: str) -> None:
    found = house.decide(Situation(at(when), **known))
    assert (str(found.target), found.rule) == (target, rule), found.tried


def test_there_are_enough_situations() -> None:
    assert len(SITUATIONS) >= 40
    assert len({target for _, _, target, _ in SITUATIONS}) >= 8


def test_it_is_said_why_each_rule_before_did_not_fit(house: Table) -> None:
    found = house.decide(Situation(at(DAY), number="+15550100", language="en", intent="billing"))
    assert {tried.rule: tried.why for tried in found.tried} == {
        "blocked": "the caller is not known",
        "full house": "the load is 0, not above 0.9",
        "fax line": "the number called is +15550100, not +966115550199",
        "vip": "the variable tier is not known",
        "angry": "the sentiment is not known",
        "wants a person": "the intent is billing, not wants_human",
        "wants a person at night": "the intent is billing, not wants_human",
    }
    assert found.why == "the intent is billing or cancel"
    assert found.live
    night = house.decide(Situation(at(f"{MONDAY} 21:05"), number="+15550100"))
    assert night.why == "no rule fits"
    reasons = {tried.rule: tried.why for tried in night.tried}
    assert reasons["sales line"] == "office is closed on Mon 21:05 (Asia/Riyadh)"
    assert reasons["weekend web"] == "the channel is phone, not browser"
    assert reasons["night"] == "night_line is closed on Mon 21:05 (Asia/Riyadh)"
    web = house.decide(Situation(at(f"{MONDAY} 21:05"), channel="browser", number="+966115550199"))
    reasons = {tried.rule: tried.why for tried in web.tried}
    assert reasons["fax line"] == "a browser call cannot be connected to a number"
    assert reasons["weekend web"] == "it is Mon 21:05 (Asia/Riyadh), not Friday or Saturday 20:00-02:00"


def test_a_caller_in_a_room_goes_to_a_number_where_they_came_by_telephone() -> None:
    number = Target(TargetKind.NUMBER, "+15550100")
    for table in (Table([Rule("out", number)]), Table(default=number)):
        room = table.decide(Situation(at(DAY), channel="livekit"))
        assert room.target == ASKED
        assert all("only where they came by telephone" in tried.why for tried in room.tried)
        assert table.decide(Situation(at(DAY), channel="livekit", refers=True)).target == number


def test_the_order_of_rules_decides() -> None:
    first, second = (Rule(name, Target(TargetKind.AGENT, name)) for name in "ab")
    for rules in ([first, second], [second, first]):
        assert Table(rules).decide(Situation(at(DAY))).rule == rules[0].name


def test_without_rules_calls_go_to_whom_they_asked_for() -> None:
    assert not Table()
    assert Table().decide(Situation(at(DAY), agent="sales")).target == ASKED
    dialling = Table(default=Target(TargetKind.NUMBER, "+15550100"))
    assert dialling.decide(Situation(at(DAY))).target.kind is TargetKind.NUMBER
    assert dialling.decide(Situation(at(DAY), channel="browser")).target == ASKED


def test_a_decision_takes_microseconds(house: Table) -> None:
    """Far from any bound that a call would notice; bench/routing.py has the figures."""
    situation = Situation(at(f"{MONDAY} 21:05"), number="+14440100", caller="+14440199", language="en")
    began = time.perf_counter()
    for _ in range(200):
        house.decide(situation)
    assert (time.perf_counter() - began) / 200 < 0.005


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("agent:sales", Target(TargetKind.AGENT, "sales")),
        (" queue: vip ", Target(TargetKind.QUEUE, "vip")),
        ("number:+1 555 0100", Target(TargetKind.NUMBER, "+15550100")),
        ("number:00 966 11 555", Target(TargetKind.NUMBER, "+96611555")),
        ("number:sip:desk@example.com", Target(TargetKind.NUMBER, "sip:desk@example.com")),
        ("voicemail", Target(TargetKind.VOICEMAIL)),
        ("voicemail:night", Target(TargetKind.VOICEMAIL, "night")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    "text",
    [
        *("", "agent", "agent:", "queue:", "sales", "phone:+15550100"),
        *("number:", "number:abc", "number:+٩٦٦١١٥٥٥٠", "number:sip:", "number:sip:desk", "number:sip:a@b@c"),
    ],
)
def test_no_targets(text: str) -> None:
    with pytest.raises(ValueError, match=":"):
        parse_target(text)


def test_numbers_are_compared_without_their_dress() -> None:
    assert tidy_number("(00) 1-555.0100") == "+15550100"
    assert tidy_number(" sip:Desk@Example.com ") == "sip:Desk@Example.com"
    assert Pattern("SIP:desk*").matches("sip:desk@example.com")
    assert Pattern("Gold").matches("gold")
    assert Pattern("*").matches("+15550100")
    for wrong in ("", "  ", "/(/", "+1*5*"):
        with pytest.raises(ValueError, match=r"\S"):
            Pattern(wrong)


def test_a_regular_expression_cannot_hold_up_the_house() -> None:
    """One that goes back and tries again would be at each of these until the test's time is up."""
    evil = ("^(a+)+$", "^(a|aa)*$", "^((ab)*c?)+$", "(a?){30}a{30}$", "(?:[a-z]+,?)*!$", "(a|a)" * 40 + "!$")
    for slow in (*evil, "a?" * 40 + "a" * 40 + "!$", ".*a.*a.*a.*a.*a.*a.*!$"):
        assert not Pattern(f"/{slow}/").matches("a" * (LONGEST_TEXT - 1) + "?")
    assert Pattern(r"/^\+1(555|556)\d*$/").matches("+15550100")
    for wrong, why in ((r"(a)\1", "invalid escape"), ("(?=a)", "invalid perl operator"), ("a{9999}", "size")):
        with pytest.raises(ValueError, match=f"between slashes .*{why}"):
            Pattern(f"/{wrong}/")


RULE = '[[routing.rules]]\nname = "odd"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('to = "agent:nobody"', 'one of the agents default (rule "odd")'),
        ('to = "queue:nobody"', 'a queue, and there is none (rule "odd")'),
        ('to = "voicemail:nobody"', 'one of the agents default (rule "odd")'),
        ('to = "nowhere"', '"agent:NAME", "queue:NAME"'),
        ('name2 = "x"\nto = "voicemail"', 'is no setting; did you mean name? (rule "odd")'),
        ("", 'to (offhook.toml) is missing (rule "odd")'),
        ('to = "voicemail"\nnumber = ["+1555", "/(/"]', 'number[1] (offhook.toml) = "/(/"'),
        ('to = "voicemail"\ncaller = ""', "text, not empty"),
        ('to = "voicemail"\nchannel = "pigeon"', "one of phone, browser"),
        ('to = "voicemail"\nchannel = "realtime"', "one of phone, browser"),
        ('to = "voicemail"\nchannel = 5', 'a list (rule "odd")'),
        ('to = "voicemail"\nlanguage = "Arabic"', 'a language code like "en"'),
        ('to = "voicemail"\nintent = "billling"', "billing"),
        ('to = "voicemail"\nsentiment_below = -2', "-1 to 1"),
        ('to = "voicemail"\nsentiment_below = -0.5\nsentiment_above = 0.5', "less than sentiment_below"),
        ('to = "voicemail"\nload_above = 2', "0 to 1"),
        ('to = "voicemail"\nopen = "office"', "a calendar, and there is none"),
        ('to = "voicemail"\ndays = ["mon"]', "one of monday"),
        ('to = "voicemail"\nafter = "9:00"', 'a time like "17:30"'),
        ('to = "voicemail"\nbefore = "25:00"', 'a time like "17:30"'),
        ('to = "voicemail"\nafter = "09:00"\nbefore = "09:00"', "not the other one"),
        ('to = "voicemail"\ntimezone = "Mars/Olympus"', "a time zone name"),
        ('to = "voicemail"\nreturning = "maybe"', "true or false"),
        ('to = "voicemail"\nagent = "nobody"', "one of default"),
        ('to = "voicemail"\nvariables = { tier = ["/(/"] }', "variables.tier[0]"),
        (f'to = "voicemail"\n{RULE}to = "voicemail"', "a name that no other rule has"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        table(tmp_path, RULE + text)
    assert said in refused.value.reason
    assert "routing.rules" in refused.value.reason
    assert 'rule "odd"' in refused.value.reason or "name that no other" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[routing]\ndefault = "queue:x"', "a queue, and there is none"),
        ('[routing.calendars.Office]\ntimezone = "UTC"', "calendar names"),
        ('[routing.calendars.office]\ntimezone = "Nowhere"', "time zone"),
        ('[routing.calendars.office.hours]\nmoonday = "09:00-10:00"', "days monday"),
        ('[routing.calendars.office.hours]\nmonday = "9-5"', '"closed", "always"'),
        ('[routing.calendars.office.hours]\nmonday = "09:00-12:00, 11:00-13:00"', "without overlap"),
        ('[routing.calendars.office.hours]\nmonday = "22:00-06:00, 23:00-23:30"', "only the last"),
        ('[routing.calendars.office.dates]\n"2026-13-01" = "closed"', "a date like"),
        ('[routing.calendars.office]\nholidays = ["13-45"]', "a date like"),
        ('[routing.calendars.office]\nholidays = ["2026-04-12..2026-04-09"]', "end after they begin"),
        ('[routing.calendars.office]\nholidays = ["2026-01-01..2029-01-01"]', "within a year"),
    ],
)
def test_wrong_calendars_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        table(tmp_path, text)
    assert said in refused.value.reason
