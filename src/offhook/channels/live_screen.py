"""Call events as messages of `/ws/live` (docs/desk.md): all for an operator, few for a caller. No sockets.

A caller sees what caller and agent say and how loud they are: nothing of a coach, operators, or who listens.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from offhook.foundation.desk_events import (
    CardChanged,
    CardStatus,
    CoachingCard,
    EntityFound,
    EntityPinned,
    LegJoined,
    LegLeft,
    LegLevels,
    ModeChanged,
    StanceChanged,
)
from offhook.foundation.events import (
    CallEnded,
    CallEvent,
    Entry,
    LegKind,
    Levels,
    ReplyText,
    TranscriptFinal,
    TranscriptPartial,
)
from offhook.protocols import live_words as words
from offhook.protocols.live_words import CardVoice, Line, Seating

KEPT_CARDS = 32
KEPT_ENTITIES = 500
_BOTH = (LegKind.CALLER, LegKind.AGENT)
Thing = TypeVar("Thing")
_MOVES = (LegJoined, LegLeft, StanceChanged)


class Screen(Protocol):
    def show(self, entry: Entry) -> list[bytes]:
        """The messages for an event; none for one that is not shown."""


def is_level(event: CallEvent) -> bool:
    """Whether an event is worth nothing later."""
    return isinstance(event, LegLevels | Levels)


class CallerScreen:
    """What the caller's client is shown. `started_at` is when media time began."""

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at

    def show(self, entry: Entry) -> list[bytes]:
        match entry.event:
            case TranscriptPartial(leg) | TranscriptFinal(leg) if leg not in _BOTH:
                return []
            case TranscriptPartial() | TranscriptFinal() | ReplyText():
                return [words.transcript(line(entry, self._started_at))]
            case Levels(caller, agent):
                return [words.level({"caller": caller, "agent": agent})]
            case CallEnded(reason):
                return [words.message("ended", reason=reason)]
        return []


class DeskScreen:
    """What a human on the call is shown. It remembers the latest cards and entities, to show them again when
    they have a voice, or are pinned."""

    def __init__(self, started_at: datetime, seating: Callable[[], Seating], seat: str) -> None:
        self._started_at = started_at
        self._seating = seating
        self._seat = seat
        self._cards: OrderedDict[str, tuple[CoachingCard, str, CardStatus]] = OrderedDict()
        self._entities: OrderedDict[str, EntityFound] = OrderedDict()
        self._pins: dict[str, bool] = {}
        self._legs_known = False

    def recall(self, entry: Entry) -> None:
        """Something that happened before, and was shown as history."""
        if isinstance(entry.event, CoachingCard | CardChanged | EntityFound | EntityPinned):
            self.show(entry)

    def voiced(self, card_id: str, voice: CardVoice) -> list[bytes]:
        """A card that has a voice now."""
        found = self._cards.get(card_id)
        if found is None:
            return []
        card, timestamp, status = found
        return [words.ai_coaching(card, timestamp, status, voice)]

    def card(self, card_id: str) -> CoachingCard | None:
        """One of the latest cards."""
        found = self._cards.get(card_id)
        return found[0] if found is not None else None

    def show(self, entry: Entry) -> list[bytes]:
        event = entry.event
        match event:
            case TranscriptPartial() | TranscriptFinal() | ReplyText():
                return [words.transcript(line(entry, self._started_at))]
            case LegLevels(levels):
                self._legs_known = True
                return [words.level(levels)]
            case Levels(caller, agent):
                return [] if self._legs_known else [words.level({"caller": caller, "agent": agent})]
            case CoachingCard():
                timestamp = moment(self._started_at, entry.media_ms)
                _keep(self._cards, event.id, (event, timestamp, CardStatus.SHOWN), KEPT_CARDS)
                return [words.ai_coaching(event, timestamp, CardStatus.SHOWN)]
            case CardChanged():
                return [self._changed(event)]
            case EntityFound():
                _keep(self._entities, event.id, event, KEPT_ENTITIES)
                return [words.entity(event, self._pins.get(event.id, False))]
            case EntityPinned():
                return self._pinned(event, entry)
            case ModeChanged():
                return [words.mode(self._seating())]
            case CallEnded(reason):
                return [words.message("ended", reason=reason)]
        shown = [words.message("event", entry=entry.as_json())]
        return [*shown, words.mode(self._seating())] if isinstance(event, _MOVES) else shown

    def _changed(self, event: CardChanged) -> bytes:
        found = self._cards.get(event.id)
        if found is not None and event.seat in ("", self._seat):
            self._cards[event.id] = (*found[:2], event.status)
        return words.message("card", id=event.id, status=event.status, seat=event.seat, note=event.note)

    def _pinned(self, event: EntityPinned, entry: Entry) -> list[bytes]:
        if event.added and event.id not in self._entities:  # as evidence has it: what was found stays
            found = EntityFound(
                id=event.id,
                type=str(event.added.get("type", "")),
                value=str(event.added.get("value", "")),
                text=str(event.added.get("value", "")),
                leg=LegKind.OPERATOR,
                turn=0,
                start=0,
                end=0,
                at_ms=int(event.added.get("at_ms", entry.media_ms)),
            )
            _keep(self._entities, event.id, found, KEPT_ENTITIES)
        known = self._entities.get(event.id)
        if known is None:
            return [words.message("event", entry=entry.as_json())]
        self._pins[event.id] = event.pinned
        return [words.entity(known, event.pinned)]


def line(entry: Entry, started_at: datetime) -> Line:
    """The transcript line of a TranscriptPartial, TranscriptFinal or ReplyText."""
    at = moment(started_at, entry.media_ms)
    match entry.event:
        case TranscriptFinal() as said:
            return Line(
                speaker=said.leg,
                text=said.text,
                final=True,
                timestamp=moment(started_at, said.started_ms),
                turn=said.turn,
                started_ms=said.started_ms,
                ended_ms=said.ended_ms,
                language=said.language,
                seat=said.speaker,
                interrupted=said.interrupted,
                unheard=said.unheard,
            )
        case TranscriptPartial() as partial:
            return Line(partial.leg, partial.text, False, at, partial.turn, seat=partial.speaker)
        case ReplyText(turn, text):
            return Line(LegKind.AGENT, text, False, at, turn)
    raise TypeError(f"{entry.event.kind} is no speech")


def moment(started_at: datetime, media_ms: float) -> str:
    """ISO 8601 in UTC, with milliseconds, of a moment of a call."""
    at = (started_at + timedelta(milliseconds=media_ms)).astimezone(UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _keep(kept: OrderedDict[str, Thing], name: str, thing: Thing, most: int) -> None:
    kept[name] = thing
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)
