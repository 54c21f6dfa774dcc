"""What the server says on `/ws/live` (docs/desk.md), as messages. Reads nothing, decides nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from offhook.foundation.desk_events import CardStatus, CoachingCard, EntityFound
from offhook.foundation.events import LegKind
from offhook.foundation.people import Mode, Stance
from offhook.protocols.base import compact


@dataclass(frozen=True, slots=True)
class CardVoice:
    """A card as sound: a file of `format` ("wav") that sounds for `seconds`."""

    audio: bytes
    format: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SeatView:
    """A human on the call, as others see it."""

    seat: str
    leg: LegKind
    name: str
    stance: Stance
    muted: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seating:
    """How a call is conducted: `hears` is who hears whom by leg kind (ear → sources), `holder` the seat that
    has taken over, or empty."""

    mode: Mode = Mode.AGENT
    holder: str = ""
    hears: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seats: Sequence[SeatView] = ()

    def as_json(self) -> dict[str, Any]:
        seats = [seat.as_json() for seat in self.seats]
        return {"mode": self.mode, "holder": self.holder, "hears": self.hears, "seats": seats}


@dataclass(frozen=True, slots=True)
class Line:
    """One turn's words, or what is known of them so far; times in media ms, None while not known.
    `seat` is whose words they are, for a human's; `timestamp` is ISO 8601, UTC."""

    speaker: LegKind
    text: str
    final: bool
    timestamp: str
    turn: int
    started_ms: int | None = None
    ended_ms: int | None = None
    language: str = ""
    seat: str = ""
    interrupted: bool = False
    unheard: str = ""


def message(kind: str, **fields: Any) -> bytes:
    """A text message of the given `type`."""
    return compact({"type": kind, **fields})


def audio(samples: bytes, rate: int) -> bytes:
    """PCM16 samples as JSON."""
    return b'{"type":"audio","audio":"%b","format":"pcm16","sample_rate":%d}' % (b64encode(samples), rate)


def transcript(line: Line) -> bytes:
    return message("transcript", **asdict(line))


def ai_coaching(
    card: CoachingCard, timestamp: str, status: CardStatus, voice: CardVoice | None = None
) -> bytes:
    """A coaching card in the shape that S5's clients know, with the flat form beside it. A card is sent
    again, under its id, once it has a voice."""
    encoded = b64encode(voice.audio).decode() if voice is not None else None
    spoken: dict[str, Any] | None = None
    if voice is not None:
        spoken = {"audio_base64": encoded, "format": voice.format, "duration": round(voice.seconds, 3)}
    fields = {
        "id": card.id,
        "turn": card.turn,
        "intent": card.intent,
        "confidence": round(card.confidence, 3),
        "reasoning": card.reasoning,
        "strategy": card.strategy,
        "suggestions": card.suggestions,
        "recommended_response": card.recommended_response,
        "recommended_audio": spoken,
        "warning": card.warning or None,
        "warning_level": card.warning_level,
        "timestamp": timestamp,
        "text": card.spoken,
        "audio": encoded,
        "format": voice.format if voice is not None else None,
        "language": card.language,
        "profile": card.profile,
        "priority": card.priority,
        "ended_ms": card.ended_ms,
        "made_ms": card.made_ms,
        "expires_ms": card.expires_ms,
        "supersedes": card.supersedes,
        "source": card.source,
        "status": status,
    }
    return message("ai_coaching", **fields)


def mode(seating: Seating) -> bytes:
    """How the call is conducted from now on, and who is there."""
    return message("mode", **seating.as_json())


def level(levels: Mapping[str, float]) -> bytes:
    """Loudness in dBFS by leg kind."""
    return message("level", levels={leg: round(value, 1) for leg, value in levels.items()})


def entity(found: EntityFound, pinned: bool) -> bytes:
    """`entity_type` says what it is, like "phone": `type` is the message's."""
    fields = asdict(found)
    entity_type = fields.pop("type")
    return message("entity", entity_type=entity_type, **fields, pinned=pinned)


def error(code: str, reason: str) -> bytes:
    return message("error", code=code, reason=reason)
