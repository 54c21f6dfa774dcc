"""The socket of a live call, `/ws/live` (docs/desk.md): what operators and S5 callers may say. No sockets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from offhook.foundation.errors import WireError
from offhook.foundation.people import Stance
from offhook.protocols.base import KindError, SizeError, clean, flag, parse_base64, parse_object, string

RATES = (8_000, 16_000, 24_000, 48_000)
RATE = 16_000
MAX_PIECE_MS = 200
MAX_SAY = 1_000
MAX_INSTRUCT = 2_000
MAX_VALUE = 500
MAX_NUMBER = 256
MAX_TARGET = 128
_CALL = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}\Z")
_CLIP = re.compile(r"[^/\\\x00-\x1f\x7f]{1,100}\Z")
_MAX_TIME = 1e16
Word = TypeVar("Word", bound=StrEnum)


class LiveRole(StrEnum):
    """What a client of the socket is on the call."""

    CALLER = "caller"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Ask:
    """What the query asks for. Without a `stance` an operator takes over a call that nobody holds.
    `binary`: sound goes both ways as raw PCM16 in binary messages."""

    call: str
    role: LiveRole
    stance: Stance | None = None
    rate: int = RATE
    binary: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """Whole PCM16 samples at `rate`."""

    samples: bytes
    rate: int


@dataclass(frozen=True, slots=True)
class SetStance:
    stance: Stance


@dataclass(frozen=True, slots=True)
class HandBack:
    """The agent has the call again."""


@dataclass(frozen=True, slots=True)
class Hold:
    on: bool


@dataclass(frozen=True, slots=True)
class AiSpeaks:
    on: bool


@dataclass(frozen=True, slots=True)
class Mute:
    on: bool


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Instruct:
    text: str


@dataclass(frozen=True, slots=True)
class Inject:
    clip: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """The caller goes to this number, or `sip:` address; the call here ends."""

    to: str


@dataclass(frozen=True, slots=True)
class Warm:
    """Ask somebody to take the call (`to`: anyone, role:…, queue:…, person:…), tell them, then connect them.
    `coach`: the AI stays to coach them; `auto`: they are connected once they were told."""

    to: str
    reason: str = ""
    coach: bool = True
    auto: bool = False


class WarmStep(StrEnum):
    CONNECT = "connect"
    DECLINE = "decline"
    AGAIN = "again"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class WarmAct:
    """What whoever is told about a call does; CANCEL is for who asked. `coach` None: as it was asked."""

    step: WarmStep
    coach: bool | None = None


@dataclass(frozen=True, slots=True)
class CoachNow:
    """A card about the last turn, now."""


@dataclass(frozen=True, slots=True)
class CoachWish:
    """How the coach shall sound to this operator; None leaves it as it is. `speed` is 0.5..2."""

    voice: str | None = None
    speed: float | None = None
    volume: float | None = None
    auto_play: bool | None = None
    mute: bool | None = None


class CardAction(StrEnum):
    PLAY = "play"
    STOP = "stop"
    USED = "used"
    DISMISSED = "dismissed"
    SAY = "say"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class CardAct:
    """`value`: the line to say instead of the card's own, or the feedback."""

    id: str
    action: CardAction
    value: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """`added`: an entity of the operator's own, with its type, value and at_ms."""

    id: str
    pinned: bool
    added: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    t: float | int


@dataclass(frozen=True, slots=True)
class End:
    """Hang up the call."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Go, and leave the call to the others."""


Wish = (
    SetStance
    | HandBack
    | Hold
    | AiSpeaks
    | Say
    | Instruct
    | Inject
    | Transfer
    | Warm
    | WarmAct
    | CoachNow
    | CoachWish
    | CardAct
    | Pin
    | Mute
    | End
    | Leave
)
"""What a person wants done on the call."""
Command = Wish | Audio | Ping


def read_ask(query: dict[str, str]) -> Ask:
    """What a socket is opened for, from its query. Raises WireError."""
    call = query.get("call_id", "")
    if not _CALL.match(call):
        raise WireError("call_id is not 1 to 64 letters, digits, _ or -")
    role = _one_of(LiveRole, query.get("role", LiveRole.OPERATOR), "role")
    wished = query.get("stance", "")
    stance = _one_of(Stance, wished, "stance") if wished else None
    rate = query.get("sample_rate", str(RATE))
    if rate not in map(str, RATES):
        raise WireError("sample_rate is none of 8000, 16000, 24000, 48000")
    sound = query.get("audio", "json")
    if sound not in ("json", "binary"):
        raise WireError("audio is neither json nor binary")
    token = query.get("token", "")
    if len(token) > 4096:
        raise WireError("token is longer than 4096 characters")
    return Ask(call, role, stance, int(rate), sound == "binary", token)


def read(raw: bytes | str, rate: int) -> Command:
    """One text message. `rate` is the sound's, where a message does not say it. Raises WireError."""
    message = parse_object(raw)
    kind = string(message, "type", 64)
    if kind == "audio":
        return _audio(message, rate)
    make = _READ.get(kind)
    if make is None:
        raise KindError("no message of this type is known here")
    return make(message)


def read_binary(raw: bytes, rate: int) -> Audio:
    """One binary message: PCM16 samples. Raises WireError."""
    return Audio(_samples(raw, rate), rate)


