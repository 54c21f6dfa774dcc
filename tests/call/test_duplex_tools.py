"""Tools that a vendor's model calls: the caller's yes is judged here, by the words of the caller's turns."""

from __future__ import annotations

from typing import Any

import pytest
from tests.call.duplex_stage import Vendor, greeted

from offhook.foundation.events import ToolCalled
from offhook.foundation.tools import Effect, ToolSpec
from offhook.tools.base import Rules, Tool, ToolContext

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


class Work:
    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> str:
        self.runs.append(arguments)
        return "done"

    def tool(self, effect: Effect) -> Tool:
        return Tool(ToolSpec(str(effect), "A tool.", SCHEMA), Rules(effect), self.run)


@pytest.fixture
def vendor():
    return Vendor()


@pytest.fixture
def work():
    return Work()


async def asks(stage: Any, vendor: Vendor) -> None:
    """The model wants money moved, is told to ask, and does."""
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    vendor.says("Shall I go ahead with Lisbon?")
    await stage.until("listening", 5_000)


def answers(vendor: Vendor) -> list[str]:
    return [answer[1] for answer in vendor.of("answer_tool")]


async def test_what_only_reads_waits_for_no_words(stage_of, vendor, agent, work):
    """Vendors' transcripts come late, or never: the answer need not."""
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.READ)])
    vendor.tell.on_speech(True, "turn")
    vendor.tell.on_speech(False, "turn")
    vendor.calls("read", city="Lisbon")
    await stage.settle()
    assert answers(vendor) == ["done"]


async def test_a_yes_is_waited_for_and_judged_by_its_words(stage_of, vendor, agent, work):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert work.runs == []
    assert "ask the caller 'To be sure: money, city: Lisbon. Shall I go ahead?'" in answers(vendor)[0]
    vendor.says("Shall I go ahead with Lisbon?")
    await stage.until("listening", 5_000)
    vendor.tell.on_speech(True, "yes")
    vendor.tell.on_speech(False, "yes")
    vendor.calls("money", city="Lisbon")  # before the words are known
    await stage.settle()
    assert (work.runs, len(answers(vendor))) == ([], 1)
    vendor.tell.on_words("Yes, please.", True, "en", "yes")
    await stage.settle()
    assert work.runs == [{"city": "Lisbon"}]
    assert answers(vendor)[1:] == ["done"]
    assert [event.result for event in stage.events(ToolCalled)][1:] == ["done"]


@pytest.mark.parametrize("words", ["No.", "Yes, but for Porto.", ""])
async def test_without_a_yes_it_is_not_run(stage_of, vendor, agent, work, words):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    await asks(stage, vendor)
    vendor.tell.on_speech(True, "turn")
    vendor.tell.on_speech(False, "turn")
    vendor.tell.on_words(words, True, "en", "turn")
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert work.runs == []
    assert "not run yet" in answers(vendor)[1]


async def test_the_same_again_is_asked_about_anew(stage_of, vendor, agent, work):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    await asks(stage, vendor)
    for item, words in (("yes", "Yes."), ("again", "Once more, the same.")):
        vendor.tell.on_speech(True, item)
        vendor.tell.on_speech(False, item)
        vendor.calls("money", city="Lisbon")
        await stage.settle()
        vendor.tell.on_words(words, True, "en", item)
        await stage.settle()
    assert len(work.runs) == 1
    assert "not run yet" in answers(vendor)[2]


def says_yes(vendor, turn):
    """As the vendor tells of a turn of the caller's."""
    vendor.tell.on_speech(True, turn)
    vendor.tell.on_speech(False, turn)
    vendor.tell.on_words("Yes.", True, "en", turn)


async def test_a_yes_after_a_human_had_the_call_is_to_something_else(stage_of, vendor, agent, work):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    await asks(stage, vendor)
    stage.session.conversation.step_aside()
    await stage.wait(500)
    stage.session.conversation.step_in()
    says_yes(vendor, "yes")
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert work.runs == []


@pytest.mark.parametrize(("typed", "runs"), [("yes", 1), ("no", 0), ("1", 0)])
async def test_what_is_typed_settles_it_too(stage_of, vendor, agent, work, typed, runs):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    await asks(stage, vendor)
    stage.session.conversation.typed(typed)
    if not runs:
        says_yes(vendor, "later")
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert len(work.runs) == runs


@pytest.mark.parametrize("between", ["silence", "a line", "a guest"])
async def test_a_yes_to_what_was_asked_since_runs_nothing(stage_of, vendor, agent, work, between):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)], no_input_ms=4_000)
    await asks(stage, vendor)
    talk = stage.session.conversation
    match between:
        case "silence":
            await stage.until("speaking", 6_000)
        case "a line":
            talk.say_line("Would you like to hear our offers?")
        case "a guest":
            talk.guest_said("Ask about the offers, too.", "Ben", answered=True)
            vendor.says("Would you like to hear our offers?")
    await stage.wait(200)
    await stage.until("listening", 20_000)
    says_yes(vendor, "yes")
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert work.runs == []


async def test_a_yes_before_the_question_was_heard_is_none(stage_of, vendor, agent, work):
    stage = await greeted(stage_of, vendor, agent, tools=[work.tool(Effect.MONEY)])
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    await stage.wait(500)
    vendor.tell.on_speech(True, "yes")
    vendor.tell.on_speech(False, "yes")
    vendor.tell.on_words("Yes, yes.", True, "en", "yes")
    vendor.calls("money", city="Lisbon")
    await stage.settle()
    assert work.runs == []
