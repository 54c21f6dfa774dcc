"""Twilio Media Streams, the server's side: messages in, events and bytes out. No sockets, clocks, codecs.

https://www.twilio.com/docs/voice/media-streams/websocket-messages. Counters are strings of digits in
practice and numbers in Twilio's prose: both are read. Outgoing messages carry no field more than
documented, because Twilio counts an extra field as a violation (warning 31951).
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from offhook.foundation.errors import WireError
from offhook.protocols.base import (
    OrderError,
    compact,
    counter,
    digit,
    parse_base64,
    parse_object,
    section,
    string,
)
from offhook.protocols.marks import Marks
from offhook.protocols.twilio_start import Started, read_start

# The one message that comes 50 times a second, in the two orders of keys that Twilio shows (the stream's
# sid before the media, or at the end); any other spelling of the same message is read as JSON.
_MEDIA = re.compile(
    rb'\{"event":"media","sequenceNumber":"[0-9]{1,15}",(?:"streamSid":"([A-Za-z0-9]{1,64})",)?'
    rb'"media":\{"track":"inbound","chunk":"([0-9]{1,15})","timestamp":"([0-9]{1,15})","payload":"'
)


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message: the peer speaks the media stream protocol."""

    version: str


@dataclass(frozen=True, slots=True)
class Media:
    """The caller's audio: raw samples, `timestamp_ms` since the stream began, `chunk` 0 when not given."""

    payload: bytes
    timestamp_ms: int
    chunk: int
    track: str = "inbound"


@dataclass(frozen=True, slots=True)
class Digit:
    digit: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """A mark of ours came back. `heard` is False when a clear overtook it."""

    name: str
    heard: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stream is over; nothing follows."""


__all__ = [
    "Connected",
    "Digit",
    "Event",
    "MarkReached",
    "Media",
    "Phase",
    "Started",
    "Stopped",
    "TwilioStream",
]

Event = Connected | Started | Media | Digit | MarkReached | Stopped


class Phase(StrEnum):
    """Where a stream is."""

    NEW = "new"
    CONNECTED = "connected"
    STREAMING = "streaming"
    STOPPED = "stopped"


# What may come when; anything else that is known is an OrderError.
_ALLOWED: dict[Phase, frozenset[str]] = {
    Phase.NEW: frozenset({"connected", "start"}),
    Phase.CONNECTED: frozenset({"start"}),
    Phase.STREAMING: frozenset({"media", "dtmf", "mark", "stop"}),
    Phase.STOPPED: frozenset(),
}
_KNOWN = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})


class TwilioStream:
    """One stream's state: what may come next, and which of our marks are still out."""

    def __init__(self) -> None:
        self.phase = Phase.NEW
        self._stream_sid = ""
        self._sid = self._tail = b""
        self._width = 1
        self._bytes_per_ms = 8
        self._next_ms = 0
        self._marks = Marks()
        self._prefix = b""

    def receive(self, raw: bytes | str) -> Event | None:
        """Read one text message; None when it needs no action. Raises WireError; the stream stays usable."""
        if self.phase is Phase.STREAMING and isinstance(raw, bytes):
            media = self._receive_media(raw)
            if media is not None:
                return media
        return self._receive_object(parse_object(raw))

    def _receive_media(self, raw: bytes) -> Media | None:
        """The hot path: None when the bytes are anything but the usual media message of this stream."""
        head = _MEDIA.match(raw)
        if head is None:
            return None
        sid = head[1]
        tail = self._tail if sid is None else b'"}}'
        if not raw.endswith(tail) or (sid is not None and sid != self._sid):
            return None
        try:
            payload = binascii.a2b_base64(raw[head.end() : -len(tail)], strict_mode=True)
        except ValueError:
            return None
        if len(payload) % self._width:
            return None
        timestamp = int(head[3])
        self._next_ms = timestamp + len(payload) // self._bytes_per_ms
        return Media(payload, timestamp, int(head[2]))

    def _receive_object(self, message: dict[str, Any]) -> Event | None:
        event = string(message, "event", 64)
        if event not in _KNOWN:
            return None
        if event not in _ALLOWED[self.phase]:
            raise OrderError(f"{event!r} may not come while the stream is {self.phase}")
        match event:
            case "connected":
                self.phase = Phase.CONNECTED
                return Connected(string(message, "version", 32, ""))
            case "start":
                return self._start(message)
        if string(message, "streamSid", 64) != self._stream_sid:
            raise OrderError("a message belongs to another stream")
        match event:
            case "media":
                return self._media(section(message, "media"))
            case "dtmf":
                return Digit(digit(section(message, "dtmf")))
            case "mark":
                return self._mark(string(section(message, "mark"), "name", 1024))
        self.phase = Phase.STOPPED
        return Stopped()

    def _start(self, message: dict[str, Any]) -> Started:
        started = read_start(message)
        self._width = started.width
        self._bytes_per_ms = started.width * started.rate // 1000
        self._stream_sid = started.stream_sid
        self._sid = started.stream_sid.encode()
        self._tail = b'"},"streamSid":"%s"}' % self._sid
        self._prefix = f'{{"event":"media","streamSid":"{started.stream_sid}","media":{{"payload":"'.encode()
        self.phase = Phase.STREAMING
        return started

    def _media(self, body: dict[str, Any]) -> Media | None:
        track = string(body, "track", 32, "inbound")
        if track == "outbound":
            return None
        if track != "inbound":
            raise WireError("a track is neither inbound nor outbound")
        payload = parse_base64(string(body, "payload", 1 << 20))
        if len(payload) % self._width:
            raise WireError("a payload ends within a sample")
        timestamp = counter(body, "timestamp", self._next_ms)
        chunk = counter(body, "chunk", 0)
        self._next_ms = timestamp + len(payload) // self._bytes_per_ms
        return Media(payload, timestamp, chunk)

    def _mark(self, wire_name: str) -> MarkReached | None:
        mark = self._marks.returned(wire_name)
        return None if mark is None else MarkReached(*mark)

    def media(self, audio: bytes) -> bytes:
        """A media message: whole samples in the stream's format, any number of them."""
        return self._prefix + binascii.b2a_base64(audio, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """A mark message; MarkReached(name) follows when it comes back."""
        wire_name = self._marks.issue(name)
        return compact({"event": "mark", "streamSid": self._stream_sid, "mark": {"name": wire_name}})

    def clear(self) -> bytes:
        """A clear message; marks that are out are no longer heard."""
        self._marks.clear()
        return compact({"event": "clear", "streamSid": self._stream_sid})
