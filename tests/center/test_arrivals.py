"""Calls that rules send on as they arrive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.center.center_stage import BILLS, houses, to

from offhook.call.tools.box import specs
from offhook.center.conditions import Word
from offhook.center.routing import Rule
from offhook.channels.base import Arrival
from offhook.foundation.events import ChannelKind, Direction, EndReason
from offhook.tools.set import Toolset

house = pytest.fixture(houses)


async def test_a_call_goes_to_the_agent_of_the_first_rule_that_fits(house: Any) -> None:
    stage = house(
        Rule("web", to("agent", "billing"), (Word("the channel", lambda s: s.channel, ("browser",)),)),
        Rule("all", to("agent", "sales")),
    )
    await stage.arrive()
    assert stage.call.agent == "sales"
    assert stage.kinds("route") == [
        {"kind": "route", "seq": 2, "media_ms": 0, "target": "agent:sales", "rule": "all", "why": "any call",
         "tried": ["web: the channel is phone, not browser"], "live": False}
    ]  # fmt: skip
    await stage.until("listening")
    assert stage.said() == ["Sales, hello."]


async def test_without_a_rule_that_fits_it_is_whom_the_caller_asked_for(house: Any) -> None:
    stage = await house(BILLS).arrive(Arrival(agent="sales"))
    assert stage.call.agent == "sales"


@pytest.mark.parametrize(
    ("arrival", "kind"),
    [(Arrival(direction=Direction.OUTBOUND), ChannelKind.PHONE), (Arrival(), ChannelKind.REALTIME)],
)
async def test_calls_that_are_not_routed(house: Any, arrival: Arrival, kind: ChannelKind) -> None:
    stage = await house(Rule("all", to("agent", "sales"))).arrive(arrival, kind)
    assert stage.call.agent == "front"
    assert stage.kinds("route") == []


async def test_a_number_is_dialled_by_the_vendor(house: Any) -> None:
    stage = house(Rule("elsewhere", to("number", "+15550123")))
    asked: list[tuple[str, str]] = []
    stage.directory.on_transfer = lambda vendor_id, where: asked.append((vendor_id, where))
    await stage.arrive(Arrival(vendor_id="CA1"))
    await stage.settle()
    assert asked == [("CA1", "+15550123")]
    assert stage.line.hung_up is EndReason.TRANSFERRED
    assert stage.line.played == []


async def test_voicemail_takes_a_message_and_nothing_else(house: Any) -> None:
    stage = await house(Rule("night", to("voicemail"))).arrive()
    await stage.until("listening", 15_000)
    assert "I can take a message" in stage.said()[0]
    agent = stage.session.conversation.agent
    assert [tool.name for tool in specs(agent, Toolset())] == ["hang_up", "take_message"]
    assert not agent.facts.booking
    assert "take_message" in agent.persona


async def test_what_is_known_at_the_door(house: Any) -> None:
    asked: list[str] = []

    def known(number: str) -> bool:
        asked.append(number)
        return True

    stage = house(BILLS, known=known)
    found = stage.router.situation(stage.line, Arrival(caller="+15550199", called="+15550100", agent="sales"))
    assert (found.number, found.caller, found.agent, found.returning) == (
        "+15550100",
        "+15550199",
        "sales",
        False,
    )
    assert asked == []  # no rule asks for it
    assert stage.router.situation(stage.line, Arrival(variables={"language": "ar"})).language == "ar"


async def test_nothing_is_kept_of_a_call_that_is_refused(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.foundation.errors import LimitError, ProviderError

    stage = house(BILLS)
    followed: list[str] = []
    own = stage.directory._house.followers
    stage.directory._house = replace(
        stage.directory._house, followers=lambda line: followed.append(line.call_id) or own(line)
    )

    def broken(context: Any) -> Any:
        raise ProviderError("cascade", "has no room")

    monkeypatch.setattr(stage.factory, "open", broken)
    with pytest.raises(LimitError):
        await stage.arrive()
    assert (followed, stage.router._moved) == ([], {})
