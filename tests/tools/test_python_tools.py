"""Python functions as tools: their schema, threads, faults, entry points."""

import asyncio
import math
import threading
from importlib.metadata import EntryPoint
from typing import Literal

import pytest

from offhook.foundation.errors import SettingsError
from offhook.foundation.tools import Effect
from offhook.tools import python
from offhook.tools.base import ToolContext, ToolError
from offhook.tools.python import Functions, find, tool


@tool("read", description="How many are in stock.")
async def stock(product: str, size: Literal["s", "m"] = "m", call: ToolContext | None = None) -> list[str]:
    return [product, size, call.caller if call else "?"]


@tool(Effect.MONEY, confirm="refund {amount} euros", seconds=3)
def refund(amount: int, call: ToolContext) -> str:
    """Give money back."""
    return f"{amount} to {call.caller} in {threading.current_thread().name}"


@pytest.fixture
async def functions():
    made = Functions()
    yield made
    await made.close()


async def test_a_function_is_described_by_its_signature(functions):
    made = functions.tool("refund", refund)
    assert made.spec.description == "Give money back."
    assert made.spec.parameters["properties"]["amount"]["type"] == "integer"
    assert "call" not in made.spec.parameters["properties"]
    assert made.spec.parameters["additionalProperties"] is False
    assert (made.rules.effect, made.rules.needs_yes, made.rules.seconds) == (Effect.MONEY, True, 3)
    assert made.rules.confirm == "refund {amount} euros"


async def test_plain_functions_run_in_threads_and_know_the_call(functions):
    text = await functions.tool("refund", refund).run({"amount": 5}, ToolContext(caller="+15550100"))
    assert text.startswith("5 to +15550100 in tool")


async def test_defaults_and_choices_are_part_of_the_schema(functions):
    made = functions.tool("stock", stock)
    assert made.spec.parameters["required"] == ["product"]
    assert made.spec.parameters["properties"]["size"]["enum"] == ["s", "m"]
    assert await made.run({"product": "tea"}, ToolContext(caller="+15550100")) == '["tea","m","+15550100"]'


async def test_results_that_are_no_text_come_as_json(functions):
    made = functions.tool("stock", lambda product: {"left": 3})
    assert await made.run({"product": "tea"}, ToolContext()) == '{"left":3}'


async def test_an_undeclared_function_counts_as_writing(functions):
    def plain(a: str) -> str:
        return a

    assert functions.tool("plain", plain).rules.effect is Effect.WRITE


async def test_faults_say_their_kind_and_nothing_else(functions):
    def bad(a: str) -> str:
        raise ValueError("the password is hunter2")

    def told(a: str) -> str:
        raise ToolError("the shop is closed")

    with pytest.raises(ToolError, match="ValueError") as caught:
        await functions.tool("bad", bad).run({"a": ""}, ToolContext())
    assert "hunter2" not in caught.value.reason
    with pytest.raises(ToolError, match="closed"):
        await functions.tool("told", told).run({"a": ""}, ToolContext())


async def test_a_hanging_function_does_not_hold_the_loop(functions):
    release = threading.Event()
    made = functions.tool("slow", lambda a: release.wait(5))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await made.run({"a": "1"}, ToolContext())
    release.set()


def test_parameters_are_named_one_by_one():
    def loose(*args: str) -> str:
        return ""

    class Odd: ...

    def odd(value: Odd) -> str:
        return ""

    def unknown(value: "Nowhere") -> str:  # noqa: F821
        return ""

    for function in (loose, odd, unknown, math.hypot):
        with pytest.raises(SettingsError, match=r"tools\.x"):
            Functions().tool("x", function)


def test_functions_are_found_by_address_or_entry_point(monkeypatch, tmp_path):
    (tmp_path / "broken_tool.py").write_text("raise RuntimeError('no\\nshelf')")
    (tmp_path / "leaving_tool.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    assert find("x", "json:dumps").__name__ == "dumps"
    point = EntryPoint("dumps", "json:dumps", python.GROUP)
    monkeypatch.setattr(python, "entry_points", lambda group: [point])
    assert find("dumps").__name__ == "dumps"
    for name, address, words in (
        ("nope", "", "known: dumps"),
        ("x", "json:nope", "cannot be loaded"),
        ("x", "no_such_module:a", "cannot be loaded"),
        ("x", "json:__doc__", "no function"),
        ("x", "broken_tool:a", r"cannot be loaded \(RuntimeError: no shelf\)$"),
        ("x", "leaving_tool:a", r"cannot be loaded \(SystemExit: 3\)$"),
    ):
        with pytest.raises(SettingsError, match=words):
            find(name, address)
