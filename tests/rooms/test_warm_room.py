"""A warm transfer of a caller in a LiveKit room, who hears nothing of the briefing, then the operator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
from people import has_tone, somebody, tone
from room_house import AGENT_TONE, ALICE, RoomHouse, house
from tests.call.human_stage import HERTZ, WIDE, Headset, Tone
from tests.call.warm_stage import ANN, SUE, Consoles, Place, S, Voices

from offhook.desk.ear import EarMemory
from offhook.desk.warm.ports import WarmParts, WarmRules
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.consult_events import ConsultChanged
from offhook.foundation.people import Mode, Stance

pytestmark = [
    pytest.mark.leaks("the native library keeps threads and sockets of its own"),
    pytest.mark.timeout(60),
]
OPERATOR, BRIEFING = HERTZ["operator"], HERTZ["coach"]


class Clock:
    now_ms = 0.0


@contextlib.asynccontextmanager
async def talking(seat) -> AsyncIterator[None]:
    """The operator's microphone is on."""
    microphone = Tone(OPERATOR, WIDE, 12_000)

    async def run() -> None:
        sent, began = 0, asyncio.get_running_loop().time()
        while True:
            seat.on_audio(microphone.take(), sent)
            sent += 20
            await asyncio.sleep(max(0.0, began + sent / 1000 - asyncio.get_running_loop().time()))

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def heard_of(channel: Headset) -> bytes:
    return b"".join(audio for _, audio in channel.heard)


def asked(home: RoomHouse, consoles: Consoles) -> WarmDesk:
    parts = WarmParts(consoles, Voices(), EarMemory(), lambda *_, **__: None, WarmRules(say_s=1.0))
    return WarmDesk(parts, home.directory.get)


async def test_the_room_does_not_hear_the_briefing_and_hears_the_operator_then(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "warm", "alice") as alice:
        await home.livekit.dispatch("warm", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        assert has_tone(alice.heard, AGENT_TONE)
        (call,) = home.directory
        consoles = Consoles(ANN)
        desk = asked(home, consoles)
        desk.ask(SUE, call, "anyone", "a refund", False, False)
        await home.until(lambda: call.session.bridge.mode is Mode.HOLD)
        alice.heard.clear()
        headset = Headset(Clock())
        bridge = call.session.bridge
        seat = bridge.seat(ANN, headset, Stance.CONSULT)
        async with talking(seat):
            desk.sat(Place(type("Human", (), {"seat": seat})), call.id)
            assert bridge.mode in (Mode.CONSULT, Mode.SAY)
            await alice.speak(tone(ALICE, 900))
            await home.until(lambda: has_tone(heard_of(headset), BRIEFING))
            sound = np.frombuffer(bytes(alice.heard[: len(alice.heard) // 2 * 2]), "<i2")
            assert np.abs(sound).max() > 30, "hold audio"
            for name, hertz in {"operator": OPERATOR, "briefing": BRIEFING, "caller": ALICE}.items():
                assert not has_tone(alice.heard, hertz), f"the room hears the {name}"
            assert not has_tone(heard_of(headset), ALICE), "who is told hears the caller"
            desk.connect(ANN, call.id)
            await alice.until(lambda: has_tone(alice.heard, OPERATOR))
            headset.heard.clear()
            await alice.speak(tone(ALICE, 900))
            assert has_tone(heard_of(headset), ALICE)
            assert not has_tone(alice.heard, BRIEFING)
        assert [each.state for each in home.events(ConsultChanged)][-1] is S.CONNECTED
