"""What streaming recognizers have in common, and what each vendor says its own way. No sockets, no clock.

Positions are milliseconds of a connection's audio (what `audio` was given, not the silence that a
dialect adds by itself), so that words can be told to belong to a stretch of sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook.audio.frame import AudioFormat

Wire = str | bytes
"""One WebSocket message: text or binary."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is configured; audio may come."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The words that are not settled yet, heard up to `end_ms`."""

    text: str
    end_ms: float


@dataclass(frozen=True, slots=True)
class Settled:
    """Words that will not change; the sound up to `end_ms` is done with. `language` may be empty."""

    text: str
    end_ms: float
    language: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Described:
    """The language, and how sure the words are, of what was settled last."""

    language: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class TurnSound:
    """How probable it sounds, up to `end_ms`, that the turn is over; `over` is 1 once the vendor ended it."""

    over: float
    end_ms: float


Heard = Ready | Interim | Settled | Described | TurnSound


@dataclass(frozen=True, slots=True)
class Habits:
    """How a vendor's stream is to be treated. Times in milliseconds.

    chunk: audio per message; patience: how long after the end of the utterance words are waited for before
    `flush` asks for them; slack: sound at the end that may stay unheard; grace: after this long without an
    answer to a flush the interim words will do, if they reach close enough (0: they never do);
    firm: interim words are good enough to answer with; relieve: speech without a pause is flushed now and
    then, so that no more than the replay buffer is unsettled; describes: languages come after the words.
    """

    chunk_ms: int = 60
    patience_ms: int = 0
    slack_ms: int = 0
    grace_ms: int = 0
    firm: bool = False
    relieve: bool = True
    describes: bool = False
    greets: bool = True


class Dialect(Protocol):
    """One connection's session with a vendor: what to send, and what the answers mean."""

    format: AudioFormat
    habits: Habits

    def url(self) -> str: ...

    def headers(self) -> Mapping[str, str]: ...

    def audio(self, audio: bytes) -> Wire:
        """More audio, in `format`."""

    def flush(self, at_ms: float, unsettled_ms: float) -> Iterable[Wire]:
        """The words up to `at_ms` are wanted; those of the last `unsettled_ms` are not settled."""

    def drop(self, at_ms: float, unsettled_ms: float, finished: bool) -> Iterable[Wire]:
        """What was said up to `at_ms` must not mix with what comes; `finished`: its words were wanted, and
        only silence came since."""

    def keep_alive(self) -> Iterable[Wire]:
        """Nothing was sent for a while and the session shall stay."""

    def read(self, message: Wire) -> tuple[Sequence[Heard], Sequence[Wire]]:
        """What a message means, and what to answer at once. Raises WireError for nonsense, ProviderError
        for the end of the session."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines of a stream, in seconds. `answer` bounds one `finish`, reconnection and replay included."""

    connect: float = 2.0
    answer: float = 2.0
    keep_alive: float = 4.0
    pause: float = 0.2
    """At most, and a quarter of it at least, before a lost connection is made again."""
    silence: float = 10.0
    """A peer that does not answer pings for this long is gone."""
