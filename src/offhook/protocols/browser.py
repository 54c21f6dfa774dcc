"""The browser's side of a call (docs/browser-protocol.md): what a page may say and is told. No sockets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from offhook.foundation.errors import WireError
from offhook.protocols.base import (
    KindError,
    OrderError,
    SizeError,
    clean,
    compact,
    counter,
    digit,
    flag,
    number,
    parse_object,
    string,
)
from offhook.protocols.marks import Marks

VERSION = 1
RATE = 16_000
MAX_TEXT = 2_000
MAX_PCM = 6_400  # 200 ms
MAX_OPUS = 1_500
_HEADER = struct.Struct("<BBHI")


class Codec(IntEnum):
    """What the payload of a binary frame is; the name in lower case is the one used in JSON."""

    PCM16 = 1
    OPUS = 2


@dataclass(frozen=True, slots=True)
class Start:
    """The first message of a connection. `resume` is the secret of a call to come back to."""

    agent: str = ""
    codec: Codec = Codec.PCM16
    audio: bool = True
    token: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Digit:
    digit: str


@dataclass(frozen=True, slots=True)
class Mute:
    muted: bool


@dataclass(frozen=True, slots=True)
class MarkEcho:
    """A mark came back; `BrowserWriter.returned` says whether it was heard."""

    wire_name: str


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The page's own view of its connection."""

    round_trip_ms: float
    jitter_ms: float
    underruns: int


@dataclass(frozen=True, slots=True)
class End:
    """The caller hangs up."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A binary frame: `at_ms` is the capture time of its first sample since the call began."""

    codec: Codec
    payload: bytes
    at_ms: int


class StartError(WireError):
    """The first message is a start that cannot be obeyed; nothing better will follow (close code 1008)."""


Control = Start | Text | Digit | Mute | MarkEcho | Ping | Stats | End


class BrowserReader:
    """One connection's incoming half: `start` first and once, nothing after `end`. It is `started` where an
    offer said what `start` says."""

    def __init__(self, started: bool = False) -> None:
        self.started = started
        self.ended = False

    def receive_text(self, raw: bytes | str) -> Control | None:
        """Read a text message; None when it needs no action. Raises WireError; the reader stays usable."""
        message = parse_object(raw)
        kind = string(message, "type", 64)
        self._check_order(kind == "start")
        try:
            control = _control(kind, message)
        except KindError:
            raise
        except WireError as error:
            raise StartError(error.reason) if kind == "start" else error from None
        self.started = self.started or isinstance(control, Start)
        self.ended = isinstance(control, End)
        return control

    def receive_audio(self, raw: bytes) -> Audio:
        """Read a binary frame. Raises WireError; the reader stays usable."""
        self._check_order(False)
        if len(raw) <= _HEADER.size:
            raise WireError("an audio frame has no payload")
        kind, _, _, at_ms = _HEADER.unpack_from(raw)
        payload = raw[_HEADER.size :]
        if kind == Codec.PCM16:
            if len(payload) % 2:
                raise WireError("an audio frame ends within a sample")
            if len(payload) > MAX_PCM:
                raise SizeError("an audio frame is longer than 200 ms")
            return Audio(Codec.PCM16, payload, at_ms)
        if kind == Codec.OPUS:
            if len(payload) > MAX_OPUS:
                raise SizeError("an Opus packet is longer than 1500 bytes")
            return Audio(Codec.OPUS, payload, at_ms)
        raise KindError("an audio frame has an unknown codec")

    def _check_order(self, is_start: bool) -> None:
        if self.ended:
            raise OrderError("a message after the end")
        if is_start is self.started:
            raise OrderError("a second start" if is_start else "the first message must be start")


def _control(kind: str, message: dict[str, Any]) -> Control | None:
    match kind:
        case "start":
            return _start(message)
        case "text":
            text = clean(string(message, "text", MAX_TEXT))
            return Text(text) if text else None
        case "dtmf":
            return Digit(digit(message))
        case "mute":
            return Mute(flag(message, "muted"))
        case "mark":
            return MarkEcho(string(message, "name", 1024))
        case "ping":
            return Ping(counter(message, "id"))
        case "stats":
            underruns = counter(message, "underruns", 0)
            round_trip = number(message, "round_trip_ms", 0)
            return Stats(round_trip, number(message, "jitter_ms", 0), underruns)
        case "end":
            return End()
    return None


def _start(message: dict[str, Any]) -> Start:
    if counter(message, "version", VERSION) != VERSION:
        raise KindError(f"this server speaks version {VERSION} of the browser protocol")
    name = string(message, "codec", 16, "pcm16")
    codec = {"pcm16": Codec.PCM16, "opus": Codec.OPUS}.get(name)
    if codec is None:
        raise WireError("codec is neither pcm16 nor opus")
    return Start(
        agent=string(message, "agent", 64, ""),
        codec=codec,
        audio=flag(message, "audio", True),
        token=string(message, "token", 4096, ""),
        resume=string(message, "resume", 128, ""),
    )


class BrowserWriter:
    """One call's outgoing half; it outlives a connection. Counts epochs and the position within one."""

    def __init__(self) -> None:
        self._marks = Marks()
        self._samples = 0

    @property
    def epoch(self) -> int:
        """The current epoch as the wire counts it (16 bits)."""
        return self._marks.epoch & 0xFFFF

    def audio(self, codec: Codec, payload: bytes, samples: int) -> bytes:
        """A binary frame of `samples` samples at 16 kHz."""
        at_ms = self._samples * 1000 // RATE
        self._samples += samples
        return _HEADER.pack(codec, 0, self.epoch, at_ms & 0xFFFFFFFF) + payload

    def clear(self) -> bytes:
        self._marks.clear()
        self._samples = 0
        return message("clear", epoch=self.epoch)

    def reconnect(self) -> None:
        """Another connection begins: a new epoch, and nothing that is out comes back."""
        self.clear()
        self._marks.forget()

    def mark(self, name: str) -> bytes:
        return message("mark", name=self._marks.issue(name))

    def returned(self, echo: MarkEcho) -> tuple[str, bool] | None:
        """Our name of the mark and whether it was heard; None for one that was not out."""
        return self._marks.returned(echo.wire_name)

    def started(self, call_id: str, resume: str, codec: Codec, agent: str, resumed: bool) -> bytes:
        return message(
            "started",
            call_id=call_id,
            resume=resume,
            codec=codec.name.lower(),
            agent=agent,
            resumed=resumed,
            epoch=self.epoch,
        )


def message(kind: str, **fields: Any) -> bytes:
    """A text message of the given `type`."""
    return compact({"type": kind, **fields})
