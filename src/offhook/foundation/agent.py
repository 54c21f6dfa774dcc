"""What an agent is: its persona, voice, patience and the facts it may state. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Service:
    """What the business offers: a name, its price as spoken ("from 40 dollars"), minutes for a booking."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    price: str = ""
    minutes: int = 30
    description: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question callers ask, in any wordings, and its answer in one or two sentences."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    ask: list[str]
    answer: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the receptionist may state as fact. What is not here it does not know, and says so.

    `hours` maps lower-case English day names ("monday" … "sunday") to "09:00-17:30",
    several spans parted by commas, or "closed".
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    business: str = "Offhook"
    about: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    hours: dict[str, str] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    booking: bool = True
    transfer_to: str = ""
    timezone: str = ""
    """An IANA name like "Europe/Lisbon" for "now", "today" and the hours; empty is the server's own."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Turn-taking times of one agent, in milliseconds.

    endpoint: silence after which a finished-sounding turn ends; endpoint_max: silence that
    ends any turn; hold: overlapping speech after which the agent's audio stops; confirm:
    overlapping speech that makes the interruption real; no_input: silence of the caller
    before "are you still there?"; reprompts: how often that is asked before the goodbye.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    endpoint_ms: int = 300
    endpoint_max_ms: int = 900
    hold_ms: int = 96
    confirm_ms: int = 640
    no_input_ms: int = 10_000
    reprompts: int = 2


@dataclass(frozen=True, slots=True)
class Phrases:
    """The agent's fixed lines in another language; an empty one is said as the agent's own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    greeting: str = ""
    goodbye: str = ""
    still_there: str = ""
    apology: str = ""
    one_moment: str = ""
    confirm: str = ""
    noted: str = ""
    nobody: str = ""
    cannot: str = ""
    back: str = ""
    hand_over: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as configured under `agents.<name>`.

    `language` is spoken first; `languages` are all that the agent speaks (empty: that one alone), and it
    follows a caller who uses another of them. `voices` maps languages to voices, `voice` serves the rest.
    `tools` names the tools it may use besides the built-in ones; None is all that are set up.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str = "default"
    persona: str = "You are a friendly, brief and helpful receptionist."
    greeting: str = ""
    language: str = "en"
    languages: list[str] = field(default_factory=list)
    voice: str = ""
    voices: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, Phrases] = field(default_factory=dict)
    engine: str = ""
    fallback_engine: str = ""
    """The cascade that goes on with the call when the vendor of a speech-to-speech engine is lost."""
    coach: str = ""
    """The coach's profile for operators on this agent's calls; empty is the house's."""
    tools: list[str] | None = None
    takes_message: bool = False
    """It takes a message, and does nothing else."""
    consult: str = ""
    """For whom this agent asks when a human shall take the call: anyone, role:…, queue:… or person:…; empty:
    it asks for nobody."""
    goodbye: str = "Thank you for calling. Goodbye!"
    still_there: str = "Are you still there?"
    apology: str = "I'm sorry, I'm having trouble right now. Please try again in a moment."
    one_moment: str = "One moment, please."
    """Said while a tool takes its time."""
    confirm: str = "To be sure: {what}. Shall I go ahead?"
    """Asked before a tool with an effect outside of the call is run."""
    noted: str = "All right, I have noted that."
    """Said after a note was kept, when the model itself says nothing."""
    nobody: str = "I'm sorry, I can't put you through from here."
    cannot: str = "I'm sorry, I can't do that."
    back: str = "I'm back with you."
    """Said when the human who had the call was lost in the middle of it."""
    hand_over: str = ""
    """Said first when this agent goes on with another agent's call."""
    numbers_in_words: bool = True
    """Whether numbers, dates and money go to the voice in words (English and Arabic)."""
    facts: Facts = field(default_factory=Facts)
    patience: Patience = field(default_factory=Patience)
    max_call_seconds: int = 1800

    @property
    def spoken(self) -> tuple[str, ...]:
        """The languages that it speaks, the first one first, each once."""
        return tuple(dict.fromkeys((self.language, *self.languages)))

    def voice_in(self, language: str) -> str:
        """The voice for a language; empty is the provider's default."""
        return self.voices.get(language, self.voice)

    def line(self, name: str, language: str = "") -> str:
        """A fixed line (`greeting`, `apology` …) in a language, or as the agent's own."""
        own = str(getattr(self, name))
        phrases = self.phrases.get(language)
        return (getattr(phrases, name) or own) if phrases is not None else own
