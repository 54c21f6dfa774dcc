"""ElevenLabs' realtime recognizer (Scribe): its address and messages, all of them JSON text. No sockets.

https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime
Messages are told apart by `message_type`; there is no `type`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any
from urllib.parse import urlencode

from offhook.protocols.base import compact, parse_object, string
from offhook.protocols.languages import iso_639_1

MAX_BYTES = 262_144
MAX_TEXT = 20_000
LEAST_COMMIT_MS = 300
"""A commit of less uncommitted audio is refused (`commit_throttled`)."""


@dataclass(frozen=True, slots=True)
class Started:
    """The session is configured; audio may come."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Words of what is not committed yet; the next one replaces them."""

    text: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The words of one commit. Commits are answered in their order."""

    text: str


@dataclass(frozen=True, slots=True)
class Described:
    """More about the words of a commit: their language and how sure they are.

    It follows the plain message, or (with `commits`) may stand in its place.
    """

    text: str
    language: str
    confidence: float | None
    commits: bool


@dataclass(frozen=True, slots=True)
class Unheard:
    """A commit was not carried out: there was too little audio, or none with a voice in it."""

    code: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The server failed or refuses to go on; `code` is its message_type. A new session may work, or not."""

    code: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that matters not here, or of a kind not known yet."""

    kind: str


Message = Started | Partial | Committed | Described | Unheard | Fault | Ignored

_TIMED = "committed_transcript_with_timestamps"
_DESCRIBED = frozenset((_TIMED, "final_transcript", "final_transcript_with_timestamps"))
_UNHEARD = frozenset(("commit_throttled", "insufficient_audio_activity"))
_REFUSED = frozenset(("auth_error", "quota_exceeded", "unaccepted_terms", "input_error", "invalid_request"))
_FAILED = frozenset(
    (
        "error",
        "transcriber_error",
        "rate_limited",
        "queue_overflow",
        "resource_exhausted",
        "session_time_limit_exceeded",
        "chunk_size_exceeded",
    )
)


def realtime_url(
    base: str, model: str, audio_format: str, languages: Sequence[str], keyterms: Iterable[str] = ()
) -> str:
    """The address of a session in which we commit. One language is set, several (or none) are detected."""
    query = [("model_id", model), ("audio_format", audio_format), ("commit_strategy", "manual")]
    if languages:
        query.append(("language_code", languages[0]))
        query += [("secondary_languages", language) for language in languages[1:]]
    if len(languages) != 1:
        query += [("include_timestamps", "true"), ("include_language_detection", "true")]
    query += [("keyterms", term) for term in keyterms]
    return f"{base}/v1/speech-to-text/realtime?{urlencode(query)}"


def chunk(audio: bytes, rate: int, commit: bool = False) -> str:
    """More audio, maybe none; with `commit` the words of all since the last commit are wanted."""
    message: dict[str, Any] = {
        "message_type": "input_audio_chunk",
        "audio_base_64": b64encode(audio).decode("ascii"),
        "commit": commit,
        "sample_rate": rate,
    }
    return compact(message).decode("ascii")


def parse(raw: str | bytes) -> Message:
    """A message of the server. Raises WireError."""
    message = parse_object(raw, MAX_BYTES)
    kind = string(message, "message_type", 64)
    if kind == "session_started":
        return Started()
    if kind == "partial_transcript":
        return Partial(string(message, "text", MAX_TEXT).strip())
    if kind == "committed_transcript":
        return Committed(string(message, "text", MAX_TEXT).strip())
    if kind in _DESCRIBED:
        language = iso_639_1(string(message, "language_code", 64, ""))
        text = string(message, "text", MAX_TEXT, "").strip()
        return Described(text, language, _confidence(message), kind == _TIMED)
    if kind in _UNHEARD:
        return Unheard(kind)
    if kind in _REFUSED or kind in _FAILED:
        return Fault(kind, kind in _FAILED)
    return Ignored(kind)


def _confidence(message: dict[str, Any]) -> float | None:
    """The mean probability of the words, where they carry a log probability."""
    words = message.get("words")
    if not isinstance(words, list):
        return None
    logs = [word.get("logprob") for word in words if isinstance(word, dict)]
    sure = [exp(min(0.0, log)) for log in logs if isinstance(log, int | float) and not isinstance(log, bool)]
    return sum(sure) / len(sure) if sure else None
