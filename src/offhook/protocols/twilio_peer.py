"""Twilio Media Streams, the vendor's side: what Twilio sends, and a strict reading of what a server answers.

For callers that stand in for Twilio (the command line, tests, benchmarks). No sockets, no clocks.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

from offhook.foundation.errors import WireError
from offhook.protocols.base import OrderError, compact, parse_base64, parse_object, section, string


@dataclass(frozen=True, slots=True)
class PeerMedia:
    """Audio to be heard by the caller, in the stream's format."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class PeerMark:
    """To be sent back by `TwilioPeer.mark` when everything before it was heard, or cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class PeerClear:
    """Drop what was not heard yet and return every outstanding mark at once."""


PeerEvent = PeerMedia | PeerMark | PeerClear

# Twilio's warning 31951: a missing or an extra field makes a message invalid.
_FIELDS: dict[str, frozenset[str]] = {
    "media": frozenset({"event", "streamSid", "media"}),
    "mark": frozenset({"event", "streamSid", "mark"}),
    "clear": frozenset({"event", "streamSid"}),
}
_BODY = {"media": frozenset({"payload"}), "mark": frozenset({"name"})}


class TwilioPeer:
    """One stream as Twilio speaks it. Every counter is a string, as on the wire."""

    def __init__(
        self,
        call_sid: str,
        stream_sid: str,
        account_sid: str,
        parameters: dict[str, str] | None = None,
        encoding: str = "audio/x-mulaw",
        rate: int = 8_000,
    ) -> None:
        self.call_sid = call_sid
        self.stream_sid = stream_sid
        self.account_sid = account_sid
        self._parameters = parameters or {}
        self._format = {"encoding": encoding, "sampleRate": rate, "channels": 1}
        self._bytes_per_second = rate * (2 if encoding.lower().endswith("l16") else 1)
        self._sequence = 0
        self._chunks = 0
        self._sent = 0

    def connected(self) -> bytes:
        return compact({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> bytes:
        body = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": self._format,
            "customParameters": self._parameters,
        }
        return self._message("start", start=body)

    def media(self, audio: bytes, timestamp_ms: int | None = None) -> bytes:
        """The caller's audio; `timestamp_ms` is by default the duration of what was sent before."""
        if timestamp_ms is None:
            timestamp_ms = self._sent * 1000 // self._bytes_per_second
        self._sent += len(audio)
        self._chunks += 1
        payload = binascii.b2a_base64(audio, newline=False).decode()
        body = {"track": "inbound", "chunk": str(self._chunks), "timestamp": str(timestamp_ms)}
        return self._message("media", media={**body, "payload": payload})

    def dtmf(self, digit: str) -> bytes:
        return self._message("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> bytes:
        """Give a mark back."""
        return self._message("mark", mark={"name": name})

    def stop(self) -> bytes:
        return self._message("stop", stop={"accountSid": self.account_sid, "callSid": self.call_sid})

    def _message(self, event: str, **body: dict[str, Any]) -> bytes:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid}
        return compact({**head, **body})

    def receive(self, raw: bytes | str) -> PeerEvent:
        """Read a server's message. Raises WireError where Twilio would warn (31951)."""
        message = parse_object(raw, limit=1 << 20)
        event = string(message, "event", 64)
        fields = _FIELDS.get(event)
        if fields is None:
            raise WireError(f"a server may not send {event!r}")
        if message.keys() != fields:
            raise WireError(f"{event} has a missing or an extra field")
        if string(message, "streamSid", 64) != self.stream_sid:
            raise OrderError("a message belongs to another stream")
        if event == "clear":
            return PeerClear()
        body = section(message, event)
        if body.keys() != _BODY[event]:
            raise WireError(f"{event} has a missing or an extra field")
        if event == "mark":
            return PeerMark(string(body, "name", 4096))
        return PeerMedia(parse_base64(string(body, "payload", 1 << 20)))
