"""People and S5's callers on real sockets: who is seated, what they may, what they hear, how they go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.desk.desk_stage import ANN, DeskStage, loudness, staged
from websockets.exceptions import InvalidStatus

from offhook.desk.entities.collect import collect
from offhook.foundation.people import LOCAL_PERSON


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        yield found


async def test_a_caller_comes_first_and_an_operator_takes_over(stage: DeskStage) -> None:
    caller = await stage.caller()
    assert caller.joined["name"] == "test123"
    assert caller.joined["call_id"] == stage.call.id
    operator = await stage.operator()
    joined = await operator.wait("joined")
    assert (joined["call_id"], joined["mode"], joined["stance"]) == (stage.call.id, "takeover", "take_over")
    assert joined["holder"] == joined["seat"]
    assert joined["hears"]["caller"] == ["operator"]
    assert [entry["kind"] for entry in joined["history"]][:1] == ["call_started"]
    await asyncio.gather(caller.talk(500, 600), operator.talk(500, 1_000))
    assert loudness(caller.sound, 1_000) > -20
    assert loudness(caller.sound, 600) < -50
    assert loudness(operator.sound, 600) > -20
    assert loudness(operator.sound, 1_000) < -50
    await operator.send("leave")
    assert await operator.end() == (1000, "left")
    assert stage.audit.of(LOCAL_PERSON) == ["joined", "left"]
    assert stage.call.session.bridge.mode == "agent"


async def test_an_operator_comes_first_and_waits(stage: DeskStage) -> None:
    operator = await stage.operator("ann", stance="join", sample_rate=24_000, audio="binary")
    waiting = await operator.wait("joined")
    assert (waiting["mode"], waiting["call_id"], waiting["seat"]) == ("waiting", "test123", "")
    await operator.send("say", text="Hello")
    assert (await operator.wait("error"))["code"] == "waiting"
    assert stage.desk.waiting == 1
    watcher = await stage.watcher()
    assert (await watcher.wait("floor"))["counters"]["waiting"] == 1
    caller = await stage.caller()
    joined = await operator.wait("joined")
    assert (joined["mode"], joined["stance"], joined["name"]) == ("join", "join", "test123")
    assert joined["call_id"] == caller.joined["call_id"]
    await asyncio.gather(caller.talk(500, 600), operator.talk(500, 1_000, 24_000, binary=True))
    assert loudness(caller.sound, 1_000) > -20
    assert loudness(operator.sound, 600, 24_000) > -20


async def test_every_mode_as_it_is_asked_for(stage: DeskStage) -> None:
    caller = await stage.caller()
    operator = await stage.operator("ann", stance="listen")
    await operator.wait("joined", mode="agent", stance="listen")
    await operator.talk(300, 1_000)
    assert loudness(caller.sound, 1_000) < -60
    for stance, mode in (("coach", "agent"), ("join", "join"), ("take_over", "takeover")):
        await operator.send("stance", stance=stance)
        await operator.until(
            lambda wanted=stance: [m for m in operator.all("event") if m["entry"].get("stance") == wanted]
        )
        assert stage.call.session.bridge.mode == mode
    await operator.wait("mode", mode="takeover")
    await operator.send("mute", on=True)
    muted = await operator.until(lambda: [m for m in operator.all("mode") if m["seats"][0]["muted"]])
    assert muted[0]["hears"]["caller"] == []
    before = len(caller.sound)
    await operator.talk(300, 1_000)
    assert loudness(caller.sound[before:], 1_000) < -60
    await operator.send("mute", on=False)
    await operator.send("hold", on=True)
    await operator.wait("mode", mode="hold")
    await operator.send("hold", on=False)
    await operator.wait("mode", mode="takeover")
    await operator.send("say", text="One moment please.")
    await operator.wait("mode", mode="say")
    await operator.send("hand_back")
    assert (await operator.wait("mode", mode="agent"))["holder"] == ""
    await operator.send("hand_back")
    assert (await operator.wait("error"))["code"] == "refused"
    done = stage.audit.of(ANN)
    assert done == ["joined", "stance", "stance", "stance", "hold", "hold", "say", "stance"]
    assert "One moment" not in str(stage.audit.notes)


async def test_two_operators_on_one_call(stage: DeskStage) -> None:
    caller = await stage.caller()
    ann = await stage.operator("ann")
    await ann.wait("joined", mode="takeover")
    bob = await stage.operator("sue", stance="take_over", role="supervisor")
    assert await bob.refused() == ("conflict", 4409)
    sue = await stage.operator("sue", role="supervisor", stance="join")
    joined = await sue.wait("joined", leg="supervisor", mode="takeover")
    assert [(seat["name"], seat["stance"]) for seat in joined["seats"]] == [
        ("Ann", "take_over"),
        ("Sue", "join"),
    ]
    await sue.send("stance", stance="take_over")
    assert (await sue.wait("error"))["code"] == "conflict"
    await asyncio.gather(caller.talk(500, 500), ann.talk(500, 800), sue.talk(500, 1_300))
    assert loudness(caller.sound, 800) > -20
    assert loudness(caller.sound, 1_300) > -20
    assert loudness(ann.sound, 1_300) > -20
    assert loudness(ann.sound, 800) < -50
    await ann.send("stance", stance="listen")
    await sue.wait("mode", mode="join")
    await sue.send("stance", stance="take_over")
    await ann.wait("mode", mode="takeover")
    await sue.send("ai_speaks", on=True)
    await sue.wait("mode", mode="say")
    await ann.send("ai_speaks", on=False)
    assert (await ann.wait("error"))["code"] == "refused"


async def test_the_agent_is_back_when_an_operator_is_lost(stage: DeskStage) -> None:
    await stage.caller()
    ann = await stage.operator("ann")
    await ann.wait("joined", mode="takeover")
    began = asyncio.get_running_loop().time()
    ann.socket.transport.abort()
    async with asyncio.timeout(2):
        while stage.call.session.bridge.mode != "agent":
            await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - began < 1
    lost = [entry.event for entry in stage.call.session.timeline.recent if entry.event.kind == "leg_left"]
    assert [event.lost for event in lost] == [True]
    assert stage.audit.of(ANN) == ["joined", "lost"]


async def test_who_may_not(stage: DeskStage) -> None:
    await stage.caller()
    bob = await stage.operator("bob", stance="listen")  # serves other agents
    assert await bob.refused() == ("refused", 1008)
    ann = await stage.operator("ann", role="supervisor", stance="listen")
    assert await ann.refused() == ("refused", 1008)
    with pytest.raises(InvalidStatus) as refused:
        await stage.operator("nobody")
    assert refused.value.response.status_code == 401
    assert stage.audit.notes == [("u_bob", "refused", stage.call.id, {"stance": "listen"})]


async def test_a_person_whose_session_is_over_is_gone(stage: DeskStage) -> None:
    await stage.caller()
    ann, waiting = await stage.operator("ann"), await stage.operator("ann", call_id="later")
    sue, watcher = await stage.operator("sue", stance="listen"), await stage.watcher("ann")
    await ann.wait("joined")
    await waiting.wait("joined")
    await sue.wait("joined")
    stage.desk.eject(ANN.id, "session-ann")
    stage.board.eject(ANN.id, "session-ann")
    assert (await ann.end())[0] == 4401
    assert (await waiting.end())[0] == 4401
    assert (await watcher.end())[0] == 4401
    assert stage.call.session.bridge.mode == "agent"
    assert sue.closed is None
    stage.desk.sessions = _Over()
    await sue.send("stance", stance="join")
    assert (await sue.end())[0] == 4401


async def test_a_second_caller_and_ids_that_are_not_free(stage: DeskStage) -> None:
    await stage.caller()
    taken = await stage.open("/ws/live", call_id="test123", role="caller")
    assert await taken.refused() == ("conflict", 4409)
    ours = await stage.open("/ws/live", call_id=f"call_{'0' * 26}", role="caller")
    assert await ours.refused() == ("refused", 1008)
    unknown = await stage.operator(call_id=f"call_{'0' * 26}")
    assert await unknown.refused() == ("not_found", 4404)
    by_id = await stage.operator(call_id=stage.call.id, stance="listen")
    await by_id.wait("joined", call_id=stage.call.id)
    assert len(stage.directory) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"call_id": "a/b"},
        {"call_id": "a", "role": "king"},
        {"call_id": "a", "sample_rate": "1"},
        {"call_id": "a", "role": "caller", "token": "wrong"},
    ],
)
async def test_a_door_that_stays_shut(stage: DeskStage, query: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await stage.open("/ws/live", **query)
    assert refused.value.response.status_code == (401 if "token" in query else 400)


async def test_a_caller_with_a_token_has_its_agent_and_may_talk_and_go(stage: DeskStage) -> None:
    token = stage.tokens.mint("sales")
    caller = await stage.caller(token=token, sample_rate=8_000)
    assert stage.call.agent == "sales"
    assert (caller.joined["leg"], caller.joined["seats"], caller.joined["history"]) == ("caller", [], [])
    await caller.wait("transcript", speaker="agent", final=False)
    await caller.until(lambda: len(caller.sound) > 10)
    assert max(map(len, caller.sound)) <= 1_600  # 100 ms
    assert not any(len(piece) % 2 for piece in caller.sound)
    await caller.send("stance", stance="take_over")
    assert (await caller.wait("error"))["code"] == "refused"
    await caller.send("mute", on=True)
    await caller.send("ping", t=12.5)
    assert (await caller.wait("pong"))["t"] == 12.5
    await caller.talk(100, 500, 8_000)
    assert stage.call.session.leg.frames == 0
    await caller.send("end")
    assert (await caller.wait("ended"))["reason"] == "caller_hung_up"
    assert (await caller.end())[0] == 1000


async def test_a_caller_sees_nothing_of_the_desk(stage: DeskStage) -> None:
    caller = await stage.caller()
    ann = await stage.operator("ann", stance="join")
    await ann.wait("joined")
    await ann.send("instruct", text="Offer a refund")
    await ann.wait("event")
    await ann.send("pin", id="e1", pinned=True, added={"type": "name", "value": "Mr Grey", "at_ms": 7})
    assert (await ann.wait("entity"))["entity_type"] == "name"
    await ann.send("stance", stance="take_over")
    await ann.wait("mode", mode="takeover")
    await ann.send("hand_back")
    await ann.wait("mode", mode="agent")
    await caller.send("ping", t=1)
    await caller.wait("pong")
    assert {message["type"] for message in caller.messages} <= {"level", "transcript", "clear"}


async def test_an_added_entity_takes_no_others_place(stage: DeskStage) -> None:
    """Screens show what evidence will have: what was found in the talk, or added first, stays as it was."""
    await stage.caller()
    ann = await stage.operator("ann", stance="join")
    await ann.wait("joined")
    grey, green = ({"type": "name", "value": f"Mr {name}", "at_ms": 7} for name in ("Grey", "Green"))
    await ann.send("pin", id="entity_1", pinned=True, added=grey)
    assert (await ann.wait("error"))["code"] == "refused"
    await ann.send("pin", id="own-1", pinned=True, added=grey)
    assert (await ann.wait("entity"))["value"] == "Mr Grey"
    await ann.send("pin", id="own-1", pinned=False, added=green)
    shown = await ann.wait("entity")
    assert (shown["value"], shown["pinned"]) == ("Mr Grey", False)
    kept = collect(entry.as_json() for entry in stage.call.session.timeline.recent)
    assert [(one["value"], one["pinned"]) for one in kept] == [("Mr Grey", False)]


async def test_an_operator_hangs_up(stage: DeskStage) -> None:
    caller = await stage.caller()
    ann = await stage.operator("ann")
    await ann.wait("joined")
    await ann.send("end")
    await ann.wait("ended", reason="agent_hung_up")
    await caller.wait("ended", reason="agent_hung_up")
    assert (await ann.end())[0] == 1000
    assert (await caller.end())[0] == 1000
    async with asyncio.timeout(2):
        while len(stage.directory):
            await asyncio.sleep(0.01)
    again = await stage.caller()  # the name is free again
    assert again.joined["call_id"] != caller.joined["call_id"]


async def test_bad_messages_lose_nothing_and_the_third_ends_it(stage: DeskStage) -> None:
    await stage.caller()
    ann = await stage.operator("ann", stance="listen")
    await ann.wait("joined")
    for raw in ("{", '{"type":"dance"}'):
        await ann.socket.send(raw)
        assert (await ann.wait("error"))["code"] == "bad_message"
    await ann.send("ping", t=1)
    await ann.wait("pong")
    await ann.socket.send(b"\x00\x01")  # binary was not asked for
    assert (await ann.end())[0] == 1007
    assert stage.audit.of(ANN) == ["joined", "left"] or stage.audit.of(ANN) == ["joined", "lost"]


async def test_too_many_commands_are_told_so(stage: DeskStage) -> None:
    await stage.caller()
    ann = await stage.operator("ann", stance="listen")
    await ann.wait("joined")
    for _ in range(70):
        await ann.send("coach_now")
    await ann.wait("error", code="rate")
    assert ann.closed is None


async def test_sound_of_another_rate_is_converted(stage: DeskStage) -> None:
    caller = await stage.caller()
    ann = await stage.operator("ann")
    await ann.wait("joined")
    await ann.talk(500, 1_000, 48_000)  # the socket's is 16 kHz
    assert loudness(caller.sound, 1_000) > -20


async def test_the_fifth_person_finds_no_seat(stage: DeskStage) -> None:
    await stage.caller()
    for _ in range(4):
        await (await stage.operator("sue", stance="listen")).wait("joined")
    fifth = await stage.operator("sue", stance="listen")
    assert await fifth.refused() == ("busy", 1013)


class _Over:
    """All sessions are over."""

    def is_alive(self, session: str) -> bool:
        return False

    def touch(self, session: str) -> None: ...
