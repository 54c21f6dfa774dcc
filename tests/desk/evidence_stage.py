"""A finished call in a real store with a real sealed recording, and its package. No tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from offhook.audio.frame import WIDEBAND
from offhook.desk.evidence.export import Archive, evidence
from offhook.desk.evidence.key import node_key
from offhook.desk.evidence.package import Package
from offhook.foundation.desk_events import (
    CardChanged,
    CardFeedback,
    CardStatus,
    CoachingCard,
    EntityFound,
    EntityPinned,
    LegJoined,
    WarningLevel,
)
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    TranscriptFinal,
)
from offhook.foundation.ids import call_id as new_call_id
from offhook.foundation.people import Person, Role, Stance
from offhook.storage.base import CallRecord
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
BY = Person("person_1", "Dana \u202e‮Evil", Role.SUPERVISOR)

SAID = "رقم البطاقة ٤١١١ ١١١١ ١١١١ ١١١١ please"

EVENTS = (
    CallStarted(Direction.INBOUND, ChannelKind.BROWSER, "default"),
    TranscriptFinal(LegKind.AGENT, 1, "Hello, how can I help?", 0, 900),
    TranscriptFinal(LegKind.CALLER, 2, SAID, 1000, 2000, "ar"),
    EntityFound("entity_1", "card", "4111111111111111", SAID[12:31], LegKind.CALLER, 2, 12, 31, 1300),
    EntityPinned("entity_1", "person_1", True),
    EntityPinned("own_1", "person_1", True, {"type": "name", "value": "Mr Grey", "at_ms": 700}),
    LegJoined("seat_1", LegKind.OPERATOR, "person_1", "Dana", Stance.TAKE_OVER),
    TranscriptFinal(LegKind.OPERATOR, 3, "I am here now.", 2100, 2500, "en", speaker="seat_1"),
    CoachingCard(
        "card_1", 2, "fraud", "card_fraud", 0.9, "gives a card", "stall", WarningLevel.HIGH, "a card",
        ["Wait"],
        "One moment.", "Stall.", "en", 2, 9000, 2000, 2200,
    ),
    CardChanged("card_1", CardStatus.USED, "seat_1", "person_1"),
    CardFeedback("card_1", "person_1", "helpful"),
    CallEnded(EndReason.CALLER_HUNG_UP),
)  # fmt: skip


PITCHES = {LegKind.CALLER: 440, LegKind.AGENT: 880}


async def audit_rows(call_id: str) -> Sequence[dict[str, Any]]:
    return [{"seq": 7, "action": "take_over", "call_id": call_id, "person": "person_1"}]


async def keep_call(
    store: SqlStore, tapes: Tapes | None, seconds: float = 0.4, pitches: dict[LegKind, int] = PITCHES
) -> str:
    """A call that ended, with its recording sealed."""
    call_id = new_call_id()
    store.begin(CallRecord(call_id, Direction.INBOUND, ChannelKind.BROWSER, "default", "+1", "", NOW))
    for seq, event in enumerate(EVENTS, 1):
        store.keep(Entry(call_id, seq, seq * 100, event))
    if tapes is not None:
        tape = tapes.open(call_id, dict.fromkeys(pitches, WIDEBAND))
        for leg, pitch in pitches.items():
            times = np.arange(int(16_000 * seconds)) / 16_000
            tape.write(leg, 0, (8_000 * np.sin(2 * np.pi * pitch * times)).astype("<i2").tobytes())
        tape.close()
    store.end(call_id, EndReason.CALLER_HUNG_UP, NOW, int(seconds * 1000))
    await store.flush()
    return call_id


async def sealed(store: SqlStore, call_id: str) -> None:
    """Until the recording is there."""
    import asyncio

    async with asyncio.timeout(5):
        while (call := await store.call(call_id)) is None or call.recording != "sealed":
            await asyncio.sleep(0.01)


async def package_of(store: SqlStore, tapes: Tapes | None, folder: Path, call_id: str) -> Package:
    archive = Archive(store, tapes, audit_rows, lambda: node_key(folder))
    return await evidence(archive, call_id, BY, NOW)
