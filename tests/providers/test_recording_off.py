"""A house that records no more: what it recorded before is still there to be heard, sealed and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from offhook.app import _open_storage
from offhook.audio.frame import PHONE
from offhook.bus.memory import MemoryBus
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import NotFoundError
from offhook.foundation.events import ChannelKind, Direction, LegKind
from offhook.foundation.ids import call_id
from offhook.providers.house import make_house
from offhook.providers.moods import make_moods
from offhook.settings import Settings
from offhook.storage.base import CallRecord, RecordingState
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore
from offhook.telemetry import Troubles
from offhook.web.metrics import Metrics
from offhook.workers.share import Share


def opened(settings: Settings) -> tuple[SqlStore, Tapes | None]:
    troubles = Troubles(asyncio.get_running_loop())
    return _open_storage(settings, Share(), Metrics(), troubles, SystemClock())


async def test_what_was_recorded_can_be_heard_and_deleted_once_recording_is_off(tmp_path: Path) -> None:
    store, tapes = opened(Settings(data=tmp_path))
    assert tapes is not None
    call = call_id()
    clock = SystemClock()
    store.begin(CallRecord(call, Direction.INBOUND, ChannelKind.PHONE, "default", "", "", clock.wall()))
    tape = tapes.open(call, {LegKind.CALLER: PHONE})
    tape.write(LegKind.CALLER, 0, b"\x10" * 8_000)
    tape.close()
    await tapes.close()
    await store.close()

    settings = Settings(data=tmp_path, record=False, alerts=[])
    store, tapes = opened(settings)
    try:
        assert tapes is not None
        moods = make_moods(settings, clock)
        house = make_house(
            settings, Share(), clock, {}, None, store, tapes, MemoryBus(), lambda line: (), moods
        )
        await moods.close()
        assert house.recorder is None, "no call is recorded"
        tapes.ogg(call)
        await tapes.delete(call)
        await store.flush()
        with pytest.raises(NotFoundError):
            tapes.ogg(call)
        record = await store.call(call)
        assert record is not None
        assert record.recording is RecordingState.DELETED
        assert not list((tmp_path / "recordings").glob(f"{call}*"))
    finally:
        if tapes is not None:
            await tapes.close()
        await store.close()


async def test_who_never_recorded_has_no_folder_for_it(tmp_path: Path) -> None:
    store, tapes = opened(Settings(data=tmp_path, record=False))
    await store.close()
    assert tapes is None
    assert not (tmp_path / "recordings").exists()
