"""The set of all tools: whose they are, how often they may run; schemas and what is wrong with arguments."""

import pytest

from offhook.foundation.agent import Agent
from offhook.foundation.clock import ManualClock
from offhook.foundation.tools import Effect, ToolSpec
from offhook.tools.base import Rules, Tool
from offhook.tools.schema import check, fault
from offhook.tools.set import Toolset


async def nothing(arguments, context):
    return ""


def made(name, **rules):
    return Tool(ToolSpec(name, "", {"type": "object"}), Rules(**rules), nothing)


class Server:
    def __init__(self, *tools, fails=False):
        self.tools, self.fails, self.state = list(tools), fails, []

    async def open(self):
        self.state.append("open")

    async def close(self):
        self.state.append("closed")
        if self.fails:
            raise RuntimeError("stuck")


def test_an_agent_has_what_its_settings_name():
    tools = Toolset([made("weather")], {"crm": Server(made("crm_find"), made("crm_change"))})

    def names(agent):
        return [tool.name for tool in tools.of(agent)]

    assert names(Agent()) == ["weather", "crm_find", "crm_change"]
    assert names(Agent(tools=[])) == []
    assert names(Agent(tools=["crm"])) == ["crm_find", "crm_change"]
    assert names(Agent(tools=["weather", "crm_find"])) == ["weather", "crm_find"]
    assert tools.find(Agent(tools=["weather"]), "crm_find") is None
    assert tools.names() == {"weather", "crm", "crm_find", "crm_change"}


def test_a_tool_runs_so_often_in_a_minute():
    clock = ManualClock()
    tools = Toolset(clock=clock)
    tool = made("weather", per_minute=2)
    assert [tools.admit(tool) for _ in range(3)] == [True, True, False]
    clock.advance(59.9)
    assert not tools.admit(tool)
    clock.advance(0.1)
    assert tools.admit(tool)


async def test_one_that_cannot_close_does_not_keep_the_others_open():
    stuck, fine = Server(fails=True), Server()
    tools = Toolset((), {"a": stuck, "b": fine})
    await tools.open()
    await tools.close()
    assert fine.state == ["open", "closed"]


@pytest.mark.parametrize(
    ("rules", "asks"),
    [
        (Rules(Effect.READ), False),
        (Rules(Effect.CALL), False),
        (Rules(Effect.WRITE), True),
        (Rules(Effect.WRITE, ask=False), False),
        (Rules(Effect.MONEY, ask=False), True),
        (Rules(Effect.OUTBOUND, ask=False), True),
    ],
)
def test_what_reaches_outside_needs_a_yes(rules, asks):
    assert rules.needs_yes is asks


SPEC = ToolSpec(
    "book",
    "",
    {
        "type": "object",
        "properties": {"day": {"type": "string", "pattern": "^[a-z]+$"}, "people": {"type": "integer"}},
        "required": ["day"],
        "additionalProperties": False,
    },
)


def test_arguments_that_do_not_fit_are_worded_for_the_model():
    assert fault(SPEC, {"day": "friday", "people": 2}) == ""
    assert fault(SPEC, {}) == "'day' is a required property"
    assert fault(SPEC, {"day": "friday", "people": "two"}) == "people: 'two' is not of type 'integer'"
    assert "unexpected" in fault(SPEC, {"day": "friday", "x": 1})
    assert fault(SPEC, {"day": "a" * 5_000}) == "a text is too long"
    assert len(fault(SPEC, {"day": "1" * 3_000})) < 300


def test_references_are_never_fetched():
    spec = ToolSpec("x", "", {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}})
    assert "cannot be used" in fault(spec, {"a": 1})


def test_schemas_are_checked():
    assert check({"type": "object", "properties": {}}) == ""
    assert "object" in check({"type": "string"})
    assert "JSON schema" in check({"type": "object", "properties": []})
