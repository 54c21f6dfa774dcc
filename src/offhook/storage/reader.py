"""Reads rows back as records, each read on a connection of its own. It blocks; callers bring a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, and_, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from offhook.foundation.errors import StorageError
from offhook.foundation.events import ChannelKind, Direction, EndReason, LegKind
from offhook.storage.base import CallRecord, CallState, EarlierCalls, RecordingState, TurnRecord
from offhook.storage.rows import clean
from offhook.storage.tables import calls, events, turns

T = TypeVar("T")
MAX_PAGE = 500
MOST_COUNTED = 1_000
_WITHHELD = {
    "",
    "anonymous",
    "blocked",
    "private",
    "restricted",
    "unavailable",
    "unknown",
    # What vendors send in their place: the letters on a telephone's keys.
    *("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"),
}


def is_withheld(caller: str) -> bool:
    """Whether a caller gives no number by which they are known."""
    return caller.strip().lower() in _WITHHELD


def _call(row: Row[Any]) -> CallRecord:
    values = dict(row._mapping)
    reason = values["end_reason"]
    values.update(
        direction=Direction(values["direction"]),
        channel=ChannelKind(values["channel"]),
        state=CallState(values["state"]),
        recording=RecordingState(values["recording"]),
        end_reason=None if reason is None else EndReason(reason),
    )
    return CallRecord(**values)


def _turn(row: Row[Any]) -> TurnRecord:
    values = dict(row._mapping)
    values["leg"] = LegKind(values["leg"])
    return TurnRecord(**values)


class Reader:
    """All methods raise StorageError when the database cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StorageError(f"rows cannot be read now ({type(error).__name__})") from None

    def calls(
        self,
        limit: int,
        before: str | None,
        channel: ChannelKind | None,
        agents: Sequence[str] | None = None,
        caller: str | None = None,
    ) -> Sequence[CallRecord]:
        """Newest first. An unknown `before` gives an empty page; `limit` is held between 1 and 500."""
        query = select(calls).order_by(calls.c.started_at.desc(), calls.c.id.desc())
        query = query.limit(max(1, min(limit, MAX_PAGE)))
        if channel is not None:
            query = query.where(calls.c.channel == channel)
        if agents is not None:
            query = query.where(calls.c.agent.in_(agents))
        if caller is not None:
            query = query.where(calls.c.caller == clean(caller))
        if before is not None:
            last = select(calls.c.started_at).where(calls.c.id == before).scalar_subquery()
            older = calls.c.started_at < last
            query = query.where(or_(older, and_(calls.c.started_at == last, calls.c.id < before)))
        return self._read(lambda connection: [_call(row) for row in connection.execute(query)])

    def earlier(self, caller: str, but: str, limit: int, agents: Sequence[str] | None = None) -> EarlierCalls:
        """How many calls of a number there are, counted up to MOST_COUNTED, and the latest."""
        if is_withheld(caller):
            return EarlierCalls()
        began = select(calls.c.started_at).where(calls.c.id == but).scalar_subquery()
        before = or_(began.is_(None), calls.c.started_at <= began)  # no row yet: it begins now
        of_caller = (calls.c.caller == clean(caller)) & (calls.c.id != but) & before
        if agents is not None:
            of_caller &= calls.c.agent.in_(agents)
        newest = select(calls).where(of_caller).order_by(calls.c.started_at.desc(), calls.c.id.desc())
        counted = select(func.count()).select_from(
            select(calls.c.id).where(of_caller).limit(MOST_COUNTED).subquery()
        )

        def work(connection: Connection) -> EarlierCalls:
            found = [_call(row) for row in connection.execute(newest.limit(max(1, min(limit, MAX_PAGE))))]
            return EarlierCalls(int(connection.execute(counted).scalar_one()) if found else 0, found)

        return self._read(work)

    def call(self, call_id: str) -> CallRecord | None:
        query = select(calls).where(calls.c.id == call_id)
        return self._read(lambda connection: next(map(_call, connection.execute(query)), None))

    def turns(self, call_id: str) -> Sequence[TurnRecord]:
        """Turns whose words are final, in the order they began."""
        query = (
            select(turns)
            .where(turns.c.call_id == call_id, turns.c.started_ms.is_not(None))
            .order_by(turns.c.started_ms, turns.c.turn, turns.c.leg)
        )
        return self._read(lambda connection: [_turn(row) for row in connection.execute(query)])

    def events(self, call_id: str) -> Sequence[dict[str, Any]]:
        """The timeline in the flat form of `Entry.as_json`, in order."""
        query = select(events).where(events.c.call_id == call_id).order_by(events.c.seq)

        def work(connection: Connection) -> list[dict[str, Any]]:
            return [
                {"kind": row.kind, "seq": row.seq, "media_ms": row.media_ms, **row.data}
                for row in connection.execute(query)
            ]

        return self._read(work)
