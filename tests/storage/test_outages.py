"""A database that is locked, broken, foreign or gone: calls go on, rows wait, losses are counted."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from offhook.foundation.errors import StorageError
from offhook.foundation.events import (
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    NoInput,
    TranscriptFinal,
)
from offhook.storage.base import CallRecord
from offhook.storage.sql import SqlStore

START = datetime(2026, 3, 1, tzinfo=UTC)


def record(name: str) -> CallRecord:
    return CallRecord(name, Direction.INBOUND, ChannelKind.PHONE, "default", "", "", START)


def hold(path: Path) -> sqlite3.Connection:
    """Another process's exclusive transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


async def until(condition: object, seconds: float = 5.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_locked_database_costs_time_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    store.begin(record("a"))
    await store.flush()
    with capture_logs() as logs:
        locked = hold(path)
        slowest = 0.0
        for seq in range(1, 2001):
            before = time.perf_counter()
            store.keep(Entry("a", seq, seq, NoInput(seq)))
            slowest = max(slowest, time.perf_counter() - before)
        await until(lambda: store.degraded)
        assert store.pending == 2000
        assert (await store.calls())[0].id == "a"
        locked.rollback()
        locked.close()
        await store.flush()
    assert slowest < 0.1
    assert [log["event"] for log in logs] == ["database unavailable, rows are waiting", "database is back"]
    assert not store.degraded
    assert store.lost == 0
    assert [event["seq"] for event in await store.events("a")] == list(range(1, 2001))
    await store.close()


async def test_a_full_queue_loses_events_before_words_and_counts_both(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", queue_size=10, commit_interval=0.01)
    store.begin(record("a"))
    await store.flush()
    locked = hold(path)
    store.keep(Entry("a", 1, 1, NoInput(1)))
    await until(lambda: store.degraded)
    for seq in range(2, 32):
        store.keep(Entry("a", seq, seq, NoInput(seq)))
    assert store.lost == 20
    for seq in range(40, 55):
        store.keep(Entry("a", seq, seq, TranscriptFinal(LegKind.CALLER, seq, "word", seq, seq)))
    assert store.lost == 25
    locked.rollback()
    locked.close()
    await store.flush()
    assert [event["seq"] for event in await store.events("a")] == [*range(1, 12), *range(40, 50)]
    assert len(await store.turns("a")) == 10
    await store.close()


async def test_a_close_does_not_wait_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    locked = hold(path)
    store.begin(record("a"))
    waiter = asyncio.create_task(store.flush())
    await until(lambda: store.degraded)
    store.end("a", EndReason.FAILED, START, 1)
    with capture_logs() as logs:
        await store.close(patience=0.1)
    with pytest.raises(StorageError):
        await waiter
    assert store.lost == 2
    assert logs[-1]["event"] == "rows were lost"
    locked.close()


async def test_settle_gives_up_in_time(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    locked = hold(path)
    store.begin(record("a"))
    assert not await asyncio.to_thread(store.settle, 0.05)
    locked.rollback()
    locked.close()
    assert await asyncio.to_thread(store.settle, 5.0)
    await store.close()


async def test_a_database_damaged_on_the_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    store.begin(record("a"))
    await store.flush()
    await store.close()
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8192)
    with pytest.raises(StorageError, match="cannot be opened"):
        SqlStore(f"sqlite:///{path}")


async def test_a_recovery_on_damaged_pages_names_the_file_the_cause_and_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    for number in range(200):
        store.begin(record(f"call{number}"))
    await store.close()
    whole = path.read_bytes()
    with sqlite3.connect(path) as other:
        pages = [
            root for (root,) in other.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name='calls'")
        ]
        size = other.execute("PRAGMA page_size").fetchone()[0]
    other.close()
    damaged = bytearray(whole)
    for page in filter(None, pages):
        damaged[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(damaged)
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    with pytest.raises(StorageError) as caught:
        store.recover(START)
    await store.close()
    for words in (str(path), "malformed", "backup", "move the file away"):
        assert words in caught.value.reason
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("nonsense", "not understood"),
        ("nosuchdb://x/y", "not understood"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, words: str) -> None:
    with pytest.raises(StorageError, match=words):
        SqlStore(url)


def test_a_path_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database at all" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        SqlStore(f"sqlite:///{tmp_path}/file")
    with pytest.raises(StorageError):
        SqlStore(f"sqlite:///{tmp_path}/file/below/offhook.db")


async def test_reading_a_broken_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "offhook.db"
    store = SqlStore(f"sqlite:///{path}", commit_interval=0.01)
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE events")
    other.close()
    with pytest.raises(StorageError) as caught:
        await store.events("a")
    assert caught.value.retryable
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE calls")
    other.close()
    with pytest.raises(StorageError, match="no such table: calls; restore"):
        store.recover(START)
    await store.close()


async def test_only_the_owner_may_read_the_database(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/offhook.db", commit_interval=0.01)
    store.begin(record("a"))
    await store.flush()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    await store.close()
