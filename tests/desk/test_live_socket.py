"""People and S5's callers on real sockets: who is seated, what they may, what they hear, how they go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.desk.desk_stage import DeskStage, loudness, staged

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
