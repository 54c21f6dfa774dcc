"""Turns what happened in calls into rows, on a connection it is given. No threads, no commits, no retries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from offhook.foundation.center_events import HandedOver
from offhook.foundation.events import CallEvent, EndReason, Entry, LegKind, TranscriptFinal, TurnTimed
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
    if text.isascii() and "\x00" not in text:
        return str(text)
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


Row = dict[str, Any]


class _Sheet:
    """The rows of one batch, by statement: each is executed once, for all of its rows."""

    def __init__(self) -> None:
        self.calls: list[Row] = []
        self.events: list[Row] = []
        self.finals: list[Row] = []
        self.timings: list[Row] = []
        self.agents: list[Row] = []
        self.ends: list[Row] = []
        self.recordings: list[Row] = []
        self.gaps: list[Row] = []
        self.changed: dict[str, None] = {}

    def add(self, job: Job) -> None:
        match job:
            case Begun(call):
                self.calls.append(_values(call))
            case Kept(entry):
                self._keep(entry)
            case Ended(call_id, reason, ended_at, duration_ms, state):
                end = {"state": state, "end_reason": reason, "ended_at": ended_at, "duration_ms": duration_ms}
                self.ends.append({"of_call": call_id, **end})
                self.changed[call_id] = None
            case Recorded(call_id, state, gaps):
                self.recordings.append({"of_call": call_id, "recording": state})
                self.gaps += [{"of_call": call_id, "of_turn": n, "gap_ms": gap} for n, gap in gaps.items()]
                self.changed[call_id] = None

    def _keep(self, entry: Entry) -> None:
        event, data = entry.event, _values(entry.event)
        at = {"call_id": entry.call_id, "seq": entry.seq, "media_ms": entry.media_ms}
        self.events.append({**at, "kind": event.kind, "data": data})
        if isinstance(event, TranscriptFinal):
            self.finals.append({"call_id": entry.call_id, **{name: data[name] for name in _TURN}})
        elif isinstance(event, TurnTimed):
            waterfall = {name: value for name, value in data.items() if name != "turn"}
            key = {"call_id": entry.call_id, "turn": event.turn, "leg": str(LegKind.AGENT)}
            self.timings.append({**key, **_BLANK, "waterfall": waterfall})
        elif isinstance(event, HandedOver):  # whose call it is decides who may see it
            self.agents.append({"of_call": entry.call_id, "agent": data["target"]})
            return
        else:
            return
        self.changed[entry.call_id] = None


_BLANK: Row = {"text": "", "language": "", "interrupted": False, "unheard": ""}
_TURN = tuple(field.name for field in fields(TranscriptFinal) if field.name in turns.c)
_FINAL = tuple(name for name in _TURN if name not in ("leg", "turn"))
_END = (
    update(calls)
    .where(calls.c.id == bindparam("of_call"), calls.c.state == CallState.LIVE)
    .values({name: bindparam(name) for name in ("state", "end_reason", "ended_at", "duration_ms")})
)
_AGENT = update(calls).where(calls.c.id == bindparam("of_call")).values({"agent": bindparam("agent")})
_RECORDED = (
    update(calls).where(calls.c.id == bindparam("of_call")).values({"recording": bindparam("recording")})
)
_GAP = (
    update(turns)
    .where(
        turns.c.call_id == bindparam("of_call"),
        turns.c.turn == bindparam("of_turn"),
        turns.c.leg == LegKind.AGENT,
    )
    .values({"gap_ms": bindparam("gap_ms")})
)
_TALLIED = ("turns", "response_p50_ms", "response_p95_ms")
_TALLY = (
    update(calls)
    .where(calls.c.id == bindparam("of_call"))
    .values({name: bindparam(name) for name in _TALLIED})
)
_TURNS_OF = select(turns.c.call_id, turns.c.started_ms, turns.c.waterfall, turns.c.gap_ms).where(
    turns.c.call_id.in_(bindparam("of_calls", expanding=True))
)


def apply(connection: Connection, jobs: Sequence[Job]) -> None:
    """Write `jobs`, as if in their order. Raises what the database raises; then nothing may be committed."""
    sheet = _Sheet()
    for job in jobs:
        sheet.add(job)
    for statement, rows in (
        (insert(calls), sheet.calls),
        (insert(events), sheet.events),
        (_merge(connection.dialect.name, _FINAL), sheet.finals),
        (_merge(connection.dialect.name, ("waterfall",)), sheet.timings),
        (_AGENT, sheet.agents),
        (_END, sheet.ends),
        (_RECORDED, sheet.recordings),
        (_GAP, sheet.gaps),
    ):
        if rows:
            connection.execute(statement, rows)
    if sheet.changed:
        _tally(connection, list(sheet.changed))


def _values(record: CallEvent | CallRecord) -> Row:
    """A flat dataclass as a row or a JSON object, its strings clean."""
    return {field.name: clean_json(getattr(record, field.name)) for field in fields(record)}


@cache  # a statement is some hundred objects that hold each other
def _merge(dialect: str, names: tuple[str, ...]) -> Executable:
    """An insert into turns that, where the turn has a row, sets `names` of it and no more."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(turns)
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in turns.primary_key],
        set_={name: statement.excluded[name] for name in names},
    )


def percentile(values: Sequence[int], part: float) -> int | None:
    """The nearest-rank percentile: the smallest value that `part` of all do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def _tally(connection: Connection, call_ids: Sequence[str]) -> None:
    """Count calls' turns and response times: measured gaps where there are any, else the waterfalls."""
    found: dict[str, list[Any]] = {call_id: [] for call_id in call_ids}
    for row in connection.execute(_TURNS_OF, {"of_calls": call_ids}):
        found[row.call_id].append(row)
    tallies = []
    for call_id, rows in found.items():
        times = [row.gap_ms for row in rows if row.gap_ms is not None]
        times = times or [row.waterfall["first_audio_ms"] for row in rows if row.waterfall]
        count = sum(row.started_ms is not None for row in rows)
        values = (count, percentile(times, 0.50), percentile(times, 0.95))
        tallies.append({"of_call": call_id, **dict(zip(_TALLIED, values, strict=True))})
    connection.execute(_TALLY, tallies)
