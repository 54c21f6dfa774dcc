"""Calls that rules move in mid-call, from one agent to another."""

from __future__ import annotations

from typing import Any

import pytest
from tests.call.conftest import Replies
from tests.center.center_stage import ANN, BILLING, BILLS, SALES, CenterStage, houses, to, wants

from offhook.center.conditions import Language, Number
from offhook.center.routing import Rule
from offhook.channels.base import Arrival
from offhook.foundation.events import EndReason, LegKind
from offhook.speech.base import Message

house = pytest.fixture(houses)


async def test_another_agent_goes_on_and_knows_what_was_said(house: Any) -> None:
    llm = Replies(["I can look."], ["Your bill is twelve dollars."])
    stage = house(BILLS, texts=["I have a question about my bill."], llm=llm)
    stage.intents.meant["I have a question about my bill."] = ("billing", 0.9)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(600)
    await stage.until("listening", 12_000)
    assert stage.call.agent == "billing"
    [moved] = stage.kinds("handed_over")
    assert (moved["source"], moved["target"], moved["rule"], moved["voice_changed"]) == (
        "front",
        "billing",
        "billing",
        True,
    )
    assert [each["live"] for each in stage.kinds("route")] == [False, True]
    request = llm.requests[-1]
    assert request.agent.persona == "You bill."
    assert [message.text for message in request.messages if message.leg is LegKind.CALLER] == [
        "I have a question about my bill."
    ]
    assert request.messages[-1] == Message(LegKind.CALLER, "I have a question about my bill.")
    assert stage.said()[-1] == "Your bill is twelve dollars."


async def test_it_says_its_line_first_then_answers(house: Any) -> None:
    rule = wants("interest", to("agent", "sales"))
    llm = Replies(["Well"], ["It costs ten."])
    stage = house(rule, texts=["What does it cost?"], llm=llm)
    stage.intents.meant["What does it cost?"] = ("interest", 0.9)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(600)
    await stage.wait(9_000)
    assert stage.said()[-2:] == ["This is sales.", "It costs ten."]


async def test_the_clause_that_is_heard_ends_before_another_agent_speaks(house: Any) -> None:
    clauses = "I can have a look at that for you.", "There is also quite a lot more to be said about it."
    llm = Replies([f"{clauses[0]} ", clauses[1]], ["Your bill is twelve dollars."])
    stage = house(BILLS, texts=["I have a question about my bill."], llm=llm)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(600)
    await stage.until("speaking")
    await stage.wait(200)
    stage.router._moved[stage.call_id]._listener.meant("billing", 0.9)
    await stage.settle()
    assert stage.call.agent == "front"
    await stage.wait(9_000)
    assert stage.call.agent == "billing"
    first, second = [each for each in stage.kinds("transcript_final") if each["leg"] == "agent"][-2:]
    assert (first["text"], first["unheard"]) == clauses
    assert second["text"] == "Your bill is twelve dollars."
    assert llm.requests[-1].messages[-1].text == "I have a question about my bill."


async def test_an_intent_that_is_not_sure_moves_nothing(house: Any) -> None:
    stage = house(BILLS, texts=["My bill."])
    stage.intents.meant["My bill."] = ("billing", 0.5)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(600)
    await stage.until("listening", 9_000)
    assert stage.intents.read_texts == ["My bill."]
    assert stage.call.agent == "front"


async def test_the_language_moves_a_call_after_a_whole_sentence(house: Any) -> None:
    rule = Rule("arabic", to("agent", "arabic"), (Language(("ar",)),), live=True)
    stage = house(rule, texts=["نعم", "أريد أن أعرف السعر"])
    stage.stt.language = "ar"
    await stage.arrive()
    await stage.until("listening")
    stage.session.timeline.emit(_line("نعم", "ar"))
    await stage.settle()
    assert stage.call.agent == "front"
    stage.session.timeline.emit(_line("نعم", "ar"))
    await stage.settle()
    assert stage.call.agent == "arabic"
    assert stage.session.conversation.language == "ar"


async def test_a_rule_for_the_agent_that_has_the_call_moves_nothing(house: Any) -> None:
    english = Rule("english", to("agent", "front"), (Language(("en",)),), live=True)
    arabic = Rule("arabic", to("agent", "arabic"), (Language(("ar",)),), live=True)
    stage = house(english, arabic, hand_overs=2)
    await stage.arrive()
    await stage.until("listening")
    for text, language in (
        ("what does it cost", "en"),
        ("أريد أن أعرف السعر", "ar"),
        ("no let us speak English", "en"),
    ):
        stage.session.timeline.emit(_line(text, language))
        await stage.wait(4_000)
    assert [each["target"] for each in stage.kinds("handed_over")] == ["arabic", "front"]
    assert [each["rule"] for each in stage.kinds("route")] == ["", "arabic", "english"]


