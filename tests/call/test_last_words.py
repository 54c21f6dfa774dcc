"""The end of a call on which everybody is in mid-word: all of it is sought at once, and not for long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.call.human_stage import LOUD, SPEECH, WIDE, Tone, staged

from offhook.foundation.events import EndReason, LegKind, TranscriptFinal
from offhook.foundation.people import Stance

pytestmark = pytest.mark.looptime


async def all_speak(stage_of: Any, agent: Any) -> Any:
    humans = await staged(stage_of, agent, texts=["I am the caller."], ears=("I am somebody else.",))
    guest = humans.session.party.welcome("ada", "Ada", WIDE, False)
    mic = Tone(887.3, WIDE, LOUD)
    humans.join("operator", Stance.JOIN, peak=LOUD)
    for sent_ms in range(0, 600, 20):
        guest.on_audio(mic.take(), sent_ms)
        await humans.run(20, SPEECH)
    return humans


async def over(humans: Any) -> float:
    """How long it takes from the loss of the caller until the call is over, in seconds."""
    began = asyncio.get_running_loop().time()
    humans.stage.line.listener.on_closed(EndReason.PEER_LOST)
    async with asyncio.timeout(60):
        while not humans.stage.store.ended:
            await asyncio.sleep(0.05)
    return asyncio.get_running_loop().time() - began


async def test_everybody_is_written_down(stage_of: Any, agent: Any) -> None:
    humans = await all_speak(stage_of, agent)
    await over(humans)
    said = {final.leg for final in humans.events(TranscriptFinal) if final.leg is not LegKind.AGENT}
    assert said == {LegKind.CALLER, LegKind.GUEST, LegKind.OPERATOR}


async def test_recognizers_that_do_not_answer_do_not_keep_the_call(stage_of: Any, agent: Any) -> None:
    """docs/promises.md, 1: a call is over six seconds after its socket, at most."""
    humans = await all_speak(stage_of, agent)
    humans.stage.stt.delay = humans.ears.delay = 100.0
    assert await over(humans) <= 5.0, "six seconds, with all that follows"
