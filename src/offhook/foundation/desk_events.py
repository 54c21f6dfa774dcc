"""What humans, the coach and the evidence add to a call's timeline, as values. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from offhook.foundation.events import CallEvent, LegKind
from offhook.foundation.people import Mode, Stance


@dataclass(frozen=True, slots=True)
class LegJoined(CallEvent):
    """A human is on the call. `seat` is unique within it; `by` is the person's id."""

    kind: ClassVar[str] = "leg_joined"
    seat: str
    leg: LegKind
    by: str
    name: str
    stance: Stance


@dataclass(frozen=True, slots=True)
class LegLeft(CallEvent):
    """`lost`: the connection went, nobody let it go."""

    kind: ClassVar[str] = "leg_left"
    seat: str
    leg: LegKind
    by: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class StanceChanged(CallEvent):
    kind: ClassVar[str] = "stance"
    seat: str
    by: str
    stance: Stance


@dataclass(frozen=True, slots=True)
class ModeChanged(CallEvent):
    """The call is conducted like this from `at_ms` of media time on. `holder` is the seat that has taken
    over, or empty; `hears` is who hears whom by leg kind, ear → sources."""

    kind: ClassVar[str] = "mode"
    mode: Mode
    holder: str
    at_ms: int
    hears: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instructed(CallEvent):
    """A human told the agent something that the caller does not hear."""

    kind: ClassVar[str] = "instructed"
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class SaidFor(CallEvent):
    """A human had the agent's voice say this line (`clip`: played a prepared clip of that name)."""

    kind: ClassVar[str] = "said_for"
    by: str
    text: str
    clip: str = ""


@dataclass(frozen=True, slots=True)
class Transferred(CallEvent):
    """A human puts the caller through to this number; the call ends here."""

    kind: ClassVar[str] = "transferred"
    by: str
    name: str
    to: str


@dataclass(frozen=True, slots=True)
class LegLevels(CallEvent):
    """Loudness over the last 100 ms in dBFS (-90 is silence), by leg kind; `coach` is in operators' ears."""

    kind: ClassVar[str] = "leg_levels"
    transient: ClassVar[bool] = True
    levels: dict[str, float]


class WarningLevel(StrEnum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class CardStatus(StrEnum):
    QUEUED = "queued"
    PLAYING = "playing"
    SHOWN = "shown"
    USED = "used"
    DISMISSED = "dismissed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CoachingCard(CallEvent):
    """What the coach has for the operator, about the caller's turn `turn`.

    `confidence` 0..1; `spoken` is what the coach says into the ear (short), `recommended_response` what the
    operator may say to the caller; `priority` 0 (may wait) .. 3 (now); it is of no use after `expires_ms`
    of media time. `supersedes` is the card that it replaces, or empty. `ended_ms`: the caller's last sample
    of the turn; `made_ms`: when the card was made; both in media time. `source`: what made it, like
    "local" or "openai".
    """

    kind: ClassVar[str] = "coaching_card"
    id: str
    turn: int
    profile: str
    intent: str
    confidence: float
    reasoning: str
    strategy: str
    warning_level: WarningLevel
    warning: str
    suggestions: list[str]
    recommended_response: str
    spoken: str
    language: str
    priority: int
    expires_ms: int
    ended_ms: int
    made_ms: int
    supersedes: str = ""
    source: str = "local"


@dataclass(frozen=True, slots=True)
class RiskSeen(CallEvent):
    """What the caller's turn `turn` shows on a call that nobody is coached on: told where `intent` or
    `warning_level` is another than before."""

    kind: ClassVar[str] = "risk"
    turn: int
    intent: str
    confidence: float
    warning_level: WarningLevel
    warning: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class CardChanged(CallEvent):
    """`seat` whose card it is (each operator has an own state of a card), `note` says why, or is feedback."""

    kind: ClassVar[str] = "card"
    id: str
    status: CardStatus
    seat: str
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardFeedback(CallEvent):
    """`value` is "helpful", "wrong" or free text of at most 500 characters."""

    kind: ClassVar[str] = "card_feedback"
    id: str
    by: str
    value: str


@dataclass(frozen=True, slots=True)
class EntityFound(CallEvent):
    """Something worth keeping in what `leg` said: `type` is one of phone, iban, bank_account, card, wallet,
    email, url, name, amount, code, …; `value` is normalized, `text` as it was said at `start`:`end` of the
    turn. Told again with a known `id`, it replaces what was told first: a number went on in the next turn."""

    kind: ClassVar[str] = "entity"
    id: str
    type: str
    value: str
    text: str
    leg: LegKind
    turn: int
    start: int
    end: int
    at_ms: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class EntityMentioned(CallEvent):
    """The entity `id` was said again, at `start`:`end` of the turn."""

    kind: ClassVar[str] = "entity_mentioned"
    id: str
    leg: LegKind
    turn: int
    start: int
    end: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class EntityPinned(CallEvent):
    """An operator says that this matters (or, not `pinned`, does not). `added`: an entity of the operator's
    own, that no recognizer found: type, value and at_ms."""

    kind: ClassVar[str] = "entity_pinned"
    id: str
    by: str
    pinned: bool
    added: dict[str, Any] = field(default_factory=dict)


class Emotion(StrEnum):
    """How a caller seems, by words and voice."""

    CALM = "calm"
    PLEASED = "pleased"
    EXCITED = "excited"
    UNHAPPY = "unhappy"
    TENSE = "tense"
    AGITATED = "agitated"
    SUBDUED = "subdued"


@dataclass(frozen=True, slots=True)
class SentimentFound(CallEvent):
    """How the caller feels after the turn `turn`: `score` is the call's so far, `turn_score` that turn's,
    both -1 (ill) to 1 (well); `trend` is how much the score of a turn changes per turn lately. `label` is
    what the words are (negative, neutral, positive), `confidence` how sure. `voice` is how it was said
    against the caller's own voice so far, where known: `pitch_st` semitones, `level_db`, `rate` times as
    fast."""

    kind: ClassVar[str] = "sentiment"
    turn: int
    score: float
    turn_score: float
    trend: float
    emotion: Emotion
    label: str
    confidence: float
    language: str
    at_ms: int
    voice: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertRaised(CallEvent):
    """A rule of the house says that somebody should look at this call. `cause` is what the rule watches
    (score, falling, emotion, keyword, silence, warning), `text` one sentence for people; `page`: operators
    are told although they do not look."""

    kind: ClassVar[str] = "alert"
    id: str
    rule: str
    cause: str
    level: WarningLevel
    text: str
    at_ms: int
    page: bool = False


@dataclass(frozen=True, slots=True)
class RoomTape(CallEvent):
    """A recording that LiveKit's egress makes of a room call. `status`: started, complete, failed, aborted,
    limit_reached or unknown; `where` the file is, once it is complete; `size` in bytes."""

    kind: ClassVar[str] = "room_tape"
    egress_id: str
    status: str
    where: str = ""
    error: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class WrappedUp(CallEvent):
    """What came of the call, as a human said after it. `disposition` is a label of lower-case words; the
    latest one of a call counts."""

    kind: ClassVar[str] = "wrapped_up"
    by: str
    name: str
    disposition: str
    note: str = ""