async def test_nobody_answers_again_what_was_answered(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move that came to nothing at the end of a clause leaves nothing to be answered by a later one."""
    from offhook.foundation.errors import ProviderError

    llm = Replies(["I can have a look at that for you. ", "It is twelve dollars."], ["Never to be said."])
    stage = house(BILLS, wants("interest", to("agent", "sales")), texts=["How much is it?"], llm=llm)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(600)
    await stage.until("speaking")
    with monkeypatch.context() as broken:

        def full(context: Any) -> Any:
            raise ProviderError("cascade", "has no room")

        broken.setattr(stage.factory, "open", full)
        await mean(stage, "billing")
        await stage.until("listening", 12_000)
    assert "stays where it is" in stage.kinds("notice")[0]["text"]
    asked = len(llm.requests)
    await mean(stage, "interest")
    await stage.wait(6_000)
    assert stage.call.agent == "sales"
    assert (stage.said()[-1], len(llm.requests)) == ("This is sales.", asked)


async def test_one_change_of_voice_at_most(house: Any) -> None:
    stage = house(BILLS, wants("interest", to("agent", "sales")))
    await stage.arrive()
    await stage.until("listening")
    await mean(stage, "billing")
    assert stage.session.conversation.agent.voice == BILLING.voice
    await mean(stage, "interest")
    agent = stage.session.conversation.agent
    assert (agent.name, agent.persona, agent.voice) == ("sales", SALES.persona, BILLING.voice)
    assert [each["voice_changed"] for each in stage.kinds("handed_over")] == [True, False]


async def test_a_rule_moves_a_call_once_and_not_forever(house: Any) -> None:
    rules = [BILLS, wants("interest", to("agent", "sales")), wants("complaint", to("agent", "front"))]
    stage = house(*rules, hand_overs=2)
    await stage.arrive()
    await stage.until("listening")
    for intent in ("billing", "interest", "billing", "complaint"):
        await mean(stage, intent)
    assert [each["target"] for each in stage.kinds("handed_over")] == ["billing", "sales"]


async def test_a_rule_above_that_fits_keeps_the_call(house: Any) -> None:
    stage = house(Rule("all", to("agent", "sales")), BILLS)
    await stage.arrive()
    await stage.until("listening")
    await mean(stage, "billing")
    assert stage.call.agent == "sales"


async def test_mood_moves_a_call_as_it_is_told(house: Any) -> None:
    rule = Rule(
        "sad", to("agent", "sales"), (Number("the sentiment", lambda s: s.sentiment, below=-0.5),), live=True
    )
    stage = house(rule)
    await stage.arrive()
    await stage.until("listening")
    moved = stage.router._moved[stage.call_id]
    moved._listener.sentiment = -0.4
    moved._changed()
    await stage.settle()
    assert stage.call.agent == "front"
    moved._listener.sentiment = -0.6
    moved._changed()
    await stage.settle()
    assert stage.call.agent == "sales"


async def test_nothing_moves_while_a_human_conducts_the_call(house: Any) -> None:
    stage = house(BILLS)
    await stage.arrive()
    await stage.until("listening")
    seat = stage.sit(ANN)
    await mean(stage, "billing")
    assert stage.call.agent == "front"
    seat.leave()
    await stage.settle()
    assert stage.call.agent == "billing"


async def test_a_move_waits_until_the_caller_has_spoken(house: Any) -> None:
    stage = house(BILLS)
    await stage.arrive()
    await stage.until("listening")
    await stage.say(300)
    assert stage.floor == "hearing"
    await mean(stage, "billing")
    assert stage.call.agent == "front"
    await stage.wait(3_000)
    assert stage.call.agent == "billing"


async def test_a_call_that_cannot_be_moved_stays(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.foundation.errors import ProviderError

    stage = house(BILLS)
    await stage.arrive()
    await stage.until("listening")

    def broken(context: Any) -> Any:
        raise ProviderError("cascade", "has no room")

    monkeypatch.setattr(stage.factory, "open", broken)
    await mean(stage, "billing")
    assert stage.call.agent == "front"
    assert "stays where it is" in stage.kinds("notice")[0]["text"]
    assert stage.floor == "listening"


async def test_to_a_number_in_mid_call(house: Any) -> None:
    stage = house(wants("wants_human", to("number", "+15550123")))
    asked: list[str] = []
    stage.directory.on_transfer = lambda vendor_id, where: asked.append(where)
    await stage.arrive(Arrival(vendor_id="CA1"))
    await stage.until("listening")
    await mean(stage, "wants_human")
    for _ in range(80):
        await stage.wait(100)
        await real_moment()
        if stage.line.hung_up:
            break
    assert "putting you through" in stage.said()[-1]
    assert asked == ["+15550123"]
    assert stage.line.hung_up is EndReason.TRANSFERRED


async def test_voicemail_in_mid_call(house: Any) -> None:
    stage = house(wants("wants_human", to("voicemail")))
    await stage.arrive()
    await stage.until("listening")
    await mean(stage, "wants_human")
    await stage.wait(6_000)
    assert "I can take a message" in stage.said()[-1]
    assert stage.call.agent == "front"


async def test_the_talk_goes_on_with_the_other_agent(house: Any) -> None:
    """Turns, history and tape after a hand-over are as before it."""
    llm = Replies(["All right."])
    stage = house(BILLS, texts=["The next question, please."], llm=llm)
    await stage.arrive()
    await stage.until("listening")
    await mean(stage, "billing")
    await stage.say(600)
    await stage.until("listening", 9_000)
    finals = [(each["leg"], each["turn"]) for each in stage.kinds("transcript_final")]
    assert finals == [("agent", 0), ("caller", 1), ("agent", 1)]
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert stage.directory.count() == 0
    assert stage.router._moved == {}


async def mean(stage: CenterStage, intent: str) -> None:
    """An intent was read."""
    stage.router._moved[stage.call_id]._listener.meant(intent, 0.9)
    await stage.settle()


def _line(text: str, language: str) -> Any:
    from offhook.foundation.events import TranscriptFinal

    return TranscriptFinal(LegKind.CALLER, 1, text, 0, 100, language)


async def real_moment() -> None:
    import asyncio

    await asyncio.sleep(0.051)
