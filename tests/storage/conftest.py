"""What the storage tests share: a store and a recorder on a fresh directory, and short ways to fill them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import create_engine, text
from tests.storage import postgres

from offhook.foundation.events import ChannelKind, Direction, LegKind, TranscriptFinal
from offhook.foundation.ids import call_id
from offhook.storage import schema
from offhook.storage.base import CallRecord, RecordingState
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    if postgres.MISSING:
        pytest.skip(f"not installed: {', '.join(postgres.MISSING)}")
    with postgres.server() as url:
        made = schema.connect(url.replace("/postgres?", "/template1?"))
        schema.upgrade(made)
        made.dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database, on each kind of server that there is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/offhook.db"
    url: str = request.getfixturevalue("postgres_url")
    name = f"t{threading.get_ident() % 1000}_{abs(hash(request.node.name)) % 10**9}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.replace("/postgres?", f"/{name}?")


@dataclass
class Studio:
    """A store and tapes on one directory, with what they complained of."""

    directory: Path
    store: SqlStore
    tapes: Tapes
    troubles: list[tuple[str, str]] = field(default_factory=list)

    def begin(self) -> str:
        """A call in the store; its id."""
        fresh = call_id()
        self.store.begin(CallRecord(fresh, Direction.INBOUND, ChannelKind.PHONE, "default", "", "", START))
        return fresh

    async def recording(self, call: str) -> RecordingState:
        """The state of a call's recording, once it is no longer being taped or sealed."""
        end = time.monotonic() + 10
        while True:
            record = await self.store.call(call)
            if record is not None and record.recording is not RecordingState.TAPING:
                return record.recording
            assert time.monotonic() < end, "the recording was never sealed"
            await asyncio.sleep(0.01)


def open_studio(directory: Path) -> Studio:
    troubles: list[tuple[str, str]] = []
    store = SqlStore(f"sqlite:///{directory}/offhook.db", commit_interval=0.01)
    tapes = Tapes(directory / "recordings", store, lambda call, reason: troubles.append((call, reason)))
    return Studio(directory, store, tapes, troubles)


@pytest.fixture
def studios() -> Callable[[Path], Studio]:
    """Opens studios that the test closes itself: tapes first, then the store."""
    return open_studio


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    made = open_studio(tmp_path)
    yield made
    await made.tapes.close()
    await made.store.close()


@pytest.fixture
def tone() -> Callable[..., npt.NDArray[np.int16]]:
    def make(hz: float, rate: int, seconds: float, level: float = 8000.0) -> npt.NDArray[np.int16]:
        samples: npt.NDArray[np.int16] = np.rint(
            level * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)
        ).astype(np.int16)
        return samples

    return make


@pytest.fixture
def final() -> Callable[..., TranscriptFinal]:
    def make(leg: LegKind, turn: int, text: str, start: int = 0, end: int = 0) -> TranscriptFinal:
        return TranscriptFinal(leg, turn, text, start, end)

    return make
