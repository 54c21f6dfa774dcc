"""One reply in the making: what is known, what was said, and how to phrase an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from types import ModuleType

from offhook.foundation.agent import Agent, Facts, Service
from offhook.speech.base import ToolCall
from offhook.speech.llm.receptionist import english, slots, when
from offhook.speech.llm.receptionist.classify import Meaning
from offhook.speech.llm.receptionist.hours import Hours
from offhook.speech.llm.receptionist.intents import Intent
from offhook.speech.llm.receptionist.state import Reply, State, Step
from offhook.speech.llm.receptionist.words import tokens

LANGUAGES: dict[str, ModuleType] = {"en": english}
MAX_CHARS = 600


@dataclass(frozen=True)
class Scene:
    """The caller's line, its meanings, the state before it, and the facts; `reference` is for a booking."""

    agent: Agent
    hours: Hours
    state: State
    text: str
    meaning: Meaning
    meanings: tuple[Meaning, ...]
    now: datetime
    reference: str = ""
    heard: str = ""
    words: list[str] = field(init=False)
    when: when.When = field(init=False)
    service: Service | None = field(init=False)

    def __post_init__(self) -> None:
        words = tokens(self.text)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "when", when.parse(words, self.now))
        object.__setattr__(self, "service", slots.service(words, self.facts.services))

    @property
    def facts(self) -> Facts:
        return self.agent.facts

    @property
    def language(self) -> ModuleType:
        """The phrases of the agent's language; English where there are none yet."""
        return LANGUAGES.get(self.agent.language[:2].casefold(), english)

    @property
    def today(self) -> date:
        return self.now.date()

    def has(self, *intents: Intent) -> bool:
        """Whether any sentence of the caller means one of these."""
        return any(meaning.intent in intents for meaning in self.meanings)

    def say(self, key: str, **slots: str) -> str:
        """A phrase, in a wording that the last reply did not use where there is one."""
        said = ""
        for wording in self.language.PHRASES[key]:
            said = capital(wording.format(**slots))
            if said not in self.state.said:
                return said
        return said

    def reply(self, *parts: str, state: State | None = None, calls: tuple[ToolCall, ...] = ()) -> Reply:
        """A reply of these parts (empty ones left out), none of which was in the last reply as it is."""
        fresh = []
        for part in filter(None, parts):
            if part in self.state.said:
                wordings = [again.format(text=part) for again in self.language.PHRASES["again"]]
                part = next((w for w in wordings if w not in self.state.said), wordings[0])
            fresh.append(part)
        after = state or replace(self.state, step=Step.OPEN, misses=0)
        return Reply(replace(after, said=tuple(fresh)), tuple(fresh), calls)

    def clock(self, moment: time) -> str:
        return str(self.language.clock(moment))

    def day(self, day: date) -> str:
        """ "today", "on Friday"."""
        return str(self.language.calendar_day(day, self.today))

    def spans(self, day: date) -> str:
        return str(self.language.spans(self.hours.on(day) or ()))

    def listing(self, items: list[str], last: str = "and") -> str:
        return str(self.language.listing(items, last))


def capital(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]
