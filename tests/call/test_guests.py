"""Guests of a call: others at the caller's end, each heard, taped and answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.call.human_stage import LOUD, WIDE, HumanStage, Tone, staged

from offhook.call.guests import MAX_GUESTS
from offhook.call.turns import Signal
from offhook.foundation.desk_events import LegJoined, LegLeft
from offhook.foundation.errors import LimitError, ProviderError
from offhook.foundation.events import EndReason, Interrupted, LegKind, NoInput, TranscriptFinal
from offhook.foundation.people import Mode, Stance
from offhook.speech.base import Message

QUIET = b"\xff" * 160


class Visitor:
    """Somebody in the room, with a microphone that is always on."""

    def __init__(self, humans: HumanStage, identity: str, answered: bool = True) -> None:
        self.guest: Any = humans.session.party.welcome(identity, identity.title(), WIDE, answered)
        self.seat = self.guest
        self.mic = Tone(887.3, WIDE, 0.0)
        self.open = True
        self.sent_ms = 0

    def speak(self) -> None:
        if self.open:
            self.guest.on_audio(self.mic.take(), self.sent_ms)
        self.sent_ms += 20


def enter(humans: HumanStage, identity: str, answered: bool = True) -> Visitor:
    visitor = Visitor(humans, identity, answered)
    humans.people.append(visitor)  # type: ignore[arg-type]
    return visitor


async def says(humans: HumanStage, visitor: Visitor, ms: int = 900) -> None:
    visitor.mic.peak = LOUD
    await humans.run(ms, QUIET)
    visitor.mic.peak = 0.0
    await humans.run(900, QUIET)


async def test_a_guest_is_written_down_by_name_and_answered(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, ears=("What does it cost?",))
    visitor = enter(humans, "alice")
    await says(humans, visitor)
    (said,) = [one for one in humans.events(TranscriptFinal) if one.leg is LegKind.GUEST]
    assert (said.text, said.speaker, said.turn) == ("What does it cost?", "guest-1", 1)
    await humans.stage.until("speaking", 3000)
    request = humans.stage.llm.requests[-1]
    assert request.messages[-1] == Message(LegKind.CALLER, "What does it cost?", speaker="Alice")
    (joined,) = humans.events(LegJoined)
    assert (joined.seat, joined.leg, joined.by, joined.name) == (
        "guest-1",
        LegKind.GUEST,
        "room:alice",
        "Alice",
    )


async def test_a_guest_who_is_not_answered_is_known(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, ears=("He is my brother.",))
    await says(humans, enter(humans, "alice", answered=False))
    await humans.run(2000, QUIET)
    assert humans.stage.llm.requests == []
    assert humans.session.conversation._history.messages[-1].text == "He is my brother."


async def test_a_guest_who_talks_over_the_agent_stops_it(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, seconds=6.0, ears=("And on Sunday?",))
    visitor = enter(humans, "alice")
    await says(humans, visitor)
    await humans.stage.until("speaking", 3000)
    await humans.run(500, QUIET)
    visitor.mic.peak = LOUD
    await humans.run(900, QUIET)
    assert len(humans.events(Interrupted)) == 1
    assert humans.stage.floor == "listening"


async def test_a_guest_whose_words_cannot_be_found_stops_the_agent_all_the_same(
    stage_of, agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    humans = await staged(stage_of, agent, seconds=6.0, ears=("What does it cost?",))
    asks, talks = enter(humans, "alice"), enter(humans, "bob")
    await says(humans, asks)
    await humans.stage.until("speaking", 3000)

    def fails(*given: Any) -> None:
        raise ProviderError("stt", "is away")

    monkeypatch.setattr(humans.session.fittings.stt, "open", fails)
    talks.mic.peak = LOUD
    await humans.run(900, QUIET)
    assert humans.stage.floor == "listening"


async def test_what_a_guest_says_over_a_prompt_is_answered(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, ears=("What does it cost?",))
    visitor = enter(humans, "alice")
    await humans.run(200, QUIET)
    visitor.mic.peak = LOUD
    await humans.run(500, QUIET)  # short enough that the agent does not give way
    visitor.mic.peak = 0.0
    humans.session.conversation.signal(Signal.NO_INPUT)  # before the words are known
    await humans.run(1500, QUIET)
    assert humans.events(TranscriptFinal)[-1].text == "Are"
    last = humans.stage.llm.requests[-1].messages[-1]
    assert last == Message(LegKind.CALLER, "What does it cost?", speaker="Alice")


async def test_while_a_guest_speaks_nobody_is_asked_whether_they_are_there(stage_of, agent) -> None:
    patient = replace(agent, patience=replace(agent.patience, no_input_ms=1500))
    humans = await staged(stage_of, patient, ears=("It is a long story, I am afraid.",))
    visitor = enter(humans, "alice", answered=False)
    visitor.mic.peak = LOUD
    await humans.run(4000, QUIET)
    assert not humans.events(NoInput)
    visitor.mic.peak = 0.0
    await humans.run(3000, QUIET)
    assert humans.events(NoInput)


async def test_an_aside_over_the_agent_is_not_answered(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, seconds=6.0, ears=("What does it cost?", "okay"))
    visitor = enter(humans, "alice")
    await says(humans, visitor)
    await humans.stage.until("speaking", 3000)
    await says(humans, visitor, 400)
    assert humans.stage.floor == "speaking"
    assert len(humans.stage.llm.requests) == 1


async def test_a_line_that_a_guest_writes_is_answered(stage_of, agent) -> None:
    humans = await staged(stage_of, agent)
    visitor = enter(humans, "alice")
    visitor.guest.on_text("Are you open?")
    await humans.stage.until("speaking", 3000)
    assert humans.stage.llm.requests[-1].messages[-1].text == "Are you open?"
    said = [one for one in humans.events(TranscriptFinal) if one.leg is LegKind.GUEST]
    assert [(one.text, one.speaker) for one in said] == [("Are you open?", "guest-1")]


async def test_each_guest_has_a_track_of_the_tape_and_the_same_one_on_return(stage_of, agent) -> None:
    humans = await staged(stage_of, agent)
    first, second = enter(humans, "alice"), enter(humans, "bob")
    first.mic.peak, second.mic.peak = 5_000.0, 4_000.0
    await humans.run(400, QUIET)
    first.guest.on_closed(EndReason.PEER_LOST)
    humans.people.clear()
    again = enter(humans, "alice")
    await humans.run(200, QUIET)
    legs = humans.stage.reel.legs
    assert {"guest-1", "guest-2"} <= legs.keys()
    assert again.guest.id == "guest-1"
    assert humans.events(LegLeft)[0].lost
    assert sum(len(audio) for _, audio in legs["guest-2"]) == WIDE.size(400)


async def test_an_operator_hears_guests_and_the_caller_does_not(stage_of, agent) -> None:
    from tests.call.human_stage import ABSENT_DB, PRESENT_DB, level

    humans = await staged(stage_of, agent)
    visitor = enter(humans, "alice")
    visitor.mic.peak = 5_000.0
    operator = humans.join("operator", Stance.JOIN)
    since = humans.now_ms
    await humans.run(1500, QUIET)
    assert level(humans.human_heard(operator, since + 300), 887.3, 16_000) > PRESENT_DB
    assert level(humans.caller_heard(since + 300), 887.3, 8_000) < ABSENT_DB
    operator.seat.leave()
    await humans.run(200, QUIET)


async def test_while_a_human_has_the_call_guests_are_noted_only(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, ears=("What does it cost?",))
    visitor = enter(humans, "alice")
    humans.join("operator", Stance.TAKE_OVER, peak=0.0)
    await says(humans, visitor)
    await humans.run(1000, QUIET)
    assert humans.bridge.mode is Mode.TAKEOVER
    assert humans.stage.llm.requests == []
    assert any(one.leg is LegKind.GUEST for one in humans.events(TranscriptFinal))


async def test_methods_of_the_party(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, seconds=6.0)
    party = humans.session.party
    party.say("One moment please.", "alice", "Alice")
    await humans.stage.until("speaking", 3000)
    party.interrupt()  # a human's own line is not cut by that
    assert humans.stage.floor == "speaking"


async def test_there_is_room_for_so_many(stage_of, agent) -> None:
    humans = await staged(stage_of, agent)
    for number in range(MAX_GUESTS):
        humans.session.party.welcome(f"g{number}", "", WIDE).on_closed(EndReason.CALLER_HUNG_UP)
    with pytest.raises(LimitError):
        humans.session.party.welcome("one more", "", WIDE)
    humans.session.party.welcome("g3", "", WIDE)


async def test_last_words_of_a_guest_belong_to_the_transcript(stage_of, agent) -> None:
    humans = await staged(stage_of, agent, ears=("Goodbye then.",))
    visitor = enter(humans, "alice")
    visitor.mic.peak = LOUD
    await humans.run(600, QUIET)
    humans.people.clear()
    humans.stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    for _ in range(20):
        await humans.stage.settle()
    assert [one.text for one in humans.events(TranscriptFinal) if one.leg is LegKind.GUEST] == [
        "Goodbye then."
    ]
