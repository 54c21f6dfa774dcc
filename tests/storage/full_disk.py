"""A process whose files may not grow past a bound: a disk that is full. Prints what happened as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from offhook.audio.frame import PHONE
from offhook.foundation.events import ChannelKind, Direction, LegKind
from offhook.foundation.ids import call_id
from offhook.storage.base import CallRecord, RecordingState
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore

BOUND = 256 * 1024


async def taken(part: Path, size: int, troubles: list[str]) -> None:
    """Until the deck's thread has written so much: however slow it is, no frame waits too long."""
    while not troubles and not (part.exists() and part.stat().st_size >= size and size < BOUND):
        await asyncio.sleep(0.002)


async def main(directory: Path) -> None:
    troubles: list[str] = []
    store = SqlStore(f"sqlite:///{directory}/offhook.db", commit_interval=0.01)
    tapes = Tapes(directory / "recordings", store, lambda call, reason: troubles.append(reason))
    call = call_id()
    store.begin(CallRecord(call, Direction.INBOUND, ChannelKind.PHONE, "a", "", "", datetime.now(UTC)))
    await store.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (BOUND, resource.RLIM_INFINITY))
    tape = tapes.open(call, {LegKind.CALLER: PHONE})
    part = directory / "recordings" / call / "caller.part"
    for second in range(60):
        for frame in range(50):
            tape.write(LegKind.CALLER, second * 8000 + frame * 160, bytes(range(160)))
        await taken(part, min((second + 1) * 8000, BOUND), troubles)
    size = part.stat().st_size
    tape.close()
    state = RecordingState.TAPING
    while state is RecordingState.TAPING:
        await asyncio.sleep(0.01)
        found = await store.call(call)
        state = found.recording if found else state
    await tapes.close()
    degraded = store.degraded
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.close()
    parts = (directory / "recordings" / call).exists()
    report = {"troubles": troubles, "size": size, "state": state, "degraded": degraded, "parts": parts}
    print(json.dumps({**report, "call": call}))


asyncio.run(main(Path(sys.argv[1])))
