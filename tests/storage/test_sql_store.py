"""Rows about calls: what is written comes back, in order, whatever is in it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from offhook.foundation.center_events import HandedOver
from offhook.foundation.errors import StorageError
from offhook.foundation.events import (
    CallEvent,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    Floor,
    FloorChanged,
    LegKind,
    ToolCalled,
    TranscriptFinal,
    TurnTimed,
)
from offhook.storage.base import CallRecord, CallState, CallStore, EarlierCalls, RecordingState, TurnRecord
from offhook.storage.rows import percentile
from offhook.storage.sql import SqlStore

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    made = SqlStore(f"sqlite:///{tmp_path}/deep/offhook.db", commit_interval=0.01)
    yield made
    await made.close()


def record(name: str, minutes: int = 0, channel: ChannelKind = ChannelKind.PHONE) -> CallRecord:
    when = START + timedelta(minutes=minutes)
    return CallRecord(name, Direction.INBOUND, channel, "default", "+15550100", "+15550199", when)


def timed(turn: int, first_audio: int) -> TurnTimed:
    return TurnTimed(turn, 0, 300, 360, 370, first_audio)


def keep(store: SqlStore, call: str, *events: CallEvent) -> None:
    for seq, event in enumerate(events, 1):
        store.keep(Entry(call, seq, seq * 1000, event))


async def test_a_call_that_was_handed_over_is_its_new_agents(store: SqlStore) -> None:
    """Operators are assigned to agents: whoever may take the live call finds it afterwards, too."""
    store.begin(record("a"))
    store.begin(record("b", 1))
    keep(store, "a", HandedOver("default", "sales", "wants to buy"), HandedOver("sales", "billing", "owes"))
    await store.flush()
    assert [(call.id, call.agent) for call in await store.calls()] == [("b", "default"), ("a", "billing")]
    assert [call.id for call in await store.calls(agents=["billing"])] == ["a"]
    assert [call.id for call in await store.calls(agents=["default", "sales"])] == ["b"]


async def test_a_whole_call(store: SqlStore) -> None:
    contract: CallStore = store
    contract.begin(record("a"))
    said = TranscriptFinal(LegKind.CALLER, 1, "Hello", 100, 900, language="en")
    answered = TranscriptFinal(LegKind.AGENT, 1, "Good", 1300, 2000, interrupted=True, unheard="morning")
    keep(
        store,
        "a",
        CallStarted(Direction.INBOUND, ChannelKind.PHONE, "default"),
        FloorChanged(Floor.HEARING),
        said,
        timed(1, 410),
        answered,
        ToolCalled("book", {"when": "ten"}, "booked"),
    )
    ended = START + timedelta(seconds=6)
    contract.end("a", EndReason.CALLER_HUNG_UP, ended.astimezone(timezone(timedelta(hours=5))), 6000)
    await contract.flush()
    assert await contract.call("a") == dataclasses.replace(
        record("a"),
        state=CallState.ENDED,
        ended_at=ended,
        end_reason=EndReason.CALLER_HUNG_UP,
        duration_ms=6000,
        turns=2,
        response_p50_ms=410,
        response_p95_ms=410,
    )
    waterfall = {
        "speech_ended_ms": 0,
        "endpoint_ms": 300,
        "transcript_ms": 360,
        "first_token_ms": 370,
        "first_audio_ms": 410,
    }
    assert await contract.turns("a") == [
        TurnRecord("a", 1, LegKind.CALLER, "Hello", 100, 900, language="en"),
        TurnRecord("a", 1, LegKind.AGENT, "Good", 1300, 2000, "", True, "morning", waterfall),
    ]
    events = await contract.events("a")
    assert [event["kind"] for event in events] == [
        "call_started", "transcript_final", "turn_timed", "transcript_final", "tool_called",
    ]  # fmt: skip
    assert events[1] == Entry("a", 3, 3000, said).as_json()
    assert events[4]["arguments"] == {"when": "ten"}
    assert store.pending == 0
    assert not store.degraded


async def test_a_reply_that_was_timed_but_not_yet_heard_is_no_turn(store: SqlStore) -> None:
    store.begin(record("a"))
    keep(store, "a", timed(1, 400))
    await store.flush()
    assert await store.turns("a") == []
    call = await store.call("a")
    assert call is not None
    assert (call.turns, call.response_p50_ms) == (0, 400)


async def test_measured_gaps_replace_the_waterfall(store: SqlStore) -> None:
    store.begin(record("a"))
    finals = [TranscriptFinal(LegKind.AGENT, turn, "x", turn, turn) for turn in (1, 2, 3)]
    keep(store, "a", *finals, timed(1, 100), timed(2, 200), timed(3, 300))
    store.recorded("a", RecordingState.SEALED, {1: 510, 2: 730, 9: 1})
    await store.flush()
    call = await store.call("a")
    assert call is not None
    assert (call.recording, call.response_p50_ms, call.response_p95_ms) == (RecordingState.SEALED, 510, 730)
    assert [turn.gap_ms for turn in await store.turns("a")] == [510, 730, None]


def test_percentiles_by_nearest_rank() -> None:
    assert percentile([], 0.5) is None
    assert percentile([7], 0.95) == 7
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.95) == 95


async def test_pages_newest_first(store: SqlStore) -> None:
    for number in range(7):
        channel = ChannelKind.BROWSER if number % 2 else ChannelKind.PHONE
        store.begin(record(f"c{number}", minutes=number // 2, channel=channel))
    await store.flush()
    pages, before = [], None
    while page := await store.calls(limit=3, before=before):
        pages.append([call.id for call in page])
        before = page[-1].id
    assert pages == [["c6", "c5", "c4"], ["c3", "c2", "c1"], ["c0"]]
    browser = await store.calls(channel=ChannelKind.BROWSER, before="c5")
    assert [call.id for call in browser] == ["c3", "c1"]
    assert await store.calls(before="nobody") == []
    assert len(await store.calls(limit=-5)) == 1


async def test_what_is_not_there(store: SqlStore) -> None:
    assert await store.call("x") is None
    assert await store.turns("x") == []
    assert await store.events("x") == []
    store.end("x", EndReason.FAILED, START, 1)
    await store.flush()
    assert await store.call("x") is None


async def test_the_first_end_counts(store: SqlStore) -> None:
    store.begin(record("a"))
    store.end("a", EndReason.AGENT_HUNG_UP, START, 10)
    store.end("a", EndReason.PEER_LOST, START, 20)
    await store.flush()
    call = await store.call("a")
    assert call is not None
    assert (call.end_reason, call.duration_ms) == (EndReason.AGENT_HUNG_UP, 10)


async def test_strange_words_survive(store: SqlStore) -> None:
    store.begin(dataclasses.replace(record("a"), caller="nul\x00and\ud800half"))
    keep(
        store,
        "a",
        TranscriptFinal(LegKind.CALLER, 1, "'; DROP TABLE calls; -- \x00 \udfff مرحبا 🎧", 0, 1),
        ToolCalled("t", {"k\x00": ["\ud800", 1, None, {"deep": "\x00"}]}, "r"),
    )
    await store.flush()
    call = await store.call("a")
    assert call is not None
    assert call.caller == "nuland?half"
    assert (await store.turns("a"))[0].text == "'; DROP TABLE calls; --  ? مرحبا 🎧"
    assert (await store.events("a"))[1]["arguments"] == {"k": ["?", 1, None, {"deep": ""}]}


async def test_a_row_that_cannot_be_kept_does_not_hold_up_the_others(store: SqlStore) -> None:
    store.begin(record("a"))
    await store.flush()
    with capture_logs() as logs:
        keep(store, "nobody", timed(1, 1))
        keep(store, "a", timed(1, 400), TranscriptFinal(LegKind.CALLER, 1, "kept", 0, 1))
        store.begin(dataclasses.replace(record("naive"), started_at=datetime(2026, 1, 1)))
        await store.flush()
    assert store.lost == 2
    assert [turn.text for turn in await store.turns("a")] == ["kept"]
    refused = [log["job"] for log in logs if log["event"] == "row refused by the database"]
    assert refused == ["Kept", "Begun"]
    assert not store.degraded


async def test_recovery_marks_what_a_crash_left(store: SqlStore) -> None:
    for name in ("done", "talked", "taped", "silent"):
        store.begin(record(name))
        store.recorded(name, RecordingState.TAPING, {})
    keep(store, "talked", timed(1, 400), timed(2, 500))
    store.end("done", EndReason.CALLER_HUNG_UP, START, 5)
    await store.flush()
    now = START + timedelta(seconds=30)
    found = await asyncio.to_thread(store.recover, now, {"taped": 90_000, "talked": 1_500, "done": 5})
    assert found == ["silent", "talked", "taped"]
    calls = {call.id: call for call in await store.calls()}
    assert [calls[name].duration_ms for name in ("done", "silent", "talked", "taped")] == [5, 0, 2000, 90_000]
    assert {calls[name].state for name in found} == {CallState.RECOVERED}
    assert {calls[name].end_reason for name in found} == {EndReason.CRASHED}
    assert calls["talked"].ended_at == START + timedelta(seconds=2)
    assert calls["taped"].ended_at == now
    assert calls["silent"].recording is RecordingState.NONE
    assert calls["taped"].recording is RecordingState.TAPING
    assert await asyncio.to_thread(store.recover, now) == []


async def test_after_close_nothing_waits_and_nothing_is_taken(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/offhook.db", commit_interval=5.0)
    store.begin(record("a"))
    await store.close()
    await store.close()
    store.begin(record("b"))
    assert store.lost == 1
    with pytest.raises(StorageError):
        await store.flush()
    assert not store.settle(1.0)
    again = SqlStore(f"sqlite:///{tmp_path}/offhook.db")
    assert [call.id for call in await again.calls()] == ["a"]
    await again.close()


async def test_earlier_calls_of_a_number(store: SqlStore) -> None:
    for minutes, name in enumerate("abcdefgh"):
        store.begin(record(name, minutes))
    store.begin(dataclasses.replace(record("other", 20), caller="+15550111", agent="sales"))
    store.begin(dataclasses.replace(record("mine", 30), agent="sales"))
    store.begin(dataclasses.replace(record("withheld", 40), caller="Anonymous"))
    store.begin(dataclasses.replace(record("withheld2", 41), caller="Anonymous"))
    await store.flush()
    found = await store.earlier("+15550100", but="h")
    assert (found.count, [call.id for call in found.latest]) == (7, ["g", "f", "e", "d", "c"])
    assert (await store.earlier("+15550100", but="not yet a row")).latest[0].id == "mine"
    assert (await store.earlier("+15550100", but="a")).count == 0, "none before the first"
    assert [call.id for call in (await store.earlier("+15550100", agents=["sales"])).latest] == ["mine"]
    assert await store.earlier("Anonymous") == EarlierCalls()
    assert await store.earlier("") == EarlierCalls()
    assert (await store.earlier("+15550199")).count == 0
    assert [call.id for call in await store.calls(3, caller="+15550100")] == ["mine", "h", "g"]
    assert [call.id for call in await store.calls(9, "g", caller="+15550100")] == list("fedcba")


async def test_earlier_calls_are_found_by_an_index(store: SqlStore) -> None:
    query = "SELECT * FROM calls WHERE caller='+1' ORDER BY started_at DESC, id DESC LIMIT 5"
    with store.engine.connect() as connection:
        plan = " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    assert "ix_calls_caller" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
