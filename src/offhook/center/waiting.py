"""One caller who waits for an operator: hold audio, what is told, keys and words. Rings nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from offhook.call.directory import LiveCall
from offhook.call.hold_audio import Pattern
from offhook.call.modes import TALKS
from offhook.call.tools.assent import is_yes
from offhook.center.phrases import Phrases, filled, phrases_in, told
from offhook.center.queue_words import QueueRules, Waiter
from offhook.center.routing import Target
from offhook.desk.coach.words import plain
from offhook.foundation.center_events import Queued, QueueOutcome, Unqueued
from offhook.foundation.desk_events import LegJoined, LegLeft, StanceChanged
from offhook.foundation.events import CallEnded, DigitPressed, Entry, LegKind, TranscriptFinal

FEWEST_DIGITS, MOST_DIGITS = 4, 15
YES_S = 20.0
"""So long a caller who was understood to wish a call back may say yes; then the wish is none."""
_CALL_BACK = (  # as `words.plain` spells them
    *("call me back", "callback", "phone me back", "ring me back", "give me a call back"),
    *("اتصلوا بي", "اتصل بي", "كلموني", "كلمني لاحقا", "عاودوا الاتصال", "معاوده الاتصال", "رنوا علي"),
)
_NOT_NOW = frozenset(
    [
        *("dont", "not", "no", "never", "wont", "didnt", "cant"),
        *("said", "promised", "told", "supposed", "was", "were"),
        *("لا", "ما", "لم", "لن", "مش", "ليس", "قلتم", "وعدتم"),
    ]
)
"""Before a wish these words make it none: "don't call me back", "you said you would call me back"."""
_REACH = 5
_NUMBER = re.compile(r"\+?[0-9]{4,15}\Z")


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue, as it treats its callers. `overflow` None: the agent goes on. `phrases` are the house's own
    lines by language; `key` asks to be called back, empty where that is not offered."""

    rules: QueueRules
    agent: str = ""
    overflow: Target | None = None
    hold: Pattern | None = None
    key: str = "1"
    wrap_up_s: float = 5.0
    phrases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Room(Protocol):
    """Where callers wait (center.queue_desk)."""

    def changed(self) -> None:
        """Somebody waits no more, or again."""

    def wants_call_back(self, waiting: WaitingCall, number: str) -> None:
        """`number` is empty while the caller has to give one."""

    def handled(self, queue: str, seconds: float) -> None:
        """So long an operator took for a call."""


