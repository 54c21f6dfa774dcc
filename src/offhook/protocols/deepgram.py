"""Deepgram's streaming recognizers: the addresses and messages of Listen v1 and Flux (Listen v2). No sockets.

Audio goes out as binary messages, control as JSON text; what comes in is JSON text.
https://developers.deepgram.com/reference/speech-to-text/listen-streaming and …/listen-flux
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from offhook.foundation.errors import WireError
from offhook.protocols.base import flag, number, parse_object, section, string
from offhook.protocols.languages import iso_639_1

MAX_BYTES = 262_144
"""A result lists every word with its times: some 100 bytes a word."""
MAX_TEXT = 20_000
KEEP_ALIVE = '{"type":"KeepAlive"}'
FINALIZE = '{"type":"Finalize"}'
FORCE_END_TURN = '{"type":"ForceEndTurn"}'
CLOSE_STREAM = '{"type":"CloseStream"}'
_MOST_LANGUAGES = 8


@dataclass(frozen=True, slots=True)
class Results:
    """Words of the audio up to `end_ms` of the stream. They may change unless `final`.

    `finalized`: the answer to a Finalize. `language` is empty unless it was detected.
    """

    text: str
    end_ms: float
    final: bool
    finalized: bool = False
    confidence: float = 1.0
    language: str = ""


class TurnEvent(StrEnum):
    """What happened to the turn, in Flux's words."""

    START = "StartOfTurn"
    UPDATE = "Update"
    EAGER = "EagerEndOfTurn"
    RESUMED = "TurnResumed"
    END = "EndOfTurn"


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """The words of Flux's current turn, heard up to `end_ms` of the stream; `over`: how ended it sounds."""

    event: TurnEvent
    turn: int
    text: str
    end_ms: float
    over: float
    confidence: float = 1.0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    """Flux is ready for audio."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The server gives up this stream; `code` is its own name for why."""

    code: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that says nothing of words (Metadata, SpeechStarted, …), or of a kind not known yet."""

    kind: str


def listen_url(
    base: str,
    model: str,
    encoding: str,
    rate: int,
    languages: Sequence[str],
    keyterms: Iterable[str] = (),
    endpointing_ms: int = 300,
) -> str:
    """The address of a v1 stream. One language is set, several (or none) are detected."""
    query: list[tuple[str, str | int]] = [
        ("model", model),
        ("encoding", encoding),
        ("sample_rate", rate),
        ("channels", 1),
        ("interim_results", "true"),
        ("smart_format", "true"),
        ("endpointing", endpointing_ms),
    ]
    if len(languages) == 1:
        query.append(("language", languages[0]))
    else:
        query.append(("language", "multi"))
        query += [("language_hint", language) for language in languages]
    query += [("keyterm", term) for term in keyterms]
    return f"{base}/v1/listen?{urlencode(query)}"


def flux_url(
    base: str,
    model: str,
    encoding: str,
    rate: int,
    languages: Sequence[str] = (),
    keyterms: Iterable[str] = (),
    *,
    threshold: float = 0.7,
    eager_threshold: float = 0.0,
    timeout_ms: int = 5_000,
) -> str:
    """The address of a Flux stream. Hints of language are for `flux-general-multi` only."""
    query: list[tuple[str, str | int | float]] = [
        ("model", model),
        ("encoding", encoding),
        ("sample_rate", rate),
        ("eot_threshold", threshold),
        ("eot_timeout_ms", timeout_ms),
    ]
    if eager_threshold:
        query.append(("eager_eot_threshold", eager_threshold))
    query += [("language_hint", language) for language in languages]
    query += [("keyterm", term) for term in keyterms]
    return f"{base}/v2/listen?{urlencode(query)}"


def parse_listen(raw: str | bytes) -> Results | Fault | Ignored:
    """A message of a v1 stream. Raises WireError."""
    message = parse_object(raw, MAX_BYTES)
    kind = string(message, "type", 64)
    if kind == "Error":
        return Fault(_code(message, "variant"))
    if kind != "Results":
        return Ignored(kind)
    best = _alternative(section(message, "channel"))
    end = number(message, "start", 0.0) + number(message, "duration", 0.0)
    return Results(
        string(best, "transcript", MAX_TEXT).strip(),
        end * 1000,
        flag(message, "is_final", False),
        flag(message, "from_finalize", False),
        min(1.0, number(best, "confidence", 1.0)),
        _first_language(best),
    )


def parse_flux(raw: str | bytes) -> TurnInfo | Connected | Fault | Ignored:
    """A message of a Flux stream. Raises WireError."""
    message = parse_object(raw, MAX_BYTES)
    kind = string(message, "type", 64)
    if kind == "Connected":
        return Connected()
    if kind == "Error":
        return Fault(_code(message, "code"))
    if kind != "TurnInfo":
        return Ignored(kind)
    event = string(message, "event", 64)
    if event not in frozenset(TurnEvent):
        return Ignored(event)
    return TurnInfo(
        TurnEvent(event),
        int(number(message, "turn_index", 0)),
        string(message, "transcript", MAX_TEXT).strip(),
        number(message, "audio_window_end", 0.0) * 1000,
        min(1.0, number(message, "end_of_turn_confidence", 0.0)),
        _sureness(message),
        _first_language(message),
    )


def _code(message: dict[str, Any], name: str) -> str:
    """The server's name for its fault; anything but a plain word is not repeated."""
    code = string(message, name, 64, "")
    return code if code.replace("_", "").replace("-", "").isalnum() and code.isascii() else ""


def _alternative(channel: dict[str, Any]) -> dict[str, Any]:
    alternatives = channel.get("alternatives")
    if not isinstance(alternatives, list) or not alternatives or not isinstance(alternatives[0], dict):
        raise WireError("a result has no alternatives")
    return alternatives[0]


def _first_language(message: dict[str, Any]) -> str:
    languages = message.get("languages")
    if not isinstance(languages, list):
        return ""
    for language in languages[:_MOST_LANGUAGES]:
        if isinstance(language, str) and (code := iso_639_1(language)):
            return code
    return ""


def _sureness(message: dict[str, Any]) -> float:
    """The mean confidence of the words; 1 when there are none."""
    words = message.get("words")
    if not isinstance(words, list):
        return 1.0
    sure = [min(1.0, number(word, "confidence", 1.0)) for word in words if isinstance(word, dict)]
    return sum(sure) / len(sure) if sure else 1.0
