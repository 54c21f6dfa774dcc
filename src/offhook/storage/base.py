"""Contracts of storage: rows about calls, and tapes of their sound. Writers on the media loop never wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from offhook.audio.frame import AudioFormat
from offhook.foundation.events import CallEvent, ChannelKind, Direction, EndReason, Entry, LegKind


class CallState(StrEnum):
    LIVE = "live"
    ENDED = "ended"
    RECOVERED = "recovered"
    """Cut off by a crash of the server, found and sealed at the next start."""


class RecordingState(StrEnum):
    NONE = "none"
    TAPING = "taping"
    SEALED = "sealed"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One row of the call list. Times are aware, UTC. `duration_ms` is media time."""

    id: str
    direction: Direction
    channel: ChannelKind
    agent: str
    caller: str
    called: str
    started_at: datetime
    state: CallState = CallState.LIVE
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    duration_ms: int = 0
    vendor_id: str = ""
    recording: RecordingState = RecordingState.NONE
    turns: int = 0
    response_p50_ms: int | None = None
    response_p95_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn of one speaker. `gap_ms` is measured from the recording: the caller's last audible
    sample to the agent's first. `waterfall` holds TurnTimed's figures for an agent turn, or None."""

    call_id: str
    turn: int
    leg: LegKind
    text: str
    started_ms: int
    ended_ms: int
    language: str = ""
    interrupted: bool = False
    unheard: str = ""
    waterfall: dict[str, int] | None = None
    gap_ms: int | None = None


@dataclass(frozen=True, slots=True)
class EarlierCalls:
    """Calls that a number made before: how many, and the latest ones, newest first."""

    count: int = 0
    latest: Sequence[CallRecord] = ()


class CallStore(Protocol):
    """Rows about calls. The first four methods are immediate (a bounded queue and a writer thread
    of its own behind them); a full queue drops transient events first and counts what it lost."""

    def begin(self, call: CallRecord) -> None: ...

    def keep(self, entry: Entry) -> None:
        """Append an event to its call's timeline; TranscriptFinal and TurnTimed also fill turns."""

    async def append(self, call_id: str, event: CallEvent) -> Entry:
        """Put an event at the end of an ended call's timeline; gives it with its place, which nobody else
        has. Raises NotFoundError, ConflictError (the call is live), StorageError."""

    def end(self, call_id: str, reason: EndReason, ended_at: datetime, duration_ms: int) -> None: ...

    def recorded(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None:
        """The recording's state changed; `gaps` maps turn → measured gap in ms."""

    async def flush(self) -> None:
        """Until everything given so far is committed."""

    async def calls(
        self,
        limit: int = 50,
        before: str | None = None,
        channel: ChannelKind | None = None,
        agents: Sequence[str] | None = None,
        caller: str | None = None,
    ) -> Sequence[CallRecord]:
        """Newest first; `before` is the id of the last call of the previous page; `agents`, `caller`: of
        these only."""

    async def earlier(
        self, caller: str, but: str = "", limit: int = 5, agents: Sequence[str] | None = None
    ) -> EarlierCalls:
        """Calls that this number made before the call `but`, or at all; none where it is withheld."""

    async def call(self, call_id: str) -> CallRecord | None: ...

    async def turns(self, call_id: str) -> Sequence[TurnRecord]: ...

    async def events(self, call_id: str) -> Sequence[dict[str, Any]]: ...

    async def close(self) -> None: ...


class Tape(Protocol):
    """The sound of one live call, appended crash-safe. Immediate; on the media path."""

    def write(self, leg: str, at_sample: int, audio: bytes) -> None:
        """Audio of a leg (a LegKind, or "guest-1" and so on) in its format, `at_sample` samples after the
        answer. A gap before it becomes silence; a small overlap (jitter) is appended, a large one is cut."""

    def join(self, leg: str, format: AudioFormat) -> None:
        """A leg that was not there at the beginning: what is written of it from now on is kept."""

    def close(self) -> None:
        """The call is over: seal the recording in the background. Idempotent."""


class Recorder(Protocol):
    """Opens tapes; one writer thread for all calls."""

    def open(self, call_id: str, formats: dict[str, AudioFormat]) -> Tape: ...

    async def close(self) -> None: ...
