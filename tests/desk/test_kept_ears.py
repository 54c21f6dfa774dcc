"""How the coach sounds to a user is kept with the user: for other processes, and for the next start."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from offhook.desk import kept_ears
from offhook.desk.ear import EarMemory, EarWishes
from offhook.desk.people import People, open_people
from offhook.foundation.clock import ManualClock
from offhook.foundation.people import LOCAL_PERSON, Role
from offhook.storage import schema
from offhook.storage.people import PeopleRows, UserRecord

LIFE = timedelta(hours=1)
BOSS = UserRecord("user_1", "boss", "Boss", Role.ADMIN, ("*",), False, datetime(2026, 1, 1, tzinfo=UTC))
USUAL = EarWishes(voice="the-house", volume=0.5)


class Process:
    """One worker: what it has of people, and its memory of ears."""

    def __init__(self, engine: Engine) -> None:
        self.people: People = open_people(engine, ManualClock(), LIFE, LIFE)
        self.memory = EarMemory(USUAL)
        self.people.ears.attach(self.memory)
        self.told: list[EarWishes] = []
        self.memory.watch(BOSS.person, self.told.append)

    @property
    def wishes(self) -> EarWishes:
        return self.memory.of(BOSS.person)


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Process]]:
    monkeypatch.setattr(kept_ears, "PAUSE_S", 0.01)
    engine = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    schema.upgrade(engine)
    PeopleRows(engine).add(BOSS, "hash")
    made: list[Process] = []

    def start() -> Process:
        made.append(Process(engine))
        return made[-1]

    yield start
    for process in made:
        await process.people.close()
    engine.dispose()


async def settled(process: Process) -> None:
    async with asyncio.timeout(5):
        while process.people.ears._unsaved:
            await asyncio.sleep(0.01)


async def test_what_one_process_is_told_the_others_know(start: Callable[[], Process]) -> None:
    here, there = start(), start()
    here.people.sessions.tell = there.people.sessions.refresh
    for volume in (0.9, 0.8, 0.7):  # a slider
        here.memory.change(BOSS.person, {"volume": volume})
    assert here.wishes.volume == 0.7, "at once"
    await settled(here)
    assert there.wishes == here.wishes == EarWishes(voice="the-house", volume=0.7)
    assert there.told == [here.wishes], "one write, and one word of it"
    assert [wishes.volume for wishes in here.told] == [0.9, 0.8, 0.7], "and nothing again of the own"
    there.memory.change(BOSS.person, {"mute": True})
    await settled(there)
    await here.people.sessions.refresh()
    assert here.wishes == EarWishes(voice="the-house", volume=0.7, mute=True)


async def test_it_outlives_the_process_and_the_last_word_is_not_lost(start: Callable[[], Process]) -> None:
    here = start()
    here.memory.change(BOSS.person, {"voice": "alba", "speed": 1.5})
    await here.people.close()
    again = start()
    assert again.wishes == EarWishes(voice="alba", speed=1.5, volume=0.5)
    again.memory.usual = EarWishes(volume=0.25)
    assert again.wishes.volume == 0.25, "what was never said is as the settings say"


async def test_a_database_that_is_away_is_tried_again(
    start: Callable[[], Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_ears, "RETRY_S", 0.02)
    monkeypatch.setattr("offhook.storage.people._PATIENCE_S", 0.01)
    here = start()
    lock = sqlite3.connect(tmp_path / "offhook.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    here.memory.change(BOSS.person, {"speed": 1.25})
    await asyncio.sleep(0.05)
    assert (here.wishes.speed, start().wishes.speed) == (1.25, 1.0)
    lock.close()
    await settled(here)
    assert start().wishes.speed == 1.25


async def test_who_is_no_user_is_remembered_by_the_process_alone(start: Callable[[], Process]) -> None:
    here = start()
    here.memory.change(LOCAL_PERSON, {"mute": True})
    await settled(here)
    assert here.memory.of(LOCAL_PERSON).mute
    assert not start().memory.of(LOCAL_PERSON).mute


async def test_what_another_version_kept_is_taken_as_far_as_it_fits(
    start: Callable[[], Process], tmp_path: Path
) -> None:
    rows = PeopleRows(schema.connect(f"sqlite:///{tmp_path}/offhook.db"))
    rows.set_ears({BOSS.id: {"speed": 99, "echo": True, "volume": 0.1}, "nobody": {"mute": True}})
    rows._engine.dispose()
    here = start()
    assert here.wishes == EarWishes(voice="the-house", volume=0.1)
    assert here.memory.change(BOSS.person, {"speed": 1.5}).speed == 1.5
    await here.people.accounts.add(LOCAL_PERSON, "second", "correct horse battery", Role.ADMIN)
    await here.people.accounts.remove(LOCAL_PERSON, BOSS.id)
    await settled(here)
    assert here.people.sessions.known.ears == {}, "they go with the user"
