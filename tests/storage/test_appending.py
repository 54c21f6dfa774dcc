"""What comes to a timeline after the call's end has a place of its own, however many add to it at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from offhook.foundation.desk_events import CardChanged, CardStatus, EntityPinned, WrappedUp
from offhook.foundation.errors import ConflictError, NotFoundError
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    TranscriptFinal,
)
from offhook.storage.base import CallRecord
from offhook.storage.sql import SqlStore

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALL = "call_1"


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[SqlStore]]:
    """As two workers have them: each its own connections, one database."""
    made = [SqlStore(database_url, commit_interval=0.01) for _ in range(2)]
    yield made
    for store in made:
        await store.close()


async def end(store: SqlStore, call: str = CALL) -> None:
    """A call with two entries that has ended after nine seconds."""
    store.begin(CallRecord(call, Direction.INBOUND, ChannelKind.PHONE, "default", "", "", START))
    store.keep(Entry(call, 1, 900, TranscriptFinal(LegKind.CALLER, 1, "Hello", 100, 900)))
    store.keep(Entry(call, 2, 9_000, CallEnded(EndReason.CALLER_HUNG_UP)))
    store.end(call, EndReason.CALLER_HUNG_UP, START, 9_000)
    await store.flush()


async def test_many_at_once_in_two_processes_each_have_their_place(stores: list[SqlStore]) -> None:
    await end(stores[0])
    wishes = [
        stores[n % 2].append(CALL, WrappedUp("p", "Pat", "resolved", f"note {n}"))
        if n % 3
        else stores[n % 2].append(CALL, EntityPinned(f"entity_{n}", "p", True))
        for n in range(24)
    ]
    placed = await asyncio.gather(*wishes)
    assert sorted(entry.seq for entry in placed) == list(range(3, 27))
    assert {entry.media_ms for entry in placed} == {9_000}
    found = await stores[1].events(CALL)
    assert [event["seq"] for event in found] == list(range(1, 27))
    assert {event["note"] for event in found if event["kind"] == "wrapped_up"} == {
        f"note {n}" for n in range(24) if n % 3
    }
    assert not any(store.lost for store in stores)


async def test_what_the_call_itself_tells_late_is_not_lost(stores: list[SqlStore]) -> None:
    store, other = stores
    await end(store)
    late = CardChanged("card_1", CardStatus.EXPIRED, "s1")
    said = TranscriptFinal(LegKind.AGENT, 1, "Bye", 8_000, 9_000)
    await other.append(CALL, WrappedUp("p", "Pat", "resolved"))
    store.keep(Entry(CALL, 3, 9_050, late))
    store.keep(Entry(CALL, 4, 9_060, said))
    await asyncio.gather(
        store.flush(), *(other.append(CALL, EntityPinned("e", "p", on)) for on in (True, False))
    )
    found = await other.events(CALL)
    assert [event["seq"] for event in found] == list(range(1, 8))
    assert sorted(event["kind"] for event in found[2:]) == [
        "card", "entity_pinned", "entity_pinned", "transcript_final", "wrapped_up",
    ]  # fmt: skip
    assert next(event["media_ms"] for event in found if event["kind"] == "card") == 9_050
    assert [turn.text for turn in await other.turns(CALL)] == ["Hello", "Bye"]
    assert store.lost == 0


async def test_only_calls_that_have_ended_are_appended_to(stores: list[SqlStore]) -> None:
    store, other = stores
    store.begin(CallRecord(CALL, Direction.INBOUND, ChannelKind.PHONE, "default", "", "", START))
    await store.flush()
    with pytest.raises(ConflictError, match="not ended"):
        await other.append(CALL, WrappedUp("p", "Pat", "resolved"))
    with pytest.raises(NotFoundError):
        await other.append("call_2", WrappedUp("p", "Pat", "resolved"))
    assert await store.events(CALL) == []
