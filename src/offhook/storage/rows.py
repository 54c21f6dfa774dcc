"""Turns what happened in calls into rows, on a connection it is given. No threads, no commits, no retries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from offhook.foundation.events import EndReason, Entry, LegKind, TranscriptFinal, TurnTimed
from offhook.storage.base import CallRecord, CallState, RecordingState
from offhook.storage.tables import calls, events, turns


@dataclass(frozen=True, slots=True)
class Begun:
    call: CallRecord


@dataclass(frozen=True, slots=True)
class Kept:
    entry: Entry


@dataclass(frozen=True, slots=True)
class Ended:
    call_id: str
    reason: EndReason
    ended_at: datetime
    duration_ms: int
    state: CallState = CallState.ENDED


@dataclass(frozen=True, slots=True)
class Recorded:
    call_id: str
    state: RecordingState
    gaps: dict[int, int]


Job = Begun | Kept | Ended | Recorded


def clean(text: str) -> str:
    """`text` as every database takes it: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_json(value: Any) -> Any:
    """A JSON value with all of its strings clean."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): clean_json(item) for key, item in value.items()}
        case list() | tuple():
            return [clean_json(item) for item in value]
    return value


def apply(connection: Connection, jobs: Sequence[Job]) -> None:
    """Write `jobs` in their order. Raises what the database raises; then nothing may be committed."""
    timeline: list[dict[str, Any]] = []
    changed: dict[str, None] = {}
    for job in jobs:
        match job:
            case Begun(call):
                _begin(connection, call)
            case Kept(entry):
                timeline.append(_event(entry))
                if _turn(connection, entry):
                    changed[entry.call_id] = None
            case Ended():
                _end(connection, job)
                changed[job.call_id] = None
            case Recorded():
                _recorded(connection, job)
                changed[job.call_id] = None
    if timeline:
        connection.execute(insert(events), timeline)
    for call_id in changed:
        _tally(connection, call_id)


def _begin(connection: Connection, call: CallRecord) -> None:
    row = {field.name: getattr(call, field.name) for field in fields(call)}
    connection.execute(insert(calls), clean_row(row))


def clean_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row's strings cleaned, its other values as they are."""
    return {key: clean(value) if isinstance(value, str) else value for key, value in row.items()}


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "call_id": entry.call_id,
        "seq": entry.seq,
        "media_ms": entry.media_ms,
        "kind": entry.event.kind,
        "data": clean_json(asdict(entry.event)),
    }


def _turn(connection: Connection, entry: Entry) -> bool:
    match entry.event:
        case TranscriptFinal() as final:
            values = clean_row(asdict(final))
            leg, turn = values.pop("leg"), values.pop("turn")
        case TurnTimed() as timed:
            values = {"waterfall": asdict(timed)}
            leg, turn = LegKind.AGENT, values["waterfall"].pop("turn")
        case _:
            return False
    key = {"call_id": entry.call_id, "turn": turn, "leg": str(leg)}
    found = connection.execute(update(turns).filter_by(**key).values(**values))
    if not found.rowcount:
        blank = {"text": "", "language": "", "interrupted": False, "unheard": ""}
        connection.execute(insert(turns), {**blank, **key, **values})
    return True


def _end(connection: Connection, job: Ended) -> None:
    connection.execute(
        update(calls)
        .where(calls.c.id == job.call_id, calls.c.state == CallState.LIVE)
        .values(state=job.state, end_reason=job.reason, ended_at=job.ended_at, duration_ms=job.duration_ms)
    )


def _recorded(connection: Connection, job: Recorded) -> None:
    connection.execute(update(calls).where(calls.c.id == job.call_id).values(recording=job.state))
    for turn, gap in job.gaps.items():
        connection.execute(
            update(turns).filter_by(call_id=job.call_id, turn=turn, leg=LegKind.AGENT).values(gap_ms=gap)
        )


def percentile(values: Sequence[int], part: float) -> int | None:
    """The nearest-rank percentile: the smallest value that `part` of all do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def _tally(connection: Connection, call_id: str) -> None:
    """Count a call's turns and its response times: measured gaps where there are any, else the waterfalls."""
    found = connection.execute(
        select(turns.c.started_ms, turns.c.waterfall, turns.c.gap_ms).where(turns.c.call_id == call_id)
    ).all()
    times = [row.gap_ms for row in found if row.gap_ms is not None]
    if not times:
        times = [row.waterfall["first_audio_ms"] for row in found if row.waterfall]
    connection.execute(
        update(calls)
        .where(calls.c.id == call_id)
        .values(
            turns=sum(row.started_ms is not None for row in found),
            response_p50_ms=percentile(times, 0.50),
            response_p95_ms=percentile(times, 0.95),
        )
    )
