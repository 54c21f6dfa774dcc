"""Calls that are to be put through to a number: only those that end so are, whatever was said before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.call.duplex_stage import Vendor, greeted

from offhook.foundation.events import EndReason
from offhook.speech.base import ToolCall

NUMBER = "+15550111"
GOODBYE = "I will put you through to the front desk now, one moment."


def noted(stage: Any) -> list[str]:
    """Where the phone vendor is told to connect the call."""
    to: list[str] = []
    stage.directory.on_transfer = lambda vendor_id, number: to.append(number)
    return to


@pytest.fixture
def moving(agent: Any) -> Any:
    return replace(agent, goodbye=GOODBYE, facts=replace(agent.facts, transfer_to=NUMBER))


@pytest.fixture
def asked(stage_of: Any, moving: Any, replies: Any) -> Any:
    """A call whose agent wants to transfer it, while it says so."""

    async def ask(*replied: Any) -> tuple[Any, list[str]]:
        answer = ["I will put you through to my colleague.", ToolCall("transfer")]
        stage = stage_of(moving, replies(answer, *replied))
        to = noted(stage)
        await stage.greeted()
        await stage.say(600)
        await stage.until("closing")
        return stage, to

    return ask


async def test_a_transfer_is_made_once_the_goodbye_was_heard(asked: Any) -> None:
    stage, to = await asked()
    assert to == [], "the caller still hears who says so"
    await stage.wait(8_000)
    assert stage.line.hung_up is EndReason.TRANSFERRED
    assert to == [NUMBER]


async def test_a_human_who_takes_over_before_it_is_made_has_the_caller(asked: Any) -> None:
    stage, to = await asked()
    stage.session.conversation.step_aside()
    await stage.wait(8_000)
    assert stage.line.hung_up is None
    stage.directory.hang_up(stage.call_id, EndReason.AGENT_HUNG_UP)
    await stage.wait(500)
    assert stage.line.hung_up is EndReason.AGENT_HUNG_UP
    assert to == [], "the vendor would connect a call that is over"


async def test_a_caller_whose_socket_is_lost_over_the_goodbye_is_put_through(asked: Any) -> None:
    stage, to = await asked()
    stage.line.listener.on_closed(EndReason.PEER_LOST)
    await stage.wait(200)
    assert to == [NUMBER], "the vendor still has the caller on the line"


async def by_a_vendor(stage_of: Any, moving: Any) -> tuple[Any, list[str]]:
    """A call whose vendor says that it puts the caller through."""
    vendor = Vendor()
    stage = await greeted(stage_of, vendor, moving)
    to = noted(stage)
    vendor.says("I will put you through.", 2_000)
    vendor.calls("transfer")
    await stage.wait(400)
    return stage, to


async def test_a_vendors_transfer_that_a_human_called_off_is_not_made(stage_of: Any, moving: Any) -> None:
    stage, to = await by_a_vendor(stage_of, moving)
    assert stage.floor == "closing"
    stage.session.conversation.step_aside()
    await stage.wait(3_000)
    stage.directory.hang_up(stage.call_id, EndReason.AGENT_HUNG_UP)
    await stage.wait(500)
    assert to == []


async def test_a_vendors_caller_who_is_lost_over_the_goodbye_is_put_through(
    stage_of: Any, moving: Any
) -> None:
    stage, to = await by_a_vendor(stage_of, moving)
    stage.line.listener.on_closed(EndReason.PEER_LOST)
    await stage.wait(200)
    assert to == [NUMBER]
