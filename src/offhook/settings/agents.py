"""What an agent's table must satisfy beyond its types: names, hours, patience. No defaults."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from pydantic_core import PydanticCustomError

from offhook.desk.warm.targets import is_target
from offhook.foundation.agent import Agent, Facts, Patience
from offhook.foundation.destination import is_destination

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ENGINES = ("", "cascade", "scripted", "openai-realtime", "elevenlabs")
FALLBACK_ENGINES = ("", "cascade", "scripted")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)\Z")
_PATIENCE = {
    "endpoint_ms": (100, 5_000),
    "endpoint_max_ms": (200, 10_000),
    "hold_ms": (20, 2_000),
    "confirm_ms": (40, 5_000),
    "no_input_ms": (1_000, 120_000),
    "reprompts": (0, 10),
}

Fault = tuple[tuple[str | int, ...], Any, str]
"""Path below `agents`, the value, what is allowed."""


def name_agents(agents: Any) -> Any:
    """Give each agent table its key as name; anything that is no table is left for the type check."""
    if not isinstance(agents, Mapping):
        return agents
    named: dict[Any, Any] = {}
    for key, value in agents.items():
        if isinstance(value, Mapping):
            if value.get("name", key) != key:
                raise _error(((key, "name"), value["name"], f'no name of its own: the table is "{key}"'))
            value = {**value, "name": key}
        elif isinstance(value, Agent) and value.name != key:
            value = dataclasses.replace(value, name=str(key))
        named[key] = value
    return named


def check_agents(agents: Mapping[str, Agent]) -> None:
    """Raise a PydanticCustomError of type `setting` for the first fault found."""
    if not agents:
        raise _error(((), {}, "at least one agent"))
    for name, agent in agents.items():
        for path, value, allowed in _faults(name, agent):
            raise _error(((name, *path), value, allowed))


def hours_fault(text: str) -> str:
    """Why `text` is no opening hours of a day, or an empty string."""
    if text == "closed":
        return ""
    spans = [span.strip() for span in text.split(",")]
    if not all(_SPAN.match(span) for span in spans):
        return '"closed", or hours like "09:00-17:30", several parted by commas'
    times = [time for span in spans for time in span.split("-")]
    if any(a >= b for a, b in itertools.pairwise(times)):
        return "hours that end after they begin, in order, without overlap"
    return ""


def _error(fault: Fault) -> PydanticCustomError:
    path, value, allowed = fault
    return PydanticCustomError("setting", "{allowed}", {"path": path, "value": value, "allowed": allowed})


def _faults(name: str, agent: Agent) -> Iterator[Fault]:
    if not _NAME.match(name):
        yield (), name, "agent names of lower-case letters, digits, - and _"
    for path, code in _codes(agent):
        if not _LANGUAGE.match(code):
            yield path, code, 'a language code like "en" or "pt-BR"'
    for table in (agent.voices, agent.phrases):
        for code in table:
            if code not in agent.spoken:
                name = "voices" if table is agent.voices else "phrases"
                yield (name, code), code, f"one of the agent's languages, {', '.join(agent.spoken)}"
    for name, confirm in (("confirm", agent.confirm), *_confirms(agent)):
        if confirm and "{what}" not in confirm:
            yield (name,), confirm, "a question with {what} in it"
    if agent.engine not in ENGINES:
        yield ("engine",), agent.engine, "one of " + ", ".join(e for e in ENGINES if e)
    if agent.fallback_engine not in FALLBACK_ENGINES:
        yield ("fallback_engine",), agent.fallback_engine, "one of " + ", ".join(FALLBACK_ENGINES[1:])
    if agent.consult and not is_target(agent.consult):
        yield ("consult",), agent.consult, "anyone, role:ROLE, queue:NAME or person:ID"
    if not 10 <= agent.max_call_seconds <= 86_400:
        yield ("max_call_seconds",), agent.max_call_seconds, "10 to 86400"
    for path, value, allowed in _facts_faults(agent.facts):
        yield ("facts", *path), value, allowed
    for path, value, allowed in _patience_faults(agent.patience):
        yield ("patience", *path), value, allowed


def _confirms(agent: Agent) -> Iterator[tuple[str, str]]:
    for code, phrases in agent.phrases.items():
        yield f"phrases.{code}.confirm", phrases.confirm


def _codes(agent: Agent) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield ("language",), agent.language
    for index, code in enumerate(agent.languages):
        yield ("languages", index), code


def _facts_faults(facts: Facts) -> Iterator[Fault]:
    for day, text in facts.hours.items():
        if day not in DAYS:
            yield ("hours", day), text, "days " + ", ".join(DAYS)
        elif allowed := hours_fault(text):
            yield ("hours", day), text, allowed
    if facts.transfer_to and not is_destination(facts.transfer_to):
        yield ("transfer_to",), facts.transfer_to, "a phone number like +15550100, or sip:NAME@HOST"
    if facts.timezone and facts.timezone not in available_timezones():
        yield ("timezone",), facts.timezone, 'a time zone name like "Europe/Lisbon"'
    for index, service in enumerate(facts.services):
        if not service.name.strip():
            yield ("services", index, "name"), service.name, "a name"
        if not 1 <= service.minutes <= 1440:
            yield ("services", index, "minutes"), service.minutes, "1 to 1440"
    for index, question in enumerate(facts.questions):
        if not question.ask or not all(wording.strip() for wording in question.ask):
            yield ("questions", index, "ask"), question.ask, "at least one wording, none of them empty"
        if not question.answer.strip():
            yield ("questions", index, "answer"), question.answer, "an answer"


def _patience_faults(patience: Patience) -> Iterator[Fault]:
    for name, (low, high) in _PATIENCE.items():
        value = getattr(patience, name)
        if not low <= value <= high:
            yield (name,), value, f"{low} to {high}"
    if patience.endpoint_max_ms < patience.endpoint_ms:
        yield ("endpoint_max_ms",), patience.endpoint_max_ms, "not less than endpoint_ms"
    if patience.confirm_ms < patience.hold_ms:
        yield ("confirm_ms",), patience.confirm_ms, "not less than hold_ms"