class WaitingCall:
    """`waits` until an operator talks with the caller, or the caller goes; again where that operator is lost:
    then the caller is as long in line as before. `over`: this call never waits in this queue again."""

    def __init__(
        self, call: LiveCall, queue: Queue, language: str, now: Callable[[], float], room: Room
    ) -> None:
        self.call = call
        self.queue = queue
        self.since = now()
        self.taken, self.until = "", 0.0
        self.language = language
        self._now = now
        self._room = room
        self._first = True
        self._asked_number = False
        self._yes_until = 0.0
        self._digits = ""
        self._seat = ""
        self._answered_at = 0.0
        self._leaving = False
        self.waits = True
        self.over = False
        self._stop = call.session.timeline.watch(self._take)
        call.session.bridge.wait(True, queue.hold)

    @property
    def phrases(self) -> Phrases:
        return phrases_in(self.language, self.queue.phrases)

    def waiter(self) -> Waiter:
        """As the queue knows it."""
        taken = self.taken if self._now() <= self.until else ""
        until = self.until if taken else 0.0
        return Waiter(
            self.call.id, self.queue.rules.name, self.since, self.call.agent, self.language, taken, until
        )

    def tell(self, position: int, wait_s: float) -> None:
        """Where in line the caller is."""
        if not self.waits or self._leaving or self._asked_number or self._asked_yes:
            return
        key = self.queue.key if position > 1 or self._first else ""
        text = told(self.phrases, position, wait_s, first=self._first, key=key)
        self._first = False
        self.call.session.timeline.emit(Queued(self.queue.rules.name, position, int(wait_s)))
        self.call.session.bridge.announce(text)

    def say(self, line: str) -> None:
        self.call.session.bridge.announce(line)

    def leave(self, outcome: QueueOutcome, by: str = "", target: str = "") -> None:
        """The call waits no more; the bridge is let go unless somebody talks."""
        if not self.waits:
            return
        self.waits = False
        waited_ms = int((self._now() - self.since) * 1000)
        self.call.session.timeline.emit(Unqueued(self.queue.rules.name, outcome, waited_ms, by, target))
        if outcome is not QueueOutcome.ANSWERED:
            self._finish()
        self._room.changed()

    def ask_number(self) -> None:
        """The caller is to key in where to call back."""
        self._asked_number, self._digits = True, ""
        self.say(self.phrases.ask_number)

    @property
    def _asked_yes(self) -> bool:
        return self._now() < self._yes_until

    def goodbye(self) -> None:
        """Nothing is told any more; the call is about to end, or to go elsewhere."""
        self._leaving = True

    # What happens on the call.

    def _take(self, entry: Entry) -> None:
        match entry.event:
            case CallEnded():
                self._ended()
            case LegJoined(leg=LegKind.GUEST) | LegLeft(leg=LegKind.GUEST):
                pass  # of the caller's party: nobody who answers
            case LegJoined(seat=seat, by=by, stance=stance) | StanceChanged(seat=seat, by=by, stance=stance):
                self._stands(seat, by, stance in TALKS)
            case LegLeft(seat=seat, lost=lost) if seat == self._seat:
                self._parted(lost)
            case DigitPressed(digit=digit) if self.waits and not self._leaving:
                self._pressed(digit)
            case TranscriptFinal(leg=LegKind.CALLER) as line if self.waits and not self._leaving:
                self._heard(line)

    def _stands(self, seat: str, by: str, talks: bool) -> None:
        if talks and self.waits:
            self._seat, self._answered_at = seat, self._now()
            self.leave(QueueOutcome.ANSWERED, by)
            self.call.session.bridge.wait(False)
        elif not talks and seat == self._seat and not self.waits:
            self._parted(False)

    def _parted(self, lost: bool) -> None:
        """Who answered has let go of the caller, or was lost: then the caller is the first in line again,
        unless a colleague talks with them."""
        bridge = self.call.session.bridge
        others = [seat.id for seat in bridge.seats if seat.stance in TALKS and seat.id != self._seat]
        if others:
            self._seat = others[0]
            return
        self._room.handled(self.queue.rules.name, self._now() - self._answered_at)
        self._seat = ""
        if not lost or self.call.session.end_reason is not None:
            self._finish()
            return
        self.waits, self.taken = True, ""
        bridge.wait(True, self.queue.hold)
        self.call.session.timeline.emit(Queued(self.queue.rules.name, 1, -1, again=True))
        self._room.changed()

    def _ended(self) -> None:
        if self._seat:
            self._room.handled(self.queue.rules.name, self._now() - self._answered_at)
            self._seat = ""
        self.leave(QueueOutcome.HUNG_UP)
        self._finish()

    def _finish(self) -> None:
        self.over = True
        self._stop()

    def _pressed(self, digit: str) -> None:
        if self._asked_number:
            if digit == "#" and FEWEST_DIGITS <= len(self._digits) <= MOST_DIGITS:
                self._room.wants_call_back(self, self._digits)
            elif digit == "#":
                self.ask_number()
            elif digit.isdecimal() and len(self._digits) <= MOST_DIGITS:  # and one too many
                self._digits += digit
        elif self.queue.key and digit == self.queue.key:
            self._room.wants_call_back(self, number_of(self.call))

    def _heard(self, line: TranscriptFinal) -> None:
        self.language = line.language or self.language
        if not self.queue.key or self._asked_number:
            return
        number, wishes = number_of(self.call), _asks_call_back(line.text)
        if wishes and number and not self._asked_yes:  # a call does not end by a word that was misheard
            self._yes_until = self._now() + YES_S
            self.say(filled(self.phrases.confirm_call_back, key=self.queue.key))
        elif wishes or (self._asked_yes and is_yes(line.text)):
            self._room.wants_call_back(self, number)
        elif self._asked_yes:
            self._yes_until = 0.0


def _asks_call_back(text: str) -> bool:
    said = plain(text)
    befores = (said.partition(phrase)[0] for phrase in _CALL_BACK if phrase in said)
    return any(_NOT_NOW.isdisjoint(before.split()[-_REACH:]) for before in befores)


def number_of(call: LiveCall) -> str:
    """Where a caller can be called back; empty where that is not known."""
    caller = re.sub(r"[\s().-]", "", call.arrival.caller)
    return caller if _NUMBER.match(caller) else ""
