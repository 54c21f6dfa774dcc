"""What can be set of routing: rules and their default. Made into `center.routing`'s table here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from offhook.center import calendar as calendars
from offhook.center import conditions as ask
from offhook.center.calendar import DAYS, Calendar
from offhook.center.conditions import Condition, Pattern
from offhook.center.routing import ASKED, Rule, Table, Target, TargetKind, parse_target
from offhook.desk.coach.intents import Intent
from offhook.foundation.events import ChannelKind
from offhook.settings.calendars import CalendarSettings, Fault, Texts, fault_of
from offhook.settings.vendors import Section

MOST_RULES = 500
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


class RuleSettings(Section):
    """One of `[[routing.rules]]`: all that it asks must hold."""

    name: str = Field(default="", max_length=64)
    to: str
    number: Texts = Field(default_factory=list)
    caller: Texts = Field(default_factory=list)
    channel: Texts = Field(default_factory=list)
    agent: Texts = Field(default_factory=list)
    """The one that the caller asked for."""
    language: Texts = Field(default_factory=list)
    intent: Texts = Field(default_factory=list)
    sentiment_below: float | None = Field(default=None, ge=-1, le=1)
    sentiment_above: float | None = Field(default=None, ge=-1, le=1)
    open: str = ""
    closed: str = ""
    """Calendars."""
    days: Texts = Field(default_factory=list)
    after: str = ""
    before: str = ""
    """Times of the day; `before` may be on the next one."""
    timezone: str = ""
    returning: bool | None = None
    load_above: float | None = Field(default=None, ge=0, le=1)
    load_below: float | None = Field(default=None, ge=0, le=1)
    variables: dict[str, Texts] = Field(default_factory=dict)

    def rule(self, name: str, hours: Mapping[str, Calendar]) -> Rule:
        """Of settings that `faults` found nothing in."""
        live = bool(self.language or self.intent) or self._sentiment() is not None
        return Rule(name, parse_target(self.to), tuple(self._conditions(hours)), live)

    def _conditions(self, hours: Mapping[str, Calendar]) -> Iterator[Condition]:
        """The cheap ones first."""
        if self.channel:
            yield ask.Word("the channel", lambda s: s.channel, tuple(self.channel))
        if self.agent:
            yield ask.Word("the agent asked for", lambda s: s.agent, tuple(self.agent))
        if self.number:
            yield ask.Text("the number called", lambda s: s.number, _patterns(self.number))
        if self.caller:
            yield ask.Text("the caller", lambda s: s.caller, _patterns(self.caller))
        for name, texts in self.variables.items():
            yield ask.Text(f"the variable {name}", _variable(name), _patterns(texts))
        if self.returning is not None:
            yield ask.Returning(self.returning)
        if self.language:
            yield ask.Language(tuple(code.lower() for code in self.language))
        if self.intent:
            yield ask.Word(ask.INTENT, lambda s: s.intent, tuple(self.intent))
        if (sentiment := self._sentiment()) is not None:
            yield sentiment
        if self.load_above is not None or self.load_below is not None:
            yield ask.Number("the load", lambda s: s.load, self.load_above, self.load_below)
        if self.days or self.after or self.before:
            yield ask.time_of(self.days, self.after, self.before, self.timezone)
        if self.open:
            yield ask.Open(hours[self.open])
        if self.closed:
            yield ask.Open(hours[self.closed], False)

    def _sentiment(self) -> Condition | None:
        if self.sentiment_above is None and self.sentiment_below is None:
            return None
        return ask.Number("the sentiment", lambda s: s.sentiment, self.sentiment_above, self.sentiment_below)

    def faults(
        self, agents: Collection[str], queues: Collection[str], hours: Collection[str]
    ) -> Iterator[Fault]:
        yield from target_faults(("to",), self.to, agents, queues)
        for field in ("number", "caller"):
            yield from _pattern_faults((field,), getattr(self, field))
        for name, texts in self.variables.items():
            yield from _pattern_faults(("variables", name), texts)
        words = (
            ("channel", [kind.value for kind in ChannelKind if kind not in _NEVER_ROUTED]),
            ("intent", [intent.value for intent in Intent]),
            ("days", DAYS),
            ("agent", sorted(agents)),
        )
        for field, known in words:
            for index, word in enumerate(getattr(self, field)):
                if word not in known:
                    yield (field, index), word, "one of " + ", ".join(known)
        for index, code in enumerate(self.language):
            if not _LANGUAGE.match(code):
                yield ("language", index), code, 'a language code like "en" or "pt-BR"'
        for field in ("open", "closed"):
            name = getattr(self, field)
            if name and name not in hours:
                yield (field,), name, _one_of("calendar", hours)
        yield from self._time_faults()
        for field in ("sentiment", "load"):
            low, high = getattr(self, f"{field}_above"), getattr(self, f"{field}_below")
            if low is not None and high is not None and low >= high:
                yield (f"{field}_above",), low, f"less than {field}_below"

    def _time_faults(self) -> Iterator[Fault]:
        if fault := fault_of(calendars.zone, self.timezone):
            yield ("timezone",), self.timezone, fault
            return
        for field, text in (("after", self.after), ("before", self.before)):
            if text and (fault := fault_of(calendars.minutes, text)):
                yield (field,), text, fault
                return
        try:
            ask.time_of((), self.after, self.before, "")
        except ValueError as error:
            yield ("before",), self.before, str(error)


_NEVER_ROUTED = (ChannelKind.REALTIME, ChannelKind.SILENT)
"""Programs say themselves which agent they talk to."""


class Routing(Section):
    """`[routing]`: where calls go. Without rules they go to the agent that was asked for."""

    default: str = ""
    """Where a call goes that no rule fits; empty: the agent that was asked for."""
    intent_confidence: float = Field(default=0.6, ge=0, le=1)
    """How sure an intent must be to count."""
    hand_overs: int = Field(default=3, ge=0, le=20)
    """How often a call may be moved in mid-call."""
    voicemail: dict[str, str] = Field(default_factory=dict)
    """By language: what a caller hears before leaving a message."""
    calendars: dict[str, CalendarSettings] = Field(default_factory=dict)
    rules: list[RuleSettings] = Field(default_factory=list, max_length=MOST_RULES)

    def table(self) -> Table:
        """Of settings that `check_routing` found nothing in."""
        hours = {name: own.calendar(name) for name, own in self.calendars.items()}
        rules = [own.rule(rule_name(self.rules, at), hours) for at, own in enumerate(self.rules)]
        return Table(rules, parse_target(self.default) if self.default else ASKED)


def rule_name(rules: list[RuleSettings], at: int) -> str:
    """What a rule is called; one without a name by its place, from 1."""
    return rules[at].name or f"rule {at + 1}"


def check_routing(routing: Routing, agents: Collection[str], queues: Collection[str]) -> None:
    """Raise a PydanticCustomError of type `setting` for the first fault, which names the rule."""
    for path, value, allowed in _faults(routing, agents, queues):
        context = {"path": ("routing", *path), "value": value, "allowed": allowed}
        raise PydanticCustomError("setting", "{allowed}", context)


def _faults(routing: Routing, agents: Collection[str], queues: Collection[str]) -> Iterator[Fault]:
    if routing.default:
        yield from target_faults(("default",), routing.default, agents, queues)
    for code, text in routing.voicemail.items():
        if not _LANGUAGE.match(code) or not text.strip():
            yield ("voicemail", code), text, 'a line for a language code like "en"'
    for name, own in routing.calendars.items():
        if not _NAME.match(name):
            yield ("calendars", name), name, "calendar names of lower-case letters, digits, - and _"
        for path, value, allowed in own.faults():
            yield ("calendars", name, *path), value, allowed
    names: set[str] = set()
    for at, rule in enumerate(routing.rules):
        name = rule_name(routing.rules, at)
        if name in names:
            yield ("rules", at, "name"), name, "a name that no other rule has"
        names.add(name)
        for path, value, allowed in rule.faults(agents, queues, routing.calendars.keys()):
            yield ("rules", at, *path), value, f'{allowed} (rule "{name}")'


def target_faults(
    path: tuple[str | int, ...], text: str, agents: Collection[str], queues: Collection[str]
) -> Iterator[Fault]:
    """Why a target is none."""
    try:
        target = parse_target(text)
    except ValueError as error:
        yield path, text, str(error)
        return
    if target.kind is TargetKind.QUEUE and target.name not in queues:
        yield path, text, _one_of("queue", queues)
    elif target.kind in (TargetKind.AGENT, TargetKind.VOICEMAIL) and target.name not in ("", *agents):
        yield path, text, _one_of("agent", agents)


def target_of(text: str, otherwise: Target = ASKED) -> Target:
    """Of a setting that `target_faults` found nothing in."""
    return parse_target(text) if text else otherwise


def _one_of(what: str, names: Collection[str]) -> str:
    return f"one of the {what}s {', '.join(sorted(names))}" if names else f"a {what}, and there is none"


def _pattern_faults(path: tuple[str | int, ...], texts: list[str]) -> Iterator[Fault]:
    for index, text in enumerate(texts):
        if fault := fault_of(Pattern, text):
            yield (*path, index), text, fault


def _patterns(texts: list[str]) -> list[Pattern]:
    return [Pattern(text) for text in texts]


def _variable(name: str) -> Any:
    return lambda situation: str(situation.variables.get(name, ""))
