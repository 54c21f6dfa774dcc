"""Sessions that end by themselves: whoever watches by one is told, though nobody logs in or out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from offhook.desk import sessions as module
from offhook.desk.sessions import Sessions
from offhook.foundation.clock import ManualClock
from offhook.foundation.people import Role
from offhook.storage import schema
from offhook.storage.people import PeopleRows, UserRecord

IDLE, LIFE = timedelta(minutes=30), timedelta(hours=24)


@pytest.mark.parametrize("ends", ["idle", "old"])
async def test_who_watches_by_a_session_is_told_of_its_end_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """A screen that only shows (the floor) asks nothing that would find its session over."""
    monkeypatch.setattr(module, "POLL_S", 0.002)
    engine, clock = schema.connect(f"sqlite:///{tmp_path}/offhook.db"), ManualClock()
    schema.upgrade(engine)
    rows = PeopleRows(engine)
    rows.add(UserRecord("user_1", "boss", "Boss", Role.ADMIN, ("*",), False, clock.wall()), "hash")
    sessions = Sessions(rows, clock, IDLE, LIFE)
    await sessions.refresh()
    _, first = await sessions.begin(sessions.known.users["user_1"], "")
    clock.advance(60.0)
    _, second = await sessions.begin(sessions.known.users["user_1"], "")
    told: list[tuple[str, str]] = []
    come = asyncio.Event()

    def gone(person: str, session: str) -> None:
        told.append((person, session))
        come.set()

    sessions.on_revoked.append(gone)
    if ends == "idle":
        clock.advance(IDLE.total_seconds() - 60.0)
    else:
        for _ in range(2 * 24 - 1):
            clock.advance(IDLE.total_seconds() - 1.0)
            sessions.touch(first.session)
            sessions.touch(second.session)
        clock.advance(LIFE.total_seconds() - 60.0 - (2 * 24 - 1) * (IDLE.total_seconds() - 1.0))
    sessions.start()
    async with asyncio.timeout(5):
        await come.wait()
    await asyncio.sleep(0.02)
    assert told == [("user_1", first.session)]
    assert not sessions.is_alive(first.session)
    assert sessions.is_alive(second.session)
    await sessions.close()
    engine.dispose()
