"""The message that begins a Twilio media stream: whose call it is, and what its audio is. No state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import WireError
from offhook.protocols.base import KindError, counter, section, string

_ENCODINGS = {
    "audio/x-mulaw": "ulaw",
    "audio/pcmu": "ulaw",
    "audio/x-alaw": "alaw",
    "audio/pcma": "alaw",
    "audio/x-l16": "pcm16",
    "audio/l16": "pcm16",
}
_RATES = (8_000, 16_000, 24_000, 48_000)


class FormatError(KindError):
    """The stream's audio is not one that can be heard here; nothing later changes that."""


@dataclass(frozen=True, slots=True)
class Started:
    """The stream of a call begins. `encoding` is ulaw, alaw or pcm16 (little-endian), `rate` is in Hz."""

    call_sid: str
    stream_sid: str
    account_sid: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    encoding: str = "ulaw"
    rate: int = 8_000
    tracks: tuple[str, ...] = ("inbound",)

    @property
    def width(self) -> int:
        """Bytes per sample."""
        return 2 if self.encoding == "pcm16" else 1


def read_start(message: dict[str, Any]) -> Started:
    """Read a start message. Raises WireError; FormatError for audio that cannot be heard here."""
    body = section(message, "start")
    stream_sid = string(body, "streamSid", 64)
    if not (stream_sid.isascii() and stream_sid.isalnum()):
        raise WireError("streamSid is not a word of letters and digits")
    if string(message, "streamSid", 64, stream_sid) != stream_sid:
        raise WireError("start names two streams")
    encoding, rate = _format(body)
    return Started(
        call_sid=string(body, "callSid", 64),
        stream_sid=stream_sid,
        account_sid=string(body, "accountSid", 64, ""),
        parameters=_parameters(body),
        encoding=encoding,
        rate=rate,
        tracks=_tracks(body),
    )


def _format(body: dict[str, Any]) -> tuple[str, int]:
    if body.get("mediaFormat") is None:
        return "ulaw", 8_000
    try:
        media = section(body, "mediaFormat")
        name = string(media, "encoding", 64, "audio/x-mulaw")
        rate, channels = counter(media, "sampleRate", 8_000), counter(media, "channels", 1)
    except WireError as error:
        raise FormatError(error.reason) from None
    encoding = _ENCODINGS.get(name.lower())
    if encoding is None or rate not in _RATES or channels != 1:
        raise FormatError("the stream's media format is not one that can be heard here")
    return encoding, rate


def _parameters(body: dict[str, Any]) -> dict[str, str]:
    if body.get("customParameters") is None:
        return {}
    parameters = section(body, "customParameters")
    if len(parameters) > 100:
        raise WireError("start has more than 100 parameters")
    return {name: string(parameters, name, 4096) for name in parameters}


def _tracks(body: dict[str, Any]) -> tuple[str, ...]:
    tracks = body.get("tracks")
    if tracks is None:
        return ("inbound",)
    if not isinstance(tracks, list) or not all(isinstance(track, str) for track in tracks) or len(tracks) > 4:
        raise WireError("tracks is not a list of names")
    return tuple(tracks)
