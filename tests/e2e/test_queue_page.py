"""Routing and queues in a real browser: a call is tried by the rules; one rings for who answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from served import Open, Server
from stage import AXE, violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
HOUSE = """
[agents.default]
greeting = "Hello, this is the agent."
[[routing.rules]]
name = "arabic"
language = "ar"
to = "voicemail"
[[routing.rules]]
name = "from the web"
channel = "browser"
to = "queue:support"
[queues.support]
unstaffed_seconds = 300
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("queues")
    (folder / "offhook.toml").write_text(HOUSE, encoding="utf-8")
    running = Server(folder)
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


def test_a_call_is_tried_by_the_rules(house: Server, open_page: Open) -> None:
    page = open_page(f"{house.url}/routing", expect=("status of 400",))
    expect(page.get_by_role("row").nth(1)).to_contain_text("arabic")
    page.get_by_label("Channel").select_option("browser")
    page.get_by_role("button", name="What would happen?").click()
    expect(page.get_by_role("status")).to_contain_text("queue support: rule from the web")
    expect(page.get_by_role("row").nth(1)).to_contain_text("the language is not known")
    page.get_by_label("Language").fill("ar-SA")
    page.get_by_role("button", name="What would happen?").click()
    expect(page.get_by_role("status")).to_contain_text("voicemail: rule arabic")
    page.get_by_label("Time zone").fill("Mars")
    page.get_by_role("button", name="What would happen?").click()
    expect(page.get_by_role("alert")).to_contain_text("time zone")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(page) == []


def test_a_call_rings_for_an_operator_who_answers(
    house: Server, open_page: Open, speech: Callable[..., Path]
) -> None:
    desk = open_page(f"{house.url}/queues", speech((1.0, "Good morning, this is Sara."), tail=3.0))
    desk.get_by_label("Presence").select_option("available")
    expect(desk.get_by_label("Operators")).to_contain_text("Available")
    caller = open_page(f"{house.url}/call", speech((2.0, "I would like a haircut."), tail=8.0))
    caller.get_by_role("button", name="Start the call").click()
    expect(desk.get_by_role("alert")).to_contain_text("A call for you from support")
    expect(desk.get_by_label("Queue support")).to_contain_text("1 waiting")
    desk.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(desk) == []
    desk.get_by_role("button", name="Answer").click()
    expect(desk.locator(".hears strong")).to_have_text("The caller hears you; the AI is silent")
    expect(desk.locator(".line.caller:not(.partial)").first).to_contain_text("haircut", timeout=25_000)
    caller.get_by_role("button", name="Hang up").click()
    expect(desk.locator(".hears strong")).to_have_text("The call has ended: nobody hears you")
