"""Functions of a Realtime client: called by the model, answered by the client, remembered."""

from __future__ import annotations

import pytest
from tests.call.conftest import Replies
from tests.channels.realtime_calls import SAID, staged, tone

from offhook.call.tools.builtin import NAMES
from offhook.foundation.events import LegKind
from offhook.foundation.tools import ToolCall, ToolResult
from offhook.speech.base import ChatRequest, Message

pytestmark = pytest.mark.looptime
LOUD = tone()
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def offered(request: ChatRequest) -> list[str]:
    """The functions of the client that the model may call; the agent's own stay beside them."""
    names = [tool.name for tool in request.tools]
    assert NAMES & set(names)
    return [name for name in names if name not in NAMES]


async def test_the_clients_function_is_called_and_the_model_goes_on_with_its_result():
    call = ToolCall("weather", {"city": "Porto"}, "call_a")
    async with staged(Replies(["One moment.", call], ["It rains."], ["Bring a coat."])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER])
        await client.stream(800, LOUD)
        done = (await client.wait("response.done"))["response"]
        kinds = client.kinds()
        at = kinds.index("conversation.item.done", kinds.index("response.created"))
        assert kinds[at:] == [
            "conversation.item.done",
            "response.output_item.done",
            "response.output_item.added",
            "conversation.item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
        assert [item["type"] for item in done["output"]] == ["message", "function_call"]
        asked = client.last("response.function_call_arguments.done")
        assert (asked["name"], asked["arguments"], asked["call_id"]) == (
            "weather",
            '{"city": "Porto"}',
            "call_a",
        )
        assert offered(stage.llm.requests[0]) == ["weather"]
        output = {"type": "function_call_output", "call_id": "call_a", "output": "rain"}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        await client.wait("response.done", 2)
        assert client.last("response.output_audio_transcript.done")["transcript"] == "It rains."
        result = ToolResult(call, "rain")
        assert list(stage.llm.requests[1].messages) == [
            Message(LegKind.CALLER, "What are your opening hours?"),
            Message(LegKind.AGENT, "One moment."),
            Message(LegKind.AGENT, "", (result,)),
        ]
        client.text("And now?")
        client.send("response.create")
        await client.wait("response.done", 3)
        assert [message.tools for message in stage.llm.requests[2].messages] == [(), (), (result,), ()]
        called = [entry.event for entry in stage.store.entries if entry.event.kind == "tool_called"]
        assert [(event.name, event.result) for event in called] == [("weather", "rain")]


async def test_functions_without_a_word_without_an_id_and_malformed():
    calls = [ToolCall("weather"), ToolCall("weather", {}, "", '{"city":')]
    async with staged(Replies(calls, ["Nothing is known."])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER], output_modalities=["text"])
        client.text("Weather?")
        client.send("response.create")
        output = (await client.wait("response.done"))["response"]["output"]
        assert [item["arguments"] for item in output] == ["{}", '{"city":']
        assert len({item["call_id"] for item in output}) == 2
        client.text("Well?")  # the caller goes on before any result came
        client.send("response.create")
        await client.wait("response.done", 2)
        both, pending = stage.llm.requests[1].messages
        assert both.text == "Weather? Well?"
        assert [result.text for result in pending.tools] == ["There is no result yet."] * 2


async def test_functions_that_may_not_be_called_and_results_of_none():
    async with staged(Replies([SAID])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER], tool_choice="none")
        client.text("Hello?")
        client.send("response.create")
        await client.wait("response.done")
        assert offered(stage.llm.requests[0]) == []
        client.send("response.create", response={"tool_choice": "auto"})
        await client.wait("response.done", 2)
        assert offered(stage.llm.requests[1]) == ["weather"]
        count = len(client.all("conversation.item.added"))
        client.send(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": "none", "output": "x"},
        )
        assert client.last("error")["error"]["param"] == "item.call_id"
        assert len(client.all("conversation.item.added")) == count
        client.send(
            "conversation.item.create", item={"type": "function_call", "name": "f", "arguments": "{}"}
        )
        assert client.last("conversation.item.added")["item"]["call_id"].startswith("call_")


async def test_calls_of_an_earlier_session_are_known_with_their_results():
    """livekit-plugins-openai and others tell a new session the whole history, item by item."""
    call = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Porto"}'}
    async with staged(Replies([SAID])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER])
        client.text("The weather?", previous_item_id="root")
        assert stage.final() == [("caller", "The weather?")]
        client.send("conversation.item.create", item=call)
        output = {"type": "function_call_output", "call_id": "c1", "output": "rain"}
        client.send("conversation.item.create", item=output)
        client.text("It rains.", "assistant")
        client.text("And tomorrow?")
        assert client.all("error") == []
        assert client.last("conversation.item.added")["previous_item_id"]
        client.send("response.create")
        await client.wait("response.done")
        result = ToolResult(ToolCall("weather", {"city": "Porto"}, "c1"), "rain")
        assert list(stage.llm.requests[0].messages) == [
            Message(LegKind.CALLER, "The weather?"),
            Message(LegKind.AGENT, "", (result,)),
            Message(LegKind.AGENT, "It rains."),
            Message(LegKind.CALLER, "And tomorrow?"),
        ]
        assert not [entry for entry in stage.store.entries if entry.event.kind == "tool_called"]


async def test_a_result_stays_in_its_place_however_long_the_conversation():
    call = ToolCall("weather", {}, "c1")
    async with staged(Replies([call], [SAID])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER], output_modalities=["text"])
        for number in range(45):
            client.text(f"Question {number}.")
            client.text(f"Answer {number}.", "assistant")
        client.text("The weather?")
        client.send("response.create")
        await client.wait("response.done")
        output = {"type": "function_call_output", "call_id": "c1", "output": "rain"}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        await client.wait("response.done", 2)
        for number in range(3):
            client.text(f"More {number}?")
            client.send("response.create")
            await client.wait("response.done", 3 + number)
            messages = list(stage.llm.requests[-1].messages)
            assert messages[-1].text == f"More {number}?"
            at = next(index for index, message in enumerate(messages) if message.tools)
            assert messages[at - 1].text == "The weather?"
        for number in range(45):
            client.text(f"Question {number}.")
            client.text(f"Answer {number}.", "assistant")
        client.text("And now?")
        client.send("response.create")
        await client.wait("response.done", 6)
        assert not any(message.tools for message in stage.llm.requests[-1].messages)


async def test_a_function_call_of_a_reply_that_was_cut_off_is_not_told():
    llm = Replies(["Words that are said. " * 30, ToolCall("weather")], [SAID])
    async with staged(llm) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER])
        client.append(LOUD * 25)
        await client.wait("response.output_audio.delta")
        await client.stream(1_500, LOUD)
        await client.wait("response.done")
        assert client.all("response.function_call_arguments.done") == []


async def test_a_history_told_anew_has_no_calls():
    async with staged(Replies([ToolCall("weather")], [SAID])) as stage:
        client = stage.connect()
        client.update(tools=[WEATHER])
        client.text("One.", item={"id": "one"})
        client.text("Weather?")
        client.send("response.create")
        await client.wait("response.done")
        client.send("conversation.item.delete", item_id="one")
        client.send("response.create")
        await client.wait("response.done", 2)
        assert list(stage.llm.requests[1].messages) == [Message(LegKind.CALLER, "Weather?")]
