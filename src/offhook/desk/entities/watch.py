"""Follows one call's turns and puts on its timeline what is worth keeping in them. Recognizes nothing itself.

Every value is told once; said again, it is a mention. Numbers that a speaker breaks over turns are joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from offhook.desk.entities.base import Found, Kind, masked
from offhook.desk.entities.digits import group_at, runs
from offhook.desk.entities.find import find
from offhook.desk.entities.tokens import LONGEST, Token, fold, tokens
from offhook.foundation.desk_events import EntityFound, EntityMentioned, EntityPinned
from offhook.foundation.events import CallEvent, Entry, LegKind, TranscriptFinal

MOST = 500
"""Entities of one call; nobody could look at more."""
PATIENCE_MS = 20_000
"""A number goes on in a speaker's next turn if it begins within this."""
_CONTEXT = 80
_MOST_DIGITS = 40
_FILLERS = {"and", "then", "uh", "um", "so", "ok", "okay", ",", ".", "-", "و", "ثم", "وبعدين"}
_COMPLETE = {Kind.CARD, Kind.IBAN, Kind.WALLET, Kind.PHONE}
_PUNCTUATION = re.compile(r"[\s.,;!?]*(?:[.,;!?]|$)")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of a turn in a number that may go on. `text` has some of what was said before it; `found` is
    what was told of the number so far."""

    text: str
    before: str
    started_ms: int
    ended_ms: int
    found: EntityFound | None


class EntityWatch:
    """A sink of a call's timeline, on which it emits when it is told of a turn.
    `regions` are the countries whose phone numbers are said without a country code."""

    def __init__(self, emit: Callable[[CallEvent], None], regions: Sequence[str] = ()) -> None:
        self._emit = emit
        self._regions = tuple(regions)
        self._known: dict[tuple[str, str], EntityFound] = {}
        self._tails: dict[tuple[LegKind, str], _Tail] = {}
        self._last: tuple[LegKind, str, str] = (LegKind.AGENT, "", "")
        self._question = ""
        self._made = 0

    def __call__(self, entry: Entry) -> None:
        if isinstance(entry.event, TranscriptFinal):
            self._turn(entry.event)
        elif isinstance(entry.event, EntityPinned) and entry.event.added:
            self._added(entry.call_id, entry.event)

    def _turn(self, turn: TranscriptFinal) -> None:
        text = turn.text[:LONGEST]
        speaker = (turn.leg, turn.speaker)
        if self._last[:2] != speaker:
            self._question = self._last[2]
        self._last = (*speaker, text)
        tail = self._tails.pop(speaker, None)
        folded = tokens(fold(text))
        first = _number_start(folded)
        if tail is not None and (first is None or turn.started_ms - tail.ended_ms > PATIENCE_MS):
            tail = None
        joined = self._join(turn, text, first, tail) if tail is not None and first is not None else []
        busy = max((one.end for one in joined), default=0)
        told: EntityFound | None = None
        for one in joined:
            told = self._tell(turn, one, tail)
        for one in find(text, turn.language, self._question, self._regions):
            if one.start >= busy:
                told = self._tell(turn, one, None)
        self._keep_tail(turn, text, folded, told, tail)

    def _join(self, turn: TranscriptFinal, text: str, first: int, tail: _Tail) -> list[Found]:
        """What is found only where the turn continues the one before, by its end in this turn."""
        whole = f"{tail.text} {text[first:]}"
        seam = len(tail.text) + 1
        found = find(whole, turn.language, tail.before, self._regions)
        return [
            replace(one, start=first, end=first + one.end - seam)
            for one in found
            if one.start < seam < one.end
            and (one.kind in _COMPLETE or _PUNCTUATION.match(whole, one.end) is not None)
        ]

    def _tell(self, turn: TranscriptFinal, one: Found, tail: _Tail | None) -> EntityFound | None:
        at_ms = tail.started_ms if tail else _moment(turn, one.start)
        key = (str(one.kind), one.value)
        known = self._known.get(key)
        if known is not None:
            if (known.leg, known.turn) != (turn.leg, turn.turn):
                self._emit(EntityMentioned(known.id, turn.leg, turn.turn, one.start, one.end, at_ms))
            return known
        part = tail.found if tail else None
        if part is None and len(self._known) >= MOST:
            return None
        id = self._new_id() if part is None else part.id
        if part is not None:
            self._known.pop((part.type, part.value), None)
        event = EntityFound(
            id,
            str(one.kind),
            one.value,
            one.text,
            turn.leg,
            turn.turn,
            one.start,
            one.end,
            at_ms,
            one.confidence,
        )
        self._known[key] = event
        _log.debug("entity", type=event.type, value=masked(event.type, event.value))
        self._emit(event)
        return event

    def _new_id(self) -> str:
        self._made += 1
        return f"entity_{self._made}"

    def _keep_tail(
        self,
        turn: TranscriptFinal,
        text: str,
        folded: Sequence[Token],
        told: EntityFound | None,
        tail: _Tail | None,
    ) -> None:
        """Remember a number at the turn's end, unless it is complete."""
        last = next(iter([*runs(folded)][-1:]), None)
        if last is None or len(last.digits) > _MOST_DIGITS or text[last.end :].strip(" .,-…،"):
            return
        own = told if told is not None and told.turn == turn.turn and told.end >= last.end else None
        if own is not None and own.type in _COMPLETE and own.confidence > 0.9:
            return
        if tail is not None and last.start == _number_start(folded):
            said, since, before = f"{tail.text} {text[last.start :]}", tail.started_ms, tail.before
        else:
            said, since, before = text[max(0, last.start - _CONTEXT) :], turn.started_ms, self._question
        if len(said) <= LONGEST // 2:
            part = own or (tail.found if tail else None)
            self._tails[(turn.leg, turn.speaker)] = _Tail(said, before, since, turn.ended_ms, part)

    def _added(self, call_id: str, event: EntityPinned) -> None:
        """An operator's own entity: what is said of it later is a mention."""
        kind, value = str(event.added.get("type", "")), str(event.added.get("value", ""))
        leg = LegKind.OPERATOR
        at_ms = int(event.added.get("at_ms", 0))
        found = EntityFound(event.id, kind, value, value, leg, 0, 0, 0, at_ms)
        if len(self._known) < MOST:
            self._known.setdefault((kind, value), found)


def _number_start(folded: Sequence[Token]) -> int | None:
    """Where the number is in which a turn begins; None where it begins with anything else."""
    for at, token in enumerate(folded[:4]):
        if token.word not in _FILLERS:
            return token.start if group_at(folded, at, True) is not None else None
    return None


def _moment(turn: TranscriptFinal, start: int) -> int:
    """About when in the call something was said, by its place in the turn's text."""
    length = max(1, len(turn.text))
    return turn.started_ms + max(0, turn.ended_ms - turn.started_ms) * min(start, length) // length
