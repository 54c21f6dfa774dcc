"""Language models in an order: an excuse for a silence, the next answer, an apology, a transfer, caps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from tests.speech.speech_vendors import Model, Part, asked

from offhook.foundation.agent import Agent, Facts, Phrases
from offhook.foundation.errors import BusyError, DeniedError, ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall
from offhook.speech.breaker import State
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_llm import MAX_CHARS, PROGRESS_S, SECOND_FIRST_TOKEN_S, FallbackLlm, speakable
from offhook.speech.reader import Reader

pytestmark = pytest.mark.looptime
AGENT = Agent(one_moment="One moment.", apology="I am sorry.")
LOST = ProviderError("one", "lost the connection")
Heard = list[tuple[float, str]]
"""Seconds since the question, and the words or the tool's name in brackets."""


def models(*vendors: Model, orders: Mapping[str, Sequence[str]] | None = None) -> FallbackLlm:
    return FallbackLlm(Lineup([Place("llm", model.name, model, model.probe) for model in vendors], orders))


async def answer(llm: FallbackLlm, request: ChatRequest | None = None) -> tuple[Heard, ProviderError | None]:
    request = request or asked(AGENT)
    chat = llm.open(request.agent)
    began = asyncio.get_running_loop().time()
    heard: Heard = []
    failure = None
    try:
        async for delta in chat.reply(request):
            text = f"[{delta.name}]" if isinstance(delta, ToolCall) else delta.text.strip()
            if text:
                heard.append((round(asyncio.get_running_loop().time() - began, 2), text))
    except ProviderError as error:
        failure = error
    await chat.close()
    return heard, failure


async def test_the_first_answers_while_it_is_well() -> None:
    one, two = Model("one"), Model("two")
    llm = models(one, two)
    assert await answer(llm) == ([(0, "I am one."), (0, "How can I help?")], None)
    assert (one.finished, two.requests) == (1, [])
    await llm.close()
    assert one.closed
    assert two.closed


@pytest.mark.parametrize(
    "error", [LOST, DeniedError("one"), BusyError("one", "is over its rate limit", 30.0)]
)
async def test_one_that_fails_at_once_is_not_even_excused(error: ProviderError) -> None:
    llm = models(Model("one", error), Model("two"))
    assert (await answer(llm))[0] == [(0, "I am two."), (0, "How can I help?")]
    await llm.close()


async def test_no_first_word_in_time_is_excused_and_the_next_one_answers() -> None:
    one = Model("one", 60.0)
    llm = models(one, Model("two", 0.4, "Yes. "))
    assert (await answer(llm))[0] == [(1.5, "One moment."), (1.9, "Yes.")]
    assert (one.left, one.finished) == (1, 0)
    await llm.close()


async def test_a_single_slow_model_is_excused_and_not_given_up() -> None:
    one = Model("one", 3.0, "Yes. ")
    llm = models(one)
    assert await answer(llm) == ([(1.5, "One moment."), (3.0, "Yes.")], None)
    assert (one.finished, len(one.requests)) == (1, 1)
    await llm.close()


async def test_when_none_answers_the_caller_hears_an_apology_and_the_call_knows() -> None:
    llm = models(Model("one", 60.0), Model("two", 60.0))
    heard, failure = await answer(llm)
    assert heard == [(1.5, "One moment."), (1.5 + SECOND_FIRST_TOKEN_S, "I am sorry.")]
    assert failure is not None
    assert failure.provider == "two"
    await llm.close()


async def test_when_none_answers_and_nothing_was_said_the_apology_is_the_calls() -> None:
    llm = models(Model("one", LOST), Model("two", LOST))
    assert await answer(llm) == ([], LOST)
    await llm.close()


async def test_a_caller_who_can_be_transferred_is() -> None:
    agent = replace(AGENT, facts=Facts(transfer_to="+15550100"))
    llm = models(Model("one", 60.0), Model("two", LOST))
    heard, failure = await answer(llm, asked(agent))
    assert (heard, failure) == ([(1.5, "One moment."), (1.5, "I am sorry."), (1.5, "[transfer]")], None)
    await llm.close()


async def test_words_that_cannot_have_been_spoken_yet_are_begun_anew() -> None:
    llm = models(Model("one", "We are ", "open ", LOST), Model("two", "We open at nine. "))
    assert (await answer(llm))[0] == [(0, "We open at nine.")]
    await llm.close()


async def test_what_was_said_is_kept_and_the_next_one_goes_on() -> None:
    two = Model("two", "and on Saturday from ten. ")
    llm = models(Model("one", "We open at nine, ", "and on", 0.2, LOST), two)
    assert (await answer(llm))[0] == [(0, "We open at nine,"), (0.2, "and on Saturday from ten.")]
    persona = two.requests[0].agent.persona
    assert "<<<We open at nine,>>>" in persona
    assert persona.startswith(AGENT.persona)
    assert two.requests[0].messages[-1].leg is LegKind.CALLER
    await llm.close()


async def test_an_answer_without_progress_is_excused_and_taken_over() -> None:
    llm = models(Model("one", "We open at nine. ", 60.0), Model("two", "Anything else? "))
    heard, _ = await answer(llm)
    assert heard == [(0, "We open at nine."), (2.52, "One moment."), (PROGRESS_S, "Anything else?")]
    await llm.close()


