"""OpenAI's transcription sessions (Realtime API, GA): their address and messages, JSON text. No sockets.

https://developers.openai.com/api/docs/guides/realtime-transcription
We commit; the server's turn detection is off.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any
from urllib.parse import urlsplit

from offhook.protocols.base import compact, parse_object, section, string
from offhook.protocols.languages import iso_639_1

MAX_BYTES = 262_144
MAX_TEXT = 20_000
LEAST_COMMIT_MS = 100
"""A commit of less audio is refused."""
CLEAR = '{"type":"input_audio_buffer.clear"}'
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


@dataclass(frozen=True, slots=True)
class Created:
    """The session is there, and waits to be configured."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The session is configured; audio may come."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A commit made this item. Commits are answered in their order."""

    item: str


@dataclass(frozen=True, slots=True)
class Delta:
    """More words of an item; joined as they are. Some models send them before the commit."""

    item: str
    text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """All words of an item. Items may be completed in any order."""

    item: str
    text: str
    language: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The words of an item could not be found."""

    item: str
    code: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The server refuses an event of ours (the one with the id `event`), or fails."""

    kind: str
    code: str
    event: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that matters not here, or of a kind not known yet."""

    kind: str


Message = Created | Updated | Taken | Delta | Completed | Failed | Fault | Ignored


def session_url(base: str) -> str:
    """The WebSocket address for an API base like https://api.openai.com/v1."""
    parts = urlsplit(base.rstrip("/"))
    scheme = "wss" if parts.scheme in {"https", "wss"} else "ws"
    return f"{scheme}://{parts.netloc}{parts.path}/realtime?intent=transcription"


def session_update(
    model: str,
    format: str,
    languages: Sequence[str],
    *,
    prompt: str = "",
    keywords: Sequence[str] = (),
    noise_reduction: str = "",
    logprobs: bool = False,
) -> str:
    """Configures the session. `format`: audio/pcmu or audio/pcma (8 kHz), or audio/pcm (24 kHz)."""
    transcription: dict[str, Any] = {"model": model}
    if len(languages) == 1:
        transcription["language"] = languages[0]
    elif languages:
        transcription["languages"] = list(languages)
    if prompt:
        transcription["prompt"] = prompt
    if keywords:
        transcription["keywords"] = list(keywords)
    heard: dict[str, Any] = {
        "format": {"type": format, "rate": 24_000} if format == "audio/pcm" else {"type": format},
        "transcription": transcription,
        "turn_detection": None,
    }
    if noise_reduction:
        heard["noise_reduction"] = {"type": noise_reduction}
    session: dict[str, Any] = {"type": "transcription", "audio": {"input": heard}}
    if logprobs:
        session["include"] = ["item.input_audio_transcription.logprobs"]
    return compact({"type": "session.update", "session": session}).decode()


def append(audio: bytes) -> str:
    """More audio."""
    return f'{{"type":"input_audio_buffer.append","audio":"{b64encode(audio).decode("ascii")}"}}'


def commit(event: str) -> str:
    """The words of all audio since the last commit are wanted. `event` names the commit in errors."""
    return f'{{"type":"input_audio_buffer.commit","event_id":"{event}"}}'


def parse(raw: str | bytes) -> Message:
    """A message of the server. Raises WireError."""
    message = parse_object(raw, MAX_BYTES)
    kind = string(message, "type", 128)
    if kind.startswith(_TRANSCRIPTION):
        return _transcription(kind, message)
    match kind:
        case "session.created":
            return Created()
        case "session.updated":
            return Updated()
        case "input_audio_buffer.committed":
            return Taken(string(message, "item_id", 256))
        case "error":
            error = section(message, "error")
            kind, code = string(error, "type", 128, ""), string(error, "code", 128, "")
            return Fault(kind, code, string(error, "event_id", 256, ""))
    return Ignored(kind)


def _transcription(kind: str, message: dict[str, Any]) -> Message:
    item = string(message, "item_id", 256)
    match kind.removeprefix(_TRANSCRIPTION):
        case "delta":
            return Delta(item, string(message, "delta", MAX_TEXT, ""))
        case "completed":
            text = string(message, "transcript", MAX_TEXT).strip()
            return Completed(item, text, _language(message), _confidence(message))
        case "failed":
            return Failed(item, string(section(message, "error"), "code", 128, ""))
    return Ignored(kind)


def _language(message: dict[str, Any]) -> str:
    languages = message.get("languages")
    if not isinstance(languages, list) or not languages or not isinstance(languages[0], dict):
        return ""
    return iso_639_1(string(languages[0], "code", 64, ""))


def _confidence(message: dict[str, Any]) -> float:
    """The mean probability of the tokens, where they were asked for."""
    tokens = message.get("logprobs")
    if not isinstance(tokens, list):
        return 1.0
    logs = [token.get("logprob") for token in tokens if isinstance(token, dict)]
    sure = [exp(min(0.0, log)) for log in logs if isinstance(log, int | float) and not isinstance(log, bool)]
    return sum(sure) / len(sure) if sure else 1.0
