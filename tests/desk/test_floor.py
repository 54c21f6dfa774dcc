"""The live floor as its watchers see it, on real sockets, and what is done by the API without a seat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request
from tests.channels.realtime_calls import LoopClock
from tests.desk.desk_stage import ANN, BOB, SUE, Client, DeskStage, loudness, staged
from websockets.exceptions import InvalidStatus

from offhook.audio.g711 import Samples
from offhook.channels.base import Arrival
from offhook.channels.silent import SilentChannel
from offhook.desk.clips import ClipShelf
from offhook.desk.errands import Errand, pack, run, unpack
from offhook.desk.floor import Floor, outline
from offhook.desk.floor_board import FarFloors, FloorBoard
from offhook.desk.sessions import Visitor
from offhook.foundation.desk_events import AlertRaised, Emotion, SentimentFound, WarningLevel
from offhook.foundation.errors import RefusedError, StorageError
from offhook.foundation.events import ChannelKind, Direction, LegKind, ProviderFailed, TranscriptFinal
from offhook.foundation.people import LOCAL_PERSON
from offhook.storage.base import CallRecord, EarlierCalls
from offhook.web import faults
from offhook.web.live_routes import live_routes


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        yield found


def of(message: dict[str, Any], call_id: str) -> dict[str, Any]:
    return next(card for card in message["calls"] if card["call_id"] == call_id)


async def changed(watcher: Client, call_id: str, **fields: Any) -> dict[str, Any]:
    """The first card of a call that has these fields."""

    def found() -> dict[str, Any] | None:
        cards = (card for message in watcher.all("floor") for card in message["calls"])
        hits = (c for c in cards if c["call_id"] == call_id and all(c[n] == v for n, v in fields.items()))
        return next(hits, None)

    card: dict[str, Any] = await watcher.until(found)
    return card


async def test_the_whole_floor_at_first_then_what_changed(stage: DeskStage) -> None:
    caller = await stage.caller()
    call_id = stage.call.id
    watcher = await stage.watcher()
    first = await watcher.wait("floor")
    card = of(first, call_id)
    assert set(card) == {
        *(
            "call_id",
            "caller",
            "called",
            "direction",
            "channel",
            "agent",
            "language",
            "started_at",
            "seconds",
        ),
        *("mode", "floor", "seats", "levels", "last_line", "intent", "warning_level", "warning"),
        *("last_response_ms", "interruptions", "silence_s", "failures", "returning", "earlier"),
        *("sentiment", "alerts", "attention", "why"),
    }
    assert (card["mode"], card["agent"], card["attention"]) == ("agent", "default", 0)
    assert first["counters"]["agents_answering"] == 1
    ann = await stage.operator("ann")
    await ann.wait("joined")
    card = await changed(watcher, call_id, mode="takeover")
    assert [seat["name"] for seat in card["seats"]] == ["Ann"]
    timeline = stage.call.session.timeline
    timeline.emit(TranscriptFinal(LegKind.CALLER, 1, "I was robbed", 0, 900, "en"))
    timeline.emit(ProviderFailed("stt", "down"))
    card = await changed(watcher, call_id, failures=1)
    assert (card["last_line"], card["language"]) == ({"leg": "caller", "text": "I was robbed"}, "en")
    assert (card["attention"], card["why"]) == (20, ["1 failure"])
    timeline.emit(SentimentFound(1, -0.8, -0.9, -0.2, Emotion.UNHAPPY, "negative", 0.9, "en", 900))
    timeline.emit(AlertRaised("alert_1", "Unhappy", "score", WarningLevel.HIGH, "sentiment -0.80", 900))
    alerts = {"id": "alert_1", "rule": "Unhappy", "level": "high", "text": "sentiment -0.80", "page": False}
    card = await changed(watcher, call_id, alerts=[alerts])
    assert card["sentiment"] == {"score": -0.8, "trend": -0.2, "emotion": "unhappy", "scores": [-0.8]}
    assert card["why"][0] == "alert: sentiment -0.80"
    counters = [message["counters"] for message in watcher.all("floor")][-1]
    assert (counters["operators"], counters["taken_over"], counters["agents_answering"]) == (1, 1, 0)
    await caller.send("end")
    await watcher.until(lambda: any(call_id in message["gone"] for message in watcher.all("floor")))
    assert watcher.all("floor")[-1]["counters"]["live"] == 0


def kept(name: str, minutes: int, agent: str, caller: str = "+15550100") -> CallRecord:
    began = datetime(2026, 1, 1, 12, minutes, tzinfo=UTC)
    return CallRecord(name, Direction.INBOUND, ChannelKind.PHONE, agent, caller, "", began)


class Kept:
    """What a store knows of callers; it answers when it is let."""

    def __init__(self, *calls: CallRecord) -> None:
        self.calls, self.open, self.asked = calls, asyncio.Event(), list[tuple[str, str]]()

    async def earlier(self, caller: str, but: str = "", limit: int = 5) -> EarlierCalls:
        self.asked.append((caller, but))
        await self.open.wait()
        if not self.calls:
            raise StorageError("rows cannot be read now")
        found = [call for call in self.calls if call.caller == caller]
        return EarlierCalls(len(found), found[:limit])


async def test_who_calls_again_is_known_a_moment_later(stage: DeskStage) -> None:
    """The lookup is a task: the call begins without it, and each watcher is told of the calls it may see."""
    store = Kept(kept("call_2", 9, "sales"), kept("call_1", 3, "default"))
    floor = stage.floor = Floor(stage.directory, LoopClock(), store=store)
    SilentChannel().begin(stage.directory, Arrival(agent="sales", caller="+15550100"))
    (card,) = floor.cards()
    assert (card["returning"], card["earlier"]) == (False, None)
    store.open.set()
    async with asyncio.timeout(2):
        while not card["returning"]:
            await asyncio.sleep(0.01)
            (card,) = floor.cards()
    assert store.asked == [("+15550100", card["call_id"])]
    assert card["earlier"] == {
        "count": 2,
        "last_at": "2026-01-01T12:09:00+00:00",
        "calls": [
            {"call_id": "call_2", "at": "2026-01-01T12:09:00+00:00", "agent": "sales"},
            {"call_id": "call_1", "at": "2026-01-01T12:03:00+00:00", "agent": "default"},
        ],
    }
    board = FloorBoard(floor)
    (seen,) = board.cards(BOB)
    assert seen["earlier"]["count"] == 2
    assert [call["call_id"] for call in seen["earlier"]["calls"]] == ["call_2"], "Bob serves sales alone"
    assert len(board.cards(SUE)[0]["earlier"]["calls"]) == 2
    before = outline(card)
    assert before != outline({**card, "returning": False, "earlier": None}), "watchers are told"


async def test_it_is_pushed_at_most_twice_a_second(
    stage: DeskStage,
) -> None:
    caller = await stage.caller()
    watcher = await stage.watcher()
    await watcher.wait("floor")
    began = asyncio.get_running_loop().time()
    await caller.talk(900, 500)  # levels move all the time
    count = len(watcher.all("floor"))
    assert 1 <= count <= (asyncio.get_running_loop().time() - began) * 2 + 1
    await watcher.send("ping", t=3)
    assert (await watcher.wait("pong"))["t"] == 3


async def test_an_operator_sees_the_calls_of_its_agents(stage: DeskStage) -> None:
    await stage.caller()
    sales = await stage.caller("for-sales", token=stage.tokens.mint("sales"))
    bob, sue = await stage.watcher("bob"), await stage.watcher("sue")
    seen = (await bob.wait("floor"))["calls"]
    assert [card["call_id"] for card in seen] == [sales.joined["call_id"]]
    assert len((await sue.wait("floor"))["calls"]) == 2
    with pytest.raises(InvalidStatus) as refused:
        await stage.watcher("nobody")
    assert refused.value.response.status_code == 401


async def test_a_watcher_that_was_slow_gets_the_whole_floor(stage: DeskStage) -> None:
    class Slow:
        person, session, ready = LOCAL_PERSON, "", True

        def __init__(self) -> None:
            self.shown: list[bytes] = []

        def show(self, raw: bytes) -> None:
            self.shown.append(raw)

        def eject(self) -> None: ...

    await stage.caller()
    slow = Slow()
    stage.board.join(slow)
    assert len(slow.shown) == 1
    slow.ready = False
    stage.call.session.timeline.emit(ProviderFailed("stt", "down"))
    stage.board._push()
    assert len(slow.shown) == 1
    slow.ready = True
    stage.board._push()
    assert b'"failures":1' in slow.shown[-1]
    stage.board._push()
    assert len(slow.shown) == 2
    stage.board.leave(slow)
    stage.board.leave(slow)


async def test_a_watcher_that_talks_is_closed(stage: DeskStage) -> None:
    watcher = await stage.watcher()
    for _ in range(3):
        await watcher.send("end")
    assert (await watcher.end())[0] == 1003


def test_floors_of_elsewhere_grow_stale() -> None:
    now, asked = [0.0], []
    far = FarFloors(asked.append, lambda: now[0])
    far.watch(True)
    far.told(1, [{"call_id": "a"}], 2)
    now[0] = 2.0
    far.told(2, [{"call_id": "b"}], 1)
    assert ([card["call_id"] for card in far.cards()], far.waits()) == (["a", "b"], 3)
    now[0] = 3.5
    assert ([card["call_id"] for card in far.cards()], far.waits()) == (["b"], 1)
    far.watch(False)
    assert asked == [True, False]


# The API.


@pytest.fixture
async def api(stage: DeskStage) -> AsyncIterator[Any]:
    app = FastAPI()
    faults.install(app)
    app.include_router(live_routes(stage.desk, stage.board))
    people = {"sue": SUE, "ann": ANN, "bob": BOB}

    @app.middleware("http")
    async def who(request: Request, go: Any) -> Any:
        person = people[request.headers.get("x-person", "sue")]
        request.state.visitor = Visitor(person, "s")
        return await go(request)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk/api/live") as client:
        yield client


async def test_a_call_is_steered_without_a_seat(stage: DeskStage, api: httpx.AsyncClient) -> None:
    caller = await stage.caller()
    shown = (await api.get("http://desk/api/live")).json()
    assert [card["call_id"] for card in shown["calls"]] == [stage.call.id]
    assert shown["counters"]["live"] == 1
    assert (await api.post("/test123/say", json={"text": "One moment."})).status_code == 204
    await caller.wait("transcript", speaker="agent")
    assert (await api.post(f"/{stage.call.id}/instruct", json={"text": "Be kind"})).status_code == 204
    assert (await api.post("/test123/hold", json={"on": True})).status_code == 204
    assert stage.call.session.bridge.mode == "hold"
    held = await api.post("/test123/say", json={"text": "Hello?"})
    assert held.status_code == 409
    assert (await api.post("/test123/hold", json={"on": False})).status_code == 204
    assert (await api.post("/test123/coach")).status_code == 403
    assert stage.audit.of(SUE) == ["say", "instruct", "hold", "hold"]
    assert "Be kind" not in str(stage.audit.notes)


async def test_what_the_api_refuses(stage: DeskStage, api: httpx.AsyncClient) -> None:
    await stage.caller()
    bob = {"x-person": "bob"}
    assert (await api.post("/test123/say", json={"text": "x"}, headers=bob)).status_code == 403
    assert (await api.get("http://desk/api/live", headers=bob)).json()["calls"] == []
    assert (await api.post("/nobody/say", json={"text": "x"})).status_code == 404
    assert (await api.post("/test123/say", json={"text": ""})).status_code == 422
    assert (await api.post("/test123/say", json={"text": "x", "loud": True})).status_code == 422
    assert (await api.post("/test123/inject", json={"clip": "none"})).status_code == 404
    assert stage.audit.notes == []


def sine(seconds: float, hz: float) -> Samples:
    times = np.arange(int(24_000 * seconds)) / 24_000
    samples: Samples = (np.sin(2 * np.pi * hz * times) * 9_000).astype(np.int16)
    return samples


async def test_a_prepared_clip_sounds_to_the_caller(
    stage: DeskStage, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    shelf = ClipShelf(tmp_path)
    shelf.keep("moment", sine(1.0, 900), 24_000, "u")
    stage.desk.deeds.clips = shelf
    caller = await stage.caller()
    ann = await stage.operator("ann", stance="listen")
    await ann.wait("joined")
    await ann.send("stance", stance="take_over")
    await ann.send("inject", clip="none")
    assert (await ann.wait("error"))["code"] == "not_found"
    assert (await api.post("/test123/inject", json={"clip": "moment"})).status_code == 204
    await caller.until(lambda: loudness(caller.sound, 900) > -20)
    assert stage.audit.of(SUE) == ["inject"]


async def test_an_errand_passes_between_workers(stage: DeskStage) -> None:
    await stage.caller()
    person = unpack(pack(BOB))
    assert person == BOB
    with pytest.raises(RefusedError):
        await run(stage.desk, person, stage.call.id, {"kind": "hold", "on": True})
    await run(stage.desk, unpack(pack(SUE)), stage.call.id, {"kind": Errand.HOLD, "on": True})
    assert stage.call.session.bridge.mode == "hold"
