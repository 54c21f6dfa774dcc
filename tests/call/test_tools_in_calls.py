"""Tools in whole calls: results that go back, words while they are slow, limits; agreed to nowhere here."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.call.tool_work import REFUND, WEATHER, Work, said, turn

from offhook.audio.dtmf import DtmfDetector
from offhook.audio.g711 import decode_ulaw
from offhook.foundation.events import EndReason, LegKind, ProviderFailed, ToolCalled, TranscriptFinal
from offhook.foundation.tools import Effect
from offhook.speech.base import Message, ToolCall
from offhook.tools.base import ToolError


async def test_a_result_goes_back_and_the_model_goes_on(stage_of, replies):
    work = Work()
    llm = replies(["Let me look. ", WEATHER], ["It is 21 degrees."], ["Bye."])
    stage = await stage_of(
        llm=llm, tools=[work.tool()], texts=("The weather?", "Thanks, that is all.")
    ).greeted()
    await turn(stage)
    assert said(stage)[-1] == "Let me look. It is 21 degrees."
    first, second = llm.requests
    assert {spec.name for spec in first.tools} >= {"weather", "hang_up", "take_message"}
    assert [m.leg for m in second.messages][-2:] == [LegKind.CALLER, LegKind.AGENT]
    (result,) = second.messages[-1].tools
    assert (second.messages[-1].text, result.call.id, result.text) == ("Let me look.", "w1", "21 degrees")
    (called,) = stage.events(ToolCalled)
    assert (called.name, called.result, called.failed) == ("weather", "21 degrees", False)
    await turn(stage)
    remembered = [m for m in llm.requests[-1].messages if m.tools]
    assert [m.tools[0].text for m in remembered] == ["21 degrees"]
    assert llm.requests[-1].messages[-2] == Message(LegKind.AGENT, "Let me look. It is 21 degrees.")


async def test_a_tool_before_any_word_and_several_at_once(stage_of, replies):
    work = Work()
    llm = replies([WEATHER, ToolCall("weather", {"city": "Porto"}, "w1")], ["Both are fine."])
    stage = await stage_of(llm=llm, tools=[work.tool()]).greeted()
    await turn(stage)
    assert said(stage)[-1] == "Both are fine."
    results = llm.requests[1].messages[-1].tools
    assert [r.call.arguments["city"] for r in results] == ["Lisbon", "Porto"]
    assert len({r.call.id for r in results}) == 2


async def test_a_slow_tool_is_excused_and_no_one_waits_in_silence(stage_of, replies):
    work = Work()
    work.gate.clear()
    stage = await stage_of(llm=replies([WEATHER], ["Sunny."]), tools=[work.tool()]).greeted()
    await stage.say(900)
    await stage.wait(1000)
    began = stage.line.played_ms
    await stage.wait(1200)
    assert stage.line.played_ms > began  # "One moment, please."
    await stage.wait(9_000)  # two seconds of it, six of silence, and once more
    work.gate.set()
    await stage.until("listening", 20_000)
    assert said(stage)[-1] == "One moment, please. One moment, please. Sunny."
    assert stage.events(ToolCalled)[0].duration_ms > 8_000


async def test_an_excuse_that_was_not_prepared_is_spoken_then(stage_of, replies):
    work = Work()
    work.gate.clear()
    stage = await stage_of(llm=replies([WEATHER], ["Sunny."]), tools=[work.tool()]).answer(prepare=False)
    await stage.until("listening", 9_000)
    await stage.say(900)
    await stage.wait(3_000)
    work.gate.set()
    await stage.until("listening", 20_000)
    assert said(stage)[-1] == "One moment, please. Sunny."


async def test_wrong_arguments_are_told_once(stage_of, replies):
    work = Work()
    wrong = ToolCall("weather", {"town": "Lisbon"})
    llm = replies([wrong], [ToolCall("weather", malformed="{city: ")], ["Never asked."])
    stage = await stage_of(llm=llm, tools=[work.tool()]).greeted()
    await turn(stage)
    assert work.runs == []
    assert len(llm.requests) == 2
    assert "'city' is a required property" in llm.requests[1].messages[-1].tools[0].text
    assert [t.failed for t in stage.events(ToolCalled)] == [True, True]
    assert stage.events(ToolCalled)[1].arguments == {"malformed": "{city: "}


async def test_mended_arguments_run(stage_of, replies):
    work = Work()
    stage = await stage_of(
        llm=replies([ToolCall("weather", {})], [WEATHER], ["Sunny."]), tools=[work.tool()]
    ).greeted()
    await turn(stage)
    assert len(work.runs) == 1
    assert said(stage)[-1] == "Sunny."


async def test_a_model_that_only_calls_is_stopped(stage_of, replies):
    work = Work()
    cities = ([ToolCall("weather", {"city": str(number)})] for number in range(20))
    stage = await stage_of(llm=replies(*cities), tools=[work.tool(per_call=30)]).greeted()
    await turn(stage)
    assert len(stage.llm.requests) == 6
    assert len(work.runs) == 6


async def test_limits_of_a_call_and_a_minute(stage_of, replies):
    work = Work()
    llm = replies(*([ToolCall("weather", {"city": str(n)})] for n in range(3)), ["Done."])
    stage = await stage_of(llm=llm, tools=[work.tool(per_call=2)]).greeted()
    await turn(stage)
    assert len(work.runs) == 2
    assert "often enough" in stage.events(ToolCalled)[-1].result
    work = Work()
    llm = replies(*([ToolCall("weather", {"city": str(n)})] for n in range(3)), ["Done."])
    stage = await stage_of(llm=llm, tools=[work.tool(per_minute=1)]).greeted()
    await turn(stage)
    assert len(work.runs) == 1
    assert "too often" in stage.events(ToolCalled)[1].result


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ToolError("the shop is closed"), "the shop is closed"),
        (RuntimeError("key sk-secret"), "has a fault"),
        ("a" * 9_000, "… (cut)"),
        ("bell\x07 and\u202e turn", "bell  and  turn"),
    ],
)
async def test_what_a_tool_says_is_bounded_and_its_faults_are_worded(stage_of, replies, answer, words):
    llm = replies([WEATHER], ["I see."])
    stage = await stage_of(llm=llm, tools=[Work(answer).tool()]).greeted()
    await turn(stage)
    (result,) = llm.requests[1].messages[-1].tools
    assert words in result.text
    assert len(result.text) < 4_100
    assert "sk-secret" not in result.text
    assert result.failed is isinstance(answer, Exception)
    assert said(stage)[-1] == "I see."


async def test_a_tool_that_never_answers_is_given_up(stage_of, replies):
    work = Work()
    work.gate.clear()
    llm = replies([WEATHER], ["I cannot find out."])
    stage = await stage_of(llm=llm, tools=[work.tool(seconds=0.02)]).greeted()
    await stage.say(900)
    await stage.wait(500)
    await asyncio.sleep(0.05)
    await stage.until("listening", 20_000)
    assert "no answer within 0.02 seconds" in llm.requests[1].messages[-1].tools[0].text
    assert work.ended == 1


async def test_a_model_that_fails_after_a_tool_is_excused(stage_of, replies, agent):
    from offhook.foundation.errors import ProviderError

    llm = replies(["Let me look. ", WEATHER], [ProviderError("llm", "down")])
    stage = await stage_of(llm=llm, tools=[Work().tool()]).greeted()
    await turn(stage)
    assert said(stage)[-1] == f"Let me look. {agent.apology}"
    assert stage.events(ProviderFailed)


async def test_what_has_begun_is_done_though_the_caller_talks_on(stage_of, replies):
    work = Work("sent")
    work.gate.clear()
    llm = replies([REFUND], ["As you like."], ["It was sent."])
    texts = ("Send it.", "Yes.", "No wait, stop, I have another question.", "And now?")
    stage = await stage_of(llm=llm, tools=[work.tool("refund", Effect.OUTBOUND)], texts=texts).greeted()
    await turn(stage)
    await stage.say(900)
    await stage.wait(700)
    assert len(work.runs) == 1
    await stage.say(1500)
    work.gate.set()
    await stage.wait(1000)
    await stage.until("listening", 20_000)
    assert [t.result for t in stage.events(ToolCalled)][-1] == "sent"
    await turn(stage)
    assert [r.text for m in llm.requests[-1].messages for r in m.tools][-1] == "sent"


async def test_what_only_reads_is_given_up_when_the_caller_talks_on(stage_of, replies):
    work = Work()
    work.gate.clear()
    llm = replies([WEATHER], ["Rainy."])
    stage = await stage_of(llm=llm, tools=[work.tool()]).greeted()
    await stage.say(900)
    await stage.wait(600)
    assert len(work.runs) == 1
    await stage.say(600)
    assert work.ended == 1
    await stage.wait(1000)
    await stage.until("listening", 20_000)
    assert said(stage)[-1] == "Rainy."
    assert [t.result for t in stage.events(ToolCalled)] == ["given up"]
    assert len(llm.requests) == 2  # for the whole turn


async def test_the_end_of_the_call_ends_its_tools(stage_of, replies):
    work = Work()
    work.gate.clear()
    stage = await stage_of(llm=replies([WEATHER]), tools=[work.tool()]).greeted()
    await stage.say(900)
    await stage.wait(600)
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert work.ended == 1


# What tools may know, and who may use them.


async def test_a_tool_knows_the_line_and_not_what_was_said(stage_of, replies):
    work = Work()
    stage = await stage_of(llm=replies([WEATHER], ["Fine."]), tools=[work.tool()]).greeted()
    await turn(stage)
    ((_, context),) = work.runs
    assert (context.call_id, context.agent, context.channel) == (stage.call_id, "default", "phone")
    assert context.language == "en"


async def test_an_agent_has_only_its_own_tools(stage_of, replies, agent):
    work = Work()
    llm = replies([WEATHER], ["I cannot."])
    stage = await stage_of(replace(agent, tools=[]), llm, tools=[work.tool()]).greeted()
    await turn(stage)
    assert work.runs == []
    assert "weather" not in {spec.name for spec in llm.requests[0].tools}
    assert "no such tool" in stage.events(ToolCalled)[0].result


async def test_tools_that_make_no_sense_are_not_offered(stage_of, agent):
    stage = await stage_of(replace(agent, facts=replace(agent.facts, booking=False))).greeted()
    await turn(stage)
    offered = {spec.name for spec in stage.llm.requests[0].tools}
    assert offered == {"hang_up", "take_message", "send_dtmf"}


async def test_keys_are_pressed_on_the_line(stage_of, replies):
    llm = replies([ToolCall("send_dtmf", {"digits": "12#"})])
    stage = await stage_of(llm=llm).greeted()
    before = len(stage.line.played)
    await turn(stage)
    detector = DtmfDetector(8000)
    heard = "".join(detector.process(decode_ulaw(piece)) for piece in stage.line.played[before:])
    assert heard == "12#"
    assert stage.events(ToolCalled)[0].result == "pressed"


async def test_keys_that_are_none_are_refused(stage_of, replies):
    llm = replies([ToolCall("send_dtmf", {"digits": "1; hang up"})], ["I can't."])
    stage = await stage_of(llm=llm).greeted()
    await turn(stage)
    assert stage.events(ToolCalled)[0].failed
    assert said(stage)[-1] == "I can't."


async def test_lines_of_tools_are_in_the_callers_language(stage_of, replies, agent):
    from offhook.foundation.agent import Phrases

    agent = replace(
        agent,
        languages=["en", "ar"],
        phrases={"ar": Phrases(confirm="للتأكيد: {what}. هل أكمل؟", noted="تم.")},
    )
    work = Work("تم الإرسال")
    tool = work.tool("refund", Effect.MONEY, confirm="إرسال {city}")
    llm = replies([REFUND], ["تم الأمر."])
    stage = await stage_of(agent, llm, tools=[tool], texts=("أريد استرجاع المبلغ", "نعم، من فضلك")).greeted()
    await turn(stage)
    assert said(stage)[-1] == "للتأكيد: إرسال 50 euros. هل أكمل؟"
    await turn(stage)
    assert len(work.runs) == 1
    assert work.runs[0][1].language == "ar"
    finals = stage.events(TranscriptFinal)
    assert [t.language for t in finals][-3:] == ["ar", "ar", "ar"]
