"""What can be set of the queues of operators (`[queues.NAME]`): who answers, how long, what is said."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from offhook.center.routing import TargetKind, parse_target
from offhook.foundation.agent import Agent
from offhook.settings.calendars import Fault, Texts
from offhook.settings.routing import target_faults
from offhook.settings.vendors import Section

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
NOTES, SILENCE = "notes", "silence"


class QueuePhrases(Section):
    """What those who wait are told in a language; an empty one is said as it is shipped. `{position}` and
    `{minutes}` are filled in."""

    joined: str = Field(default="", max_length=500)
    next: str = Field(default="", max_length=500)
    position: str = Field(default="", max_length=500)
    wait: str = Field(default="", max_length=500)
    offer: str = Field(default="", max_length=500)
    confirm_call_back: str = Field(default="", max_length=500)
    call_back: str = Field(default="", max_length=500)
    ask_number: str = Field(default="", max_length=500)
    connecting: str = Field(default="", max_length=500)


class QueueSettings(Section):
    """Callers who wait for a human, the longest first."""

    agent: str = ""
    """Whose voice those who wait hear, and who goes on where nobody answers; empty: whom they called."""
    skills: Texts = Field(default_factory=list)
    """Operators need all of them."""
    languages: Texts = Field(default_factory=list)
    """Operators speak the caller's, or one of these while that is not known."""
    head_start_seconds: int = Field(default=0, ge=0, le=3_600)
    """Callers here are served as if they had waited so much longer than those of other queues."""
    ring_seconds: int = Field(default=20, ge=5, le=120)
    """How long an operator may take to answer before the next one is rung."""
    wrap_up_seconds: int = Field(default=5, ge=0, le=600)
    """Between an operator's calls."""
    max_wait_seconds: int = Field(default=300, ge=5, le=7_200)
    max_callers: int = Field(default=50, ge=1, le=1_000)
    unstaffed_seconds: int = Field(default=15, ge=0, le=7_200)
    """How long callers wait while nobody is there who could answer."""
    overflow: str = ""
    """Where who waited too long goes; empty: the agent goes on with the call."""
    hold_audio: str = NOTES
    """"notes", "silence", or a WAV file."""
    announce_seconds: int = Field(default=45, ge=0, le=600)
    """How often position and wait are told; 0 is once."""
    handle_seconds: int = Field(default=180, ge=5, le=7_200)
    """How long a call takes an operator, until that is measured."""
    call_back: bool = True
    call_back_key: str = "1"
    phrases: dict[str, QueuePhrases] = Field(default_factory=dict)

    def faults(self, agents: Collection[str], queues: Collection[str]) -> Iterator[Fault]:
        if self.agent and self.agent not in agents:
            yield ("agent",), self.agent, "one of the agents " + ", ".join(sorted(agents))
        if self.overflow:
            yield from target_faults(("overflow",), self.overflow, agents, queues)
        for field, form, allowed in (
            ("skills", _WORD, "words of lower-case letters, digits, - and _"),
            ("languages", _LANGUAGE, 'a language code like "en"'),
        ):
            for index, word in enumerate(getattr(self, field)):
                if not form.match(word):
                    yield (field, index), word, allowed
        if self.call_back_key not in tuple("0123456789*#"):
            yield ("call_back_key",), self.call_back_key, "one of the keys 0-9 * #"
        for language, phrases in self.phrases.items():
            if not _LANGUAGE.match(language):
                yield ("phrases", language), phrases, 'a language code like "en"'
            for field in ("position", "wait"):
                wanted = "{position}" if field == "position" else "{minutes}"
                text = getattr(phrases, field)
                if text and wanted not in text:
                    yield ("phrases", language, field), text, f"a sentence with {wanted} in it"


def check_queues(queues: Mapping[str, QueueSettings], agents: Collection[str]) -> None:
    """Raise a PydanticCustomError of type `setting` for the first fault."""
    for path, value, allowed in _faults(queues, agents):
        context = {"path": ("queues", *path), "value": value, "allowed": allowed}
        raise PydanticCustomError("setting", "{allowed}", context)


def check_consults(agents: Iterable[Agent], queues: Collection[str]) -> None:
    """The queues whose operators agents ask exist. Raise a PydanticCustomError of type `setting`."""
    for agent in agents:
        kind, _, name = agent.consult.partition(":")
        if kind.strip() == "queue" and name.strip() not in queues:
            known = ", ".join(sorted(queues)) or "there are none"
            context = {
                "path": ("agents", agent.name, "consult"),
                "value": agent.consult,
                "allowed": f"a queue of the settings; known: {known}",
            }
            raise PydanticCustomError("setting", "{allowed}", context)


def _faults(queues: Mapping[str, QueueSettings], agents: Collection[str]) -> Iterator[tuple[Any, Any, str]]:
    for name, queue in queues.items():
        if not _NAME.match(name):
            yield (name,), name, "queue names of lower-case letters, digits, - and _"
        for path, value, allowed in queue.faults(agents, queues.keys()):
            yield (name, *path), value, allowed
    for name, queue in queues.items():
        seen, at = {name}, queue
        while at.overflow and (target := parse_target(at.overflow)).kind is TargetKind.QUEUE:
            if target.name in seen:
                yield (name, "overflow"), queue.overflow, "a way that does not come back to this queue"
                break
            seen.add(target.name)
            at = queues[target.name]
