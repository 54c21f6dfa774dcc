"""Sessions that end by themselves: whoever watches by one is told, though nobody logs in or out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from offhook.desk import passwords
from offhook.desk import sessions as module
from offhook.desk.accounts import Changes
from offhook.desk.people import open_people
from offhook.desk.sessions import Sessions
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import LOCAL_PERSON, Role
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


@pytest.mark.parametrize("outdated", [False, True])
async def test_a_password_that_was_changed_while_it_was_checked_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outdated: bool
) -> None:
    """Checking takes a while: who changes a password that was stolen logs everyone out, also whoever is about
    to come in by it."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    engine = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    schema.upgrade(engine)
    people = open_people(engine, ManualClock(), IDLE, LIFE)
    boss = await people.accounts.add(LOCAL_PERSON, "boss", "correct horse battery", Role.ADMIN)
    usual = passwords.matches

    def while_it_is_changed(hash: str | None, password: str) -> bool:
        right = usual(hash, password)
        monkeypatch.setattr(passwords, "matches", usual)
        people.accounts._rows.set_password(boss.id, cheap.hash("another horse battery"))
        return right

    monkeypatch.setattr(passwords, "matches", while_it_is_changed)
    monkeypatch.setattr("offhook.desk.accounts.is_outdated", lambda hash: outdated)
    with pytest.raises(RefusedError):
        await people.accounts.login("boss", "correct horse battery", "")
    with pytest.raises(RefusedError):
        await people.accounts.login("boss", "correct horse battery", "")
    _, visitor = await people.accounts.login("boss", "another horse battery", "")
    assert list(people.sessions.known.sessions) == [visitor.session]
    await people.accounts.change(LOCAL_PERSON, boss.id, Changes(shown="The Boss"))
    assert (await people.accounts.change(LOCAL_PERSON, boss.id, Changes(shown=""))).shown == "boss"
    await people.close()
    engine.dispose()
