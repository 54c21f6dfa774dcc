"""A warm transfer by real sockets: a caller, a supervisor who asks, a colleague who is told and connected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.desk.desk_stage import ANN, BOB, SUE, Client, DeskStage, loudness, staged, tone

from offhook.desk.ear import EarMemory
from offhook.desk.errands import Errand, run
from offhook.desk.narration import Narration, Wanted
from offhook.desk.warm.ports import WarmParts, WarmRules
from offhook.desk.warm.targets import Colleague
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.errors import RefusedError

BRIEFING, ANNS = 1_900.0, 2_700.0


class Voices:
    def begin(self, wanted: Wanted) -> Narration:
        narration = Narration(wanted)
        narration.audio += tone(300, BRIEFING, wanted.format.rate)
        narration.end("")
        return narration

    def leave(self, narration: Narration) -> None: ...


class Consoles:
    def __init__(self) -> None:
        self.shown: list[tuple[str, dict[str, object]]] = []

    async def colleagues(self) -> Sequence[Colleague]:
        return [Colleague(person, True, True) for person in (ANN, BOB)]

    def show(self, person_id: str, raw: bytes) -> None:
        self.shown.append((person_id, json.loads(raw)))


class Aid:
    """A coach that says nothing."""

    def __init__(self) -> None:
        self.gone = False

    def settings(self) -> dict[str, object]:
        return {}

    def leave(self) -> None:
        self.gone = True


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        consoles = Consoles()
        parts = WarmParts(consoles, Voices(), EarMemory(), found.audit.note, WarmRules(ring_s=2, all_s=2))
        found.desk.warm = WarmDesk(parts, found.directory.get)
        found.consoles = consoles  # type: ignore[attr-defined]
        yield found


async def _ask(stage: DeskStage, **more: object) -> None:
    wish = {"kind": Errand.WARM, "to": "anyone", "reason": "a refund", "coach": True, "auto": False, **more}
    await run(stage.desk, SUE, "test123", wish)
    async with asyncio.timeout(2):
        while not stage.consoles.shown:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)


async def test_asked_told_and_connected(stage: DeskStage) -> None:
    caller = await stage.caller()
    await _ask(stage)
    who, ring = stage.consoles.shown[0]  # type: ignore[attr-defined]
    assert (who, ring["type"], ring["by"]) == ("u_ann", "consult", "Sue")  # Bob serves other agents
    await run(stage.desk, ANN, "test123", {"kind": Errand.WARM_ACCEPT})
    ann = await stage.operator("ann", stance="consult")
    joined = await ann.wait("joined")
    assert (joined["stance"], joined["coach"]) == ("consult", {})
    await ann.until(lambda: loudness(ann.sound, BRIEFING) > -30)
    told = [m["entry"] for m in ann.all("event") if m["entry"]["kind"] == "consult_briefing"]
    assert told[0]["card"]["reason"] == "a refund"
    await ann.talk(200, ANNS)
    assert loudness(caller.sound, BRIEFING) < -60
    assert loudness(caller.sound, ANNS) < -60
    await ann.send("warm_act", step="again")
    await ann.send("warm_act", step="connect", coach=False)
    await ann.wait("mode", mode="takeover")
    await ann.talk(400, ANNS)
    await caller.until(lambda: loudness(caller.sound, ANNS) > -40)
    # Ann's tone has edges where this machine was late: they sound everywhere, a briefing at its own pitch.
    splatter = max(loudness(caller.sound, hz) for hz in (BRIEFING - 150, BRIEFING + 150))
    print(f"briefing {loudness(caller.sound, BRIEFING):.1f}, beside it {splatter:.1f}")
    assert loudness(caller.sound, BRIEFING) < max(-60.0, splatter + 3)
    assert not [m for m in caller.messages if m["type"] in ("event", "mode", "card", "ai_coaching")]
    assert {"joined", "warm_accept", "warm_connect"} <= set(stage.audit.of(ANN))
    assert stage.audit.of(SUE) == ["warm_transfer"] * 4


async def test_nobody_sits_down_to_be_told_who_was_not_asked(stage: DeskStage) -> None:
    await stage.caller()
    ann = await stage.operator("ann", stance="consult")
    assert (await ann.refused())[0] == "refused"
    listening = await stage.operator("ann", stance="listen")
    await listening.wait("joined")
    for kind, fields in (
        ("stance", {"stance": "consult"}),
        ("warm", {"to": "everybody"}),
    ):
        await listening.send(kind, **fields)
        await listening.wait("error", code="refused")
    for step in ("connect", "decline", "again", "cancel"):
        await listening.send("warm_act", step=step)
        await listening.wait("error", code="not_found")
    await listening.send("warm_act", step="dance")
    await listening.wait("error", code="bad_message")
    await listening.send("warm", to="")
    await listening.wait("error", code="bad_message")


async def _told(stage: DeskStage) -> Client:
    """Ann is on the call, and told about it."""
    await _ask(stage)
    await run(stage.desk, ANN, "test123", {"kind": Errand.WARM_ACCEPT})
    ann = await stage.operator("ann", stance="consult")
    await ann.wait("joined", stance="consult")
    return ann


async def test_who_is_told_and_is_lost_without_a_word_is_missed_within_two_seconds(stage: DeskStage) -> None:
    await stage.caller()
    ann = await _told(stage)
    ann.socket.transport.pause_reading()  # no ping is answered
    checks = 0
    while stage.call.session.bridge.seats:
        for socket in tuple(stage.watch._watched):
            socket.check()
        checks += 1
        await asyncio.sleep(0)
    assert 1.4 <= checks * stage.watch.interval <= 2.0
    assert stage.audit.of(ANN)[-1] == "lost"
    async with asyncio.timeout(2):
        while stage.call.session.bridge.mode != "agent":
            await asyncio.sleep(0.01)


async def test_who_is_told_decides_by_what_they_do(stage: DeskStage) -> None:
    await stage.caller()
    aids: list[Aid] = []
    stage.desk.aids = lambda call, seat, channel: aids.append(Aid()) or aids[-1]  # type: ignore
    listening = await stage.operator("ann", stance="listen")
    await listening.wait("joined")
    await _ask(stage)
    await listening.send("stance", stance="consult")
    await listening.until(
        lambda: any(m["entry"]["kind"] == "consult_briefing" for m in listening.all("event"))
    )
    assert [aid.gone for aid in aids] == [True]  # one ear, one voice
    await listening.send("stance", stance="take_over")
    await listening.wait("mode", mode="takeover")
    assert [aid.gone for aid in aids] == [True, False]
    assert "warm_connect" in stage.audit.of(ANN)
    await listening.send("hand_back")
    await listening.wait("mode", mode="agent")
    stage.consoles.shown.clear()  # type: ignore[attr-defined]
    await _ask(stage, coach=False)
    await listening.send("stance", stance="consult")
    await listening.send("stance", stance="join")
    await listening.end()
    assert "warm_decline" in stage.audit.of(ANN)


async def test_declined_over_rest_and_called_off_from_the_seat(stage: DeskStage) -> None:
    await stage.caller()
    with pytest.raises(RefusedError):
        await _ask(stage, to="nobody at all")
    sue = await stage.operator("sue", stance="listen", role="supervisor")
    await sue.wait("joined")
    await sue.send("warm", to="person:Ann", reason="a refund")

    def state(name: str) -> bool:
        return any(m["entry"]["kind"] == "consult" and m["entry"]["state"] == name for m in sue.all("event"))

    await sue.until(lambda: state("ringing"))
    await run(stage.desk, ANN, "test123", {"kind": Errand.WARM_DECLINE})
    await sue.until(lambda: state("declined"))
    sue.messages.clear()
    await sue.send("warm", to="anyone")
    await sue.until(lambda: state("ringing"))
    await sue.send("warm_act", step="cancel")
    await sue.until(lambda: state("abandoned"))
    stage.desk.warm = None
    with pytest.raises(RefusedError):
        await run(stage.desk, ANN, "test123", {"kind": Errand.WARM_DECLINE})
