"""The receptionist's bounds: a model behind it, and dialogues of any kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receptionist_stage import AGENT, NOW, call

from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall, ToolResult
from offhook.speech.llm.fake import ScriptedLlm, Stall
from offhook.speech.llm.receptionist import Receptionist
from offhook.speech.llm.receptionist.classify import Classifier, most_important
from offhook.speech.llm.receptionist.dialogue import respond
from offhook.speech.llm.receptionist.hours import Hours
from offhook.speech.llm.receptionist.scene import Scene
from offhook.speech.llm.receptionist.similarity import Letters
from offhook.speech.llm.receptionist.state import State, Step


async def test_fallback_speaks_where_there_is_no_answer() -> None:
    model = ScriptedLlm([["Dogs are ", "welcome. They get ", "water. They sleep. ", ToolCall("hang_up")]])
    desk = Receptionist(fallback=model, now=lambda: NOW, similarity=Letters())
    caller = call(desk)
    assert "35 dollars" in await caller.say("how much is a haircut")
    assert not model.requests
    assert await caller.say("do you allow dogs in there") == "Dogs are welcome. They get water. "
    assert not caller.calls
    assert model.requests[0].tools == ()
    await desk.close()
    assert model.closed


@pytest.mark.parametrize("pieces", [[ProviderError("x", "down")], [], [Stall(30.0)]])
async def test_a_failing_fallback_leaves_an_honest_answer(
    pieces: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.speech.llm.receptionist.fallback.FIRST_SENTENCE_SECONDS", 0.05)
    desk = Receptionist(fallback=ScriptedLlm([pieces]), now=lambda: NOW, similarity=Letters())
    assert "message" in await call(desk).say("do you allow dogs in there")
    await desk.close()


async def test_other_languages_are_the_models_alone() -> None:
    model = ScriptedLlm(["نعم، نحن مفتوحون."])
    desk = Receptionist(fallback=model, now=lambda: NOW, similarity=Letters())
    assert desk.languages == ()
    chat = desk.open(AGENT)
    messages = [Message(LegKind.CALLER, "هل أنتم مفتوحون؟")]
    request = ChatRequest(AGENT, messages, language="ar")
    assert [delta async for delta in chat.reply(request)] == [TextDelta("نعم، نحن مفتوحون.")]
    model.replies = ((ProviderError("x", "down"),),)
    with pytest.raises(ProviderError, match="no words in 'ar'"):
        [delta async for delta in chat.reply(request)]
    alone = Receptionist(similarity=Letters())
    assert alone.languages == ("en",)


async def test_it_says_nothing_more_after_its_own_tools() -> None:
    desk = Receptionist(similarity=Letters())
    done = Message(LegKind.AGENT, "", (ToolResult(ToolCall("transfer", id="1"), "refused", True),))
    request = ChatRequest(AGENT, [Message(LegKind.CALLER, "a person please"), done])
    assert [delta async for delta in desk.open(AGENT).reply(request)] == []


async def test_a_rambling_fallback_is_cut() -> None:
    desk = Receptionist(fallback=ScriptedLlm([["word " * 1000]]), now=lambda: NOW, similarity=Letters())
    assert len(await call(desk).say("do you allow dogs in there")) <= 600
    await desk.close()


async def test_closed_provider_says_so() -> None:
    desk = Receptionist(similarity=Letters())
    await desk.prepare([AGENT])
    await desk.close()
    with pytest.raises(ProviderError, match="closed"):
        await call(desk).say("hello")


CLASSIFIER = Classifier(Letters(), AGENT.facts)
LINES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["yes", "no", "skip", "Bob", "555 0142", "tuesday at 3", "haircut", "thanks", "next friday"]
    ),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_any_dialogue_is_bounded_and_never_repeats_itself(lines: list[str]) -> None:
    state = State()
    for text in lines:
        meanings = CLASSIFIER.meanings(text)
        scene = Scene(
            AGENT,
            Hours(AGENT.facts.hours),
            state,
            text,
            most_important(meanings),
            tuple(meanings),
            NOW,
            "12345",
        )
        reply = respond(scene)
        assert 1 <= len(reply.parts) <= 3
        assert len(" ".join(reply.parts)) <= 1200
        assert not set(reply.parts) & set(state.said), (text, reply.parts)
        own = [
            part
            for part in reply.parts
            if not any(said in part for said in (*state.said, reply.state.draft.text or "\0"))
        ]
        assert sum(part.count("?") for part in own) <= 1
        assert reply.state.step in Step
        state = reply.state
