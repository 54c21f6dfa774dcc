"""What a dialogue remembers between two replies, and what a reply is. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from offhook.speech.base import ToolCall


class Step(StrEnum):
    """What was asked last; OPEN when nothing was."""

    OPEN = "open"
    ANYTHING_ELSE = "anything_else"
    OFFER_MESSAGE = "offer_message"
    OFFER_BOOKING = "offer_booking"
    BOOK_SERVICE = "book_service"
    BOOK_DAY = "book_day"
    BOOK_TIME = "book_time"
    BOOK_NAME = "book_name"
    BOOK_PHONE = "book_phone"
    BOOK_CONFIRM = "book_confirm"
    BOOK_CHANGE = "book_change"
    NOTE_NAME = "note_name"
    NOTE_PHONE = "note_phone"
    NOTE_TEXT = "note_text"
    NOTE_CONFIRM = "note_confirm"
    NOTE_CHANGE = "note_change"


BOOKING = frozenset(step for step in Step if step.startswith("book_"))
NOTE = frozenset(step for step in Step if step.startswith("note_"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking or a message in the making. `phone` is None until it was asked for, empty when refused."""

    service: str = ""
    day: date | None = None
    time: time | None = None
    certain: bool = False
    part: tuple[int, int] | None = None
    soon: bool = False
    name: str = ""
    phone: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """`misses` counts answers in a row that did not help; `said` are the parts of the last reply."""

    step: Step = Step.OPEN
    draft: Draft = field(default_factory=Draft)
    misses: int = 0
    said: tuple[str, ...] = ()
    question: tuple[str, ...] = ()
    offered: date | None = None
    subject: str = ""
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Parts of speech in order, tools to call after them, and the state once it was read to the end.

    `known` is False where the receptionist had no answer and a language model may speak instead.
    """

    state: State
    parts: tuple[str, ...]
    calls: tuple[ToolCall, ...] = ()
    known: bool = True