def _audio(message: dict[str, Any], rate: int) -> Audio:
    if string(message, "format", 32, "pcm16") != "pcm16":
        raise KindError("audio comes as pcm16")
    given = message.get("sample_rate", rate)
    if isinstance(given, bool) or given not in RATES:
        raise WireError("sample_rate is none of 8000, 16000, 24000, 48000")
    return Audio(_samples(parse_base64(string(message, "audio", 65_536)), int(given)), int(given))


def _samples(raw: bytes, rate: int) -> bytes:
    if not raw:
        raise WireError("an audio message has no samples")
    if len(raw) % 2:
        raise WireError("an audio message ends within a sample")
    if len(raw) > rate * 2 * MAX_PIECE_MS // 1000:
        raise SizeError(f"an audio message is longer than {MAX_PIECE_MS} ms")
    return raw


def _line(message: dict[str, Any], limit: int) -> str:
    text = clean(string(message, "text", limit))
    if not text:
        raise WireError("text is empty")
    return text


def _fraction(message: dict[str, Any], name: str, least: float, most: float) -> float | None:
    value = message.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise WireError(f"{name} is not a number from {least:g} to {most:g}")
    return float(value)


def _maybe(message: dict[str, Any], name: str) -> bool | None:
    return None if message.get(name) is None else flag(message, name)


def _named(message: dict[str, Any]) -> str:
    name = string(message, "id", 128)
    if not _NAME.match(name):
        raise WireError("id is not an id")
    return name


def _clip(message: dict[str, Any]) -> Inject:
    name = string(message, "clip", 100)
    if not _CLIP.match(name):
        raise WireError("clip is not the name of a clip")
    return Inject(name)


def _transfer(message: dict[str, Any]) -> Transfer:
    to = clean(string(message, "to", MAX_NUMBER))
    if not to:
        raise WireError("to is empty")
    return Transfer(to)


def _warm(message: dict[str, Any]) -> Warm:
    to, reason = clean(string(message, "to", MAX_TARGET)), clean(string(message, "reason", MAX_VALUE, ""))
    if not to:
        raise WireError("to is empty")
    coach = _maybe(message, "coach")
    return Warm(to, reason, coach is not False, _maybe(message, "auto") is True)


def _coach(message: dict[str, Any]) -> CoachWish:
    voice = string(message, "voice", 200, "") if message.get("voice") is not None else None
    return CoachWish(
        voice=voice,
        speed=_fraction(message, "speed", 0.5, 2),
        volume=_fraction(message, "volume", 0, 1),
        auto_play=_maybe(message, "auto_play"),
        mute=_maybe(message, "mute"),
    )


def _card(message: dict[str, Any]) -> CardAct:
    action = _one_of(CardAction, string(message, "action", 32), "action")
    value = clean(string(message, "value", MAX_SAY, ""))
    if action is CardAction.FEEDBACK and not 0 < len(value) <= MAX_VALUE:
        raise WireError(f"feedback has 1 to {MAX_VALUE} characters")
    return CardAct(_named(message), action, value)


def _pin(message: dict[str, Any]) -> Pin:
    added = message.get("added")
    if added is None:
        return Pin(_named(message), flag(message, "pinned"))
    if not isinstance(added, dict):
        raise WireError("added is not an object")
    at_ms = _fraction(added, "at_ms", 0, 1e9)
    kind, value = clean(string(added, "type", 32)), clean(string(added, "value", MAX_VALUE))
    if not kind or not value or at_ms is None:
        raise WireError("an added entity has a type, a value and at_ms")
    return Pin(_named(message), flag(message, "pinned"), {"type": kind, "value": value, "at_ms": int(at_ms)})


def _ping(message: dict[str, Any]) -> Ping:
    t = message.get("t", 0)
    if isinstance(t, bool) or not isinstance(t, int | float) or not -_MAX_TIME <= t <= _MAX_TIME:
        raise WireError("t is not a number")
    return Ping(t)


def _one_of(words: type[Word], value: str, name: str) -> Word:
    try:
        return words(value)
    except ValueError:
        raise WireError(f"{name} is none of {', '.join(words)}") from None


_READ: dict[str, Callable[[dict[str, Any]], Wish | Ping]] = {
    "stance": lambda m: SetStance(_one_of(Stance, string(m, "stance", 32), "stance")),
    "hand_back": lambda m: HandBack(),
    "hold": lambda m: Hold(flag(m, "on")),
    "ai_speaks": lambda m: AiSpeaks(flag(m, "on")),
    "mute": lambda m: Mute(flag(m, "on")),
    "say": lambda m: Say(_line(m, MAX_SAY)),
    "instruct": lambda m: Instruct(_line(m, MAX_INSTRUCT)),
    "inject": _clip,
    "transfer": _transfer,
    "warm": _warm,
    "warm_act": lambda m: WarmAct(_one_of(WarmStep, string(m, "step", 32), "step"), _maybe(m, "coach")),
    "coach_now": lambda m: CoachNow(),
    "coach": _coach,
    "card": _card,
    "pin": _pin,
    "ping": _ping,
    "end": lambda m: End(),
    "leave": lambda m: Leave(),
}
