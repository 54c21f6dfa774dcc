"""A coach on a real call with a real bridge: seats decide, cards are on the call's own timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coach_stage import BANK, CALLER, CODE
from tests.call.conftest import AGENT, LoudVad, stage_of  # noqa: F401
from tests.call.human_stage import HumanStage, ToneTts

from offhook.desk.coach.coach import Counsel
from offhook.desk.coach.coach_desk import CoachDesk, Rules
from offhook.foundation.desk_events import CoachingCard
from offhook.foundation.events import TranscriptFinal
from offhook.foundation.people import Stance


async def test_a_card_for_who_took_over_a_live_call(stage_of: Callable[..., Any]) -> None:  # noqa: F811
    stage = stage_of(AGENT, None, ())
    stage.factory.tts = stage.factory.lines._tts = ToneTts(3.0)
    humans = HumanStage(stage, LoudVad)
    await stage.answer(prepare=False)
    await stage.until("listening", 8000)
    desk = CoachDesk(Rules(default="fraud"), Counsel())
    timeline = stage.directory.get(stage.call_id).session.timeline
    timeline.add(desk.follow(timeline))

    async def say(turn: int, text: str) -> None:
        now = int(timeline.now_ms())
        timeline.emit(TranscriptFinal(CALLER, turn, text, now - 900, now - 300))
        await humans.run(1000)

    await say(1, BANK)
    assert len(desk) == 0
    human = humans.join("operator", Stance.LISTEN)
    await humans.run(100)
    assert len(desk) == 0
    stage.directory.get(stage.call_id).session.bridge.set_stance(human.seat, Stance.TAKE_OVER)
    await humans.run(100)
    assert len(desk) == 1
    await say(2, CODE)
    cards = humans.events(CoachingCard)
    assert [card.intent for card in cards] == ["claims_authority", "asks_secret"]
    assert cards[-1].warning_level == "critical"
    human.seat.leave()
    await humans.run(100)
    assert len(desk) == 0