async def test_an_excuse_in_the_middle_of_a_sentence_does_not_join_it() -> None:
    llm = models(Model("one", "We open at nine, ", "and then", 60.0), Model("two", "or ten. "))
    heard, _ = await answer(llm)
    assert [text for _, text in heard] == ["We open at nine,", "… One moment.", "or ten."]
    await llm.close()


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", ""),
        ("We open", ""),
        ("We open at 9.30", ""),
        ("Yes. We open", "Yes. "),
        ("Yes, we open at nine, and", "Yes, we open at nine, "),
        ("نعم، نفتح في", "نعم، "),
        ("word " * 30, "word " * 30),
        ("w" * 130, ""),
    ],
)
def test_what_makes_a_clause(text: str, given: str) -> None:
    assert text[: speakable(text)] == given


async def test_progress_however_slow_is_progress() -> None:
    llm = models(Model("one", *["Word. ", 4.0] * 5), Model("two"))
    heard = [text for _, text in (await answer(llm))[0]]
    assert heard == ["Word.", "One moment.", *["Word."] * 4]  # excused once, taken over by none
    await llm.close()


async def test_what_a_tool_call_began_is_not_begun_again_by_another_model() -> None:
    two = Model("two", ToolCall("book"))
    llm = models(Model("one", "I book that. ", ToolCall("book"), LOST), two)
    assert await answer(llm) == ([(0, "I book that."), (0, "[book]")], None)
    assert (two.requests, llm.lineup.places[0].health.state) == ([], State.FAILING)
    await llm.close()


async def test_words_before_a_tool_call_come_before_it() -> None:
    llm = models(Model("one", "Goodbye", ToolCall("hang_up")))
    assert (await answer(llm))[0] == [(0, "Goodbye"), (0, "[hang_up]")]
    await llm.close()


async def test_no_more_is_told_than_a_caller_can_take() -> None:
    """20,000 words; what is not spoken is not even read."""
    one = Model("one", *["A sentence of some length, again. "] * 20_000)
    llm = models(one)
    heard, failure = await answer(llm)
    assert failure is None
    assert MAX_CHARS - 34 <= sum(len(text) for _, text in heard) <= MAX_CHARS
    assert (one.left, one.finished) == (1, 0)
    await llm.close()


async def test_a_flood_of_tool_calls_ends() -> None:
    llm = models(Model("one", *[ToolCall("look_up", id=str(n)) for n in range(1_000)]))
    assert len((await answer(llm))[0]) == 8
    await llm.close()


async def test_nothing_to_say_is_another_models_turn_but_after_a_tool_it_is_the_answer() -> None:
    silent = Model("one", "")
    llm = models(silent, Model("two", "Yes. "))
    assert (await answer(llm))[0] == [(0, "Yes.")]
    after = ChatRequest(AGENT, [*asked(AGENT).messages, Message(LegKind.AGENT, "One moment.")], language="en")
    alone = models(Model("one", ""))
    assert await answer(alone, after) == ([], None)
    await llm.close()
    await alone.close()


async def test_the_excuse_is_worded_in_the_callers_language() -> None:
    agent = replace(AGENT, languages=["en", "ar"], phrases={"ar": Phrases(one_moment="لحظة.")})
    llm = models(Model("one", 60.0), Model("two", "نعم. "))
    heard, _ = await answer(llm, replace(asked(agent), language="ar"))
    assert heard == [(1.5, "لحظة."), (1.5, "نعم.")]
    await llm.close()


async def test_the_first_words_time_is_told_before_they_make_a_clause() -> None:
    llm = models(Model("one", "We", 0.5, " open. "))
    chat = llm.open(AGENT)
    reply = chat.reply(asked(AGENT))
    assert await anext(reply) == TextDelta("")
    assert await anext(reply) == TextDelta("We open. ")
    assert await anext(reply, None) is None
    await llm.close()


async def test_a_reply_that_is_left_is_left_by_the_model_too_and_is_no_failure() -> None:
    one = Model("one", "Yes, indeed. ", 60.0)
    llm = models(one)
    reply = llm.open(AGENT).reply(asked(AGENT))
    assert [await anext(reply), await anext(reply)][1] == TextDelta("Yes, indeed. ")
    await reply.aclose()
    assert (one.left, llm.lineup.places[0].health.state) == (1, State.UP)
    await llm.close()


async def test_nothing_is_read_from_a_model_before_it_is_asked_for() -> None:
    one = Model("one", "Yes, indeed. ")
    llm = models(one)
    reply = llm.open(AGENT).reply(asked(AGENT))
    await anext(reply)
    assert await anext(reply) == TextDelta("Yes, indeed. ")
    await asyncio.sleep(1)
    assert one.finished == 0  # a reply that is cancelled now leaves no trace
    await reply.aclose()
    assert one.finished == 0
    await llm.close()


async def test_what_cannot_be_prepared_is_left_to_the_others() -> None:
    one, two = Model("one"), Model("two")
    one.unprepared = LOST
    llm = models(one, two)
    await llm.prepare([AGENT])
    two.unprepared = LOST
    with pytest.raises(ProviderError):
        await llm.prepare([AGENT])
    await llm.close()


async def test_a_reader_waits_again_for_what_was_late() -> None:
    async def parts(*steps: Part) -> object:
        for step in steps:
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                yield step

    reader = Reader(parts(2.0, "late"), "x")
    with pytest.raises(TimeoutError):
        await reader.next(1.5)
    assert await reader.next(1.5) == "late"
    assert await reader.next(1.5) is None
    await reader.close()
    failing = Reader(Model("one", LOST).reply(asked(AGENT)), "x")
    with pytest.raises(ProviderError):
        await failing.next(1.0)
    await failing.close()
