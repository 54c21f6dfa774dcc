"""Calls whose vendor decides the turns: what is heard, said, cut, counted and kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.call.conftest import SILENCE, SPEECH
from tests.call.duplex_stage import TONE, Vendor, greeted, vendors_call

from offhook.audio.frame import PHONE
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import (
    FloorChanged,
    Interrupted,
    InterruptionResumed,
    LegKind,
    Notice,
    ProviderFailed,
    ReplyText,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
    TranscriptPartial,
    TurnTimed,
)


def finals(stage, leg=None):
    return [(f.turn, f.text) for f in stage.events(TranscriptFinal) if leg is None or f.leg is leg]


@pytest.fixture
def vendor():
    return Vendor()


async def test_the_greeting_is_asked_for_said_and_heard(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    assert vendor.of("greet") == [("Hello, how can I help you?",)]
    assert b"".join(stage.line.played) == TONE * 25
    assert finals(stage) == [(0, "Hello, how can I help you?")]
    assert [str(change.floor) for change in stage.events(FloorChanged)] == ["greeting", "listening"]


async def test_every_frame_of_the_caller_goes_to_the_vendor_untouched(stage_of, vendor, agent):
    stage = await vendors_call(stage_of, vendor, agent)
    frames = [bytes([n]) * 160 for n in range(20)]
    for frame in frames:
        await stage.wait(20, frame)
    assert vendor.heard_audio == frames
    assert all(heard is frame for heard, frame in zip(vendor.heard_audio, frames, strict=True))


async def test_the_sound_reaches_the_caller_at_once_and_untouched(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, replace(agent, greeting=""))
    sound = bytes(range(256)) * 13
    vendor.tell.on_sound("item", sound[:100])
    assert stage.line.played == [sound[:100]], "the first sound waits for no tick"
    vendor.tell.on_sound("item", sound[100:])
    vendor.tell.on_spoken("item")
    await stage.wait(600)
    assert b"".join(stage.line.played) == sound


async def test_a_turn_is_timed_told_and_kept(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    await stage.say(600)
    vendor.tell.on_speech(True, "turn")
    await stage.say(400)
    await stage.wait(500)
    vendor.tell.on_words("What are your", False, "", "turn")
    vendor.answers("What are your opening hours?")
    assert stage.floor == "speaking"
    await stage.until("listening")
    assert finals(stage)[1:] == [
        (1, "What are your opening hours?"),
        (1, "All right, I will see to that at once."),
    ]
    assert [p.text for p in stage.events(TranscriptPartial)] == ["What are your"]
    caller = stage.events(TranscriptFinal)[1]
    assert caller.ended_ms - caller.started_ms == pytest.approx(1000, abs=64)
    assert caller.language == "en"
    timed = stage.events(TurnTimed)[0]
    assert timed.turn == 1
    assert 400 <= timed.endpoint_ms <= 560
    assert timed.transcript_ms == timed.first_token_ms == timed.first_audio_ms == timed.endpoint_ms
    assert [m.text for m in stage.session.conversation.history()] == [
        "Hello, how can I help you?",
        "What are your opening hours?",
        "All right, I will see to that at once.",
    ]
    assert len(stage.events(SpeechStarted)) == len(stage.events(SpeechEnded)) == 1
    assert "".join(r.text for r in stage.events(ReplyText) if r.turn == 1).startswith("All right,")


async def test_words_that_come_after_the_answer_stand_before_it(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    vendor.answers()
    await stage.until("listening")
    vendor.tell.on_words("What is the price?", True, "en", "turn")
    assert [m.text for m in stage.session.conversation.history()][1:] == [
        "What is the price?",
        "All right, I will see to that at once.",
    ]
    assert stage.session.conversation.next_turn == 2


async def test_words_go_to_their_own_turn(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    for item in ("a", "b"):
        vendor.tell.on_speech(True, item)
        vendor.tell.on_speech(False, item)
    vendor.tell.on_words("second", True, "", "b")
    vendor.tell.on_words("", True, "", "a")
    vendor.tell.on_words("late and unknown", True)
    assert finals(stage, LegKind.CALLER) == [(2, "second"), (3, "late and unknown")]


async def test_an_interruption_stops_at_once_and_tells_what_was_heard(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    item = vendor.answers("Tell me everything.", "one two three four five six seven eight nine ten")
    await stage.wait(500)
    sent = len(stage.line.sent)
    vendor.tell.on_speech(True, "again")
    assert stage.line.sent[sent:] == [("clear", 0)]
    [(told, heard_ms, words)] = vendor.of("heard")
    assert told == item
    assert heard_ms == 500
    assert words == "one two three four five"
    final = stage.events(TranscriptFinal)[-1]
    assert (final.text, final.unheard) == ("one two three four five", "six seven eight nine ten")
    assert final.interrupted
    assert stage.events(Interrupted)[0].turn == 1
    assert stage.floor == "hearing"
    played = stage.line.played_ms
    vendor.tell.on_sound(item, TONE * 50)
    vendor.tell.on_text(item, "eleven")
    vendor.tell.on_spoken(item)
    await stage.wait(200)
    assert stage.line.played_ms == played, "late sound of a reply that was interrupted"
    assert stage.session.conversation.history()[-1].text == "one two three four five"
    heard = b"".join(audio for _, audio in stage.reel.legs[LegKind.AGENT])
    assert len(heard) == PHONE.size(500 + 500), "the tape holds what was heard: the greeting, half a reply"


async def test_what_was_heard_whole_is_not_truncated(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    first = vendor.says("One moment please.", 300)
    second = vendor.says("Here is what I found for you.", 1000, "another")
    await stage.wait(600)
    vendor.tell.on_interrupted()
    [(item, heard_ms, _)] = vendor.of("heard")
    assert (item, heard_ms) == (second, 300)
    assert item != first
    assert finals(stage)[-1][1].startswith("One moment please.")


async def test_utterances_that_follow_each_other_are_one_reply(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    vendor.answers("Hello?", "One moment please.")
    await stage.wait(300)
    vendor.says("Here it is.")
    await stage.until("listening")
    assert finals(stage)[-1] == (1, "One moment please. Here it is.")
    assert stage.line.played_ms == 500 + 2000


async def test_our_own_ear_hushes_the_agent_before_the_vendor_does(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("one two three four five six seven eight nine ten", 2000)
    await stage.wait(300)
    await stage.say(130)
    assert stage.floor == "holding"
    assert stage.line.sent[-1] == ("clear", 0)
    assert vendor.of("heard") == [], "the vendor has not said that it gives way"
    vendor.tell.on_speech(True, "turn")
    assert stage.floor == "hearing"
    assert 300 <= vendor.of("heard")[0][1] <= 440


async def test_without_the_vendors_word_the_agent_goes_on(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("one two three four five six seven eight nine ten", 2000)
    await stage.wait(300)
    await stage.say(130)
    assert stage.floor == "holding"
    await stage.wait(800)
    assert stage.floor == "speaking"
    assert len(stage.events(InterruptionResumed)) == 1
    await stage.until("listening")
    heard = b"".join(audio for _, audio in stage.reel.legs[LegKind.AGENT])
    assert heard == TONE * 125, "nothing of it was lost or said twice"


async def test_a_vendor_that_hears_nothing_in_long_speech_goes_on(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("one two three", 2000)
    await stage.say(2900)
    assert stage.floor == "holding"
    await stage.say(400)
    assert stage.floor == "speaking"


async def test_a_caller_who_sends_nothing_is_heard_as_silence(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    await stage.wait(40)
    vendor.heard_audio.clear()
    await stage.wait(1500, None)
    assert vendor.heard_audio[0] == SILENCE
    assert 20 <= len(vendor.heard_audio) <= 26, "from one second on, as much silence as time"


async def test_typed_lines_and_keys_are_turns(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("one two three four five six", 1500)
    await stage.wait(300)
    stage.line.listener.on_text("When do you open?")
    assert [asked[0] for asked in vendor.asked[-2:]] == ["heard", "type"]
    vendor.says("At nine.")
    await stage.until("listening")
    for digit in "12#":
        stage.line.listener.on_digit(digit)
    assert vendor.of("type") == [("When do you open?",), ("12",)]
    assert finals(stage, LegKind.CALLER) == [(2, "When do you open?"), (3, "12")]
    assert finals(stage, LegKind.AGENT)[1][0] == 1, "not the number of the greeting"


async def test_a_lost_caller_hears_the_rest_when_they_come_back(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    stage.line.auto_marks = False
    vendor.says("one two three four five six seven eight", 1000)
    await stage.wait(300)
    stage.line.listener.on_lost()
    played = stage.line.played_ms
    await stage.wait(1000, None)
    assert stage.line.played_ms == played
    stage.line.listener.on_resumed()
    stage.line.auto_marks = True
    await stage.until("listening")
    assert stage.line.played_ms - played == 1000, "what was not confirmed is said again"
    assert finals(stage)[-1][1] == "one two three four five six seven eight"


async def test_a_reply_without_end_is_bounded(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    for _ in range(40):
        vendor.tell.on_sound("endless", TONE * 500)
    assert stage.session.playback.queued <= PHONE.size(200_000)
    assert len(stage.events(Notice)) == 1


async def test_troubles_are_told_but_not_without_end(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    for _ in range(100):
        vendor.tell.on_trouble(ProviderError("vendor", "is near its limit"))
    troubles = stage.events(ProviderFailed)
    assert len(troubles) == 40
    assert troubles[0].reason == "vendor: is near its limit"


async def test_after_a_reconnection_forgotten_turns_are_heard_again(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "lost")
    vendor.tell.on_speech(False, "lost")
    vendor.tell.on_ready()
    vendor.tell.on_speech(True, "found")
    vendor.tell.on_speech(False, "found")
    vendor.tell.on_words("Is anybody there?", True, "", "found")
    assert [text for _, text in finals(stage, LegKind.CALLER)] == ["Is anybody there?"]
    assert not stage.session.conversation._turns.owed


async def test_the_vendor_knows_the_call(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    assert vendor.context.call_id == stage.call_id
    assert vendor.context.format == PHONE
    assert {"hang_up", "take_message"} <= {tool.name for tool in vendor.context.tools}
    vendor.says("Well, that is a long story about this house.", whole=False)
    await stage.wait(100)
    assert vendor.context.history()[-1].text.endswith("long story about this house.")


async def test_a_click_of_speech_at_the_end_of_a_call_counts(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    await stage.wait(200, SPEECH)
    assert stage.floor == "listening", "only the vendor gives the floor"


async def test_a_line_typed_in_mid_speech_and_the_speech_both_stay_in_the_transcript(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    stage.line.listener.on_text("My number is 17.")
    vendor.tell.on_speech(False, "turn")
    vendor.tell.on_words("I am calling about an order.", True, "en", "turn")
    said = finals(stage, LegKind.CALLER)
    assert sorted(text for _, text in said) == ["I am calling about an order.", "My number is 17."]
    assert len({turn for turn, _ in said}) == 2, "a row is one turn of one leg: the later would replace it"


async def test_what_a_guest_says_unasked_comes_after_what_was_said_before(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    vendor.answers("What does it cost?", "Ten dollars.")
    await stage.wait(2_500)
    stage.session.conversation.guest_said("He is my brother.", "Alice", answered=False)
    said = [message.text for message in stage.session.conversation.history()]
    assert said[-3:] == ["What does it cost?", "Ten dollars.", "He is my brother."]


async def test_what_the_agent_says_after_a_silence_does_not_replace_what_it_said_before(
    stage_of, vendor, agent
):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    vendor.answers("What is the weather?", "One moment, I look out of the window.")
    await stage.wait(2_500)
    vendor.says("It is raining.")
    await stage.wait(2_500)
    said = finals(stage, LegKind.AGENT)
    assert [text for _, text in said][-2:] == ["One moment, I look out of the window.", "It is raining."]
    assert len({turn for turn, _ in said}) == len(said), "a row is one turn of one leg"
    told = [message.text for message in stage.session.conversation.history()]
    assert told[-2:] == ["What is the weather?", "One moment, I look out of the window. It is raining."]


async def test_the_times_of_an_answer_are_those_of_its_own_line(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "turn")
    vendor.says("I have found something meanwhile.", 300)  # a tool's result, over the caller's words
    await stage.wait(600)
    vendor.answers("What does it cost?", "Ten dollars.")
    await stage.wait(2_500)
    (timed,) = stage.events(TurnTimed)
    assert (timed.turn, "Ten dollars.") in finals(stage, LegKind.AGENT)
