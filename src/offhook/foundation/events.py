"""What can happen in a call, as values: a call's timeline is a list of these, in media time. No I/O.

Every part of Offhook speaks in these words: the session raises them, storage keeps them,
the browser and the console show them, metrics count them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ChannelKind(StrEnum):
    PHONE = "phone"
    BROWSER = "browser"
    WEBRTC = "webrtc"
    LIVEKIT = "livekit"
    DEVICE = "device"
    TEXT = "text"
    SILENT = "silent"
    REALTIME = "realtime"
    """A program that speaks OpenAI's Realtime protocol."""


class LegKind(StrEnum):
    CALLER = "caller"
    GUEST = "guest"
    """Somebody else at the caller's end, with a connection of their own: another person in the room."""
    AGENT = "agent"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    COACH = "coach"


class Floor(StrEnum):
    """Who is talking now."""

    GREETING = "greeting"
    LISTENING = "listening"
    HEARING = "hearing"
    PAUSING = "pausing"
    THINKING = "thinking"
    SPEAKING = "speaking"
    HOLDING = "holding"
    CLOSING = "closing"
    ENDED = "ended"


class EndReason(StrEnum):
    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    PEER_LOST = "peer_lost"
    NO_INPUT = "no_input"
    MAX_LENGTH = "max_length"
    TRANSFERRED = "transferred"
    REFUSED = "refused"
    PROTOCOL_ERROR = "protocol_error"
    SERVER_STOPPED = "server_stopped"
    CRASHED = "crashed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Base of all call events. `transient` events are shown live but not kept."""

    kind: ClassVar[str] = ""
    transient: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class CallStarted(CallEvent):
    kind: ClassVar[str] = "call_started"
    direction: Direction
    channel: ChannelKind
    agent: str


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    kind: ClassVar[str] = "call_ended"
    reason: EndReason


@dataclass(frozen=True, slots=True)
class FloorChanged(CallEvent):
    kind: ClassVar[str] = "floor"
    transient: ClassVar[bool] = True
    floor: Floor


@dataclass(frozen=True, slots=True)
class SpeechStarted(CallEvent):
    """A leg began to speak, at `at_ms` of media time (before the detector knew)."""

    kind: ClassVar[str] = "speech_started"
    leg: LegKind
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded(CallEvent):
    kind: ClassVar[str] = "speech_ended"
    leg: LegKind
    at_ms: int


@dataclass(frozen=True, slots=True)
class TranscriptPartial(CallEvent):
    kind: ClassVar[str] = "transcript_partial"
    transient: ClassVar[bool] = True
    leg: LegKind
    turn: int
    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptFinal(CallEvent):
    """One turn's words. For the agent these are the words *heard*; `unheard` is what was cut off."""

    kind: ClassVar[str] = "transcript_final"
    leg: LegKind
    turn: int
    text: str
    started_ms: int
    ended_ms: int
    language: str = ""
    interrupted: bool = False
    unheard: str = ""
    speaker: str = ""
    """The seat of a human who said it (see desk_events), or the guest; empty for caller and agent."""


@dataclass(frozen=True, slots=True)
class ReplyText(CallEvent):
    """The agent began to say a clause (shown live as the agent's partial)."""

    kind: ClassVar[str] = "reply_text"
    transient: ClassVar[bool] = True
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplySent(CallEvent):
    """All of a reply is on its way to the caller, who may not have heard it yet."""

    kind: ClassVar[str] = "reply_sent"
    transient: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class TurnTimed(CallEvent):
    """The latency waterfall of one reply, each part in ms after the caller's end of speech."""

    kind: ClassVar[str] = "turn_timed"
    turn: int
    speech_ended_ms: int
    endpoint_ms: int
    transcript_ms: int
    first_token_ms: int
    first_audio_ms: int


@dataclass(frozen=True, slots=True)
class Interrupted(CallEvent):
    """The caller talked over the agent and the agent gave way, `at_ms` of media time."""

    kind: ClassVar[str] = "interrupted"
    turn: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class InterruptionResumed(CallEvent):
    """What stopped the agent was no interruption (noise, echo, "mm-hmm"); the reply went on."""

    kind: ClassVar[str] = "interruption_resumed"
    turn: int


@dataclass(frozen=True, slots=True)
class Backchannel(CallEvent):
    """What the caller said over the agent without taking the floor ("mm-hmm"), from `at_ms` on."""

    kind: ClassVar[str] = "backchannel"
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class NoInput(CallEvent):
    kind: ClassVar[str] = "no_input"
    count: int


@dataclass(frozen=True, slots=True)
class DigitPressed(CallEvent):
    kind: ClassVar[str] = "dtmf"
    digit: str


@dataclass(frozen=True, slots=True)
class TextReceived(CallEvent):
    kind: ClassVar[str] = "text_received"
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled(CallEvent):
    """A tool was called, or refused, and what that came to after `duration_ms`."""

    kind: ClassVar[str] = "tool_called"
    name: str
    arguments: dict[str, Any]
    result: str
    duration_ms: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ProviderFailed(CallEvent):
    """`absorbed`: another provider of the kind went on, and the caller may have noticed nothing."""

    kind: ClassVar[str] = "provider_failed"
    provider: str
    reason: str
    absorbed: bool = False


@dataclass(frozen=True, slots=True)
class Notice(CallEvent):
    """Something an operator should know, in one sentence (for example: not recorded, disk full)."""

    kind: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True, slots=True)
class Levels(CallEvent):
    """Loudness of both sides over the last 100 ms, in dBFS (-90 is silence)."""

    kind: ClassVar[str] = "levels"
    transient: ClassVar[bool] = True
    caller: float
    agent: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on a call's timeline: `seq` counts from 1 without gaps, `media_ms` since the answer."""

    call_id: str
    seq: int
    media_ms: int
    event: CallEvent

    def as_json(self) -> dict[str, Any]:
        """The flat form used on the wire and in the database."""
        return {"kind": self.event.kind, "seq": self.seq, "media_ms": self.media_ms, **asdict(self.event)}
