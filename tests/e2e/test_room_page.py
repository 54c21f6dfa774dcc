"""Two people in a LiveKit room with the agent: a real server, two Chromiums, everything local."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server
from tests.rooms.rooms_server import KEY, MISSING, SECRET, RoomsServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LOUDEST = """async (seconds) => {
  const context = new AudioContext();
  const meters = window.offhookRoom.heard.map((sound) => {
    const meter = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(sound.srcObject).connect(meter);
    return meter;
  });
  const samples = new Float32Array(2048);
  const end = performance.now() + seconds * 1000;
  let top = 0;
  while (performance.now() < end) {
    for (const meter of meters) {
      meter.getFloatTimeDomainData(samples);
      top = Math.max(top, Math.hypot(...samples) / Math.sqrt(samples.length));
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await context.close();
  return top;
}"""
BROKEN = ("ERR_CONNECTION", "WebSocket connection to", "status of 502", "status of 503")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoomsServer]:
    if MISSING and not os.environ.get("CI"):
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    assert not MISSING, f"CI needs {', '.join(MISSING)}"
    running = RoomsServer(tmp_path_factory.mktemp("livekit"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, rooms: RoomsServer) -> Iterator[Server]:
    settings = {"LIVEKIT_URL": rooms.url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    running = Server(tmp_path_factory.mktemp("house"), settings=settings)
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


def enter(page: Page) -> None:
    page.get_by_role("button", name="Enter").click()


def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait for an expression about `room`, the page's RoomCall."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"(() => {{ const room = window.offhookRoom; return {condition}; }})()"):
        assert time.monotonic() < end, (condition, page.locator("main").inner_text())
        page.wait_for_timeout(50)


def final(who: str) -> str:
    """Lines of somebody's that are final, as a locator's selector."""
    return f".line[data-who='{who}'][data-typed='false']:not(.partial)"


def test_two_people_and_the_agent(
    house: Server,
    rooms: RoomsServer,
    open_page: Open,
    speech: Callable[..., Path],
    shoot: Callable[[Page, str], None],
) -> None:
    first = speech((8.0, "What are your opening hours?"), tail=60)
    second = speech((20.0, "How much is a haircut?"), tail=60)
    at = f"{house.url}/call?transport=livekit&room=reception"
    alice = open_page(f"{at}&user=alice&name=Alice", first, expect=BROKEN)
    enter(alice)
    until(alice, "room?.phase.value === 'up' && room.heard.length > 0")
    assert alice.evaluate(LOUDEST, 4) > 0.01, "the greeting was not audible"
    bob = open_page(f"{at}&user=bob&name=Bob", second, expect=BROKEN)
    enter(bob)
    until(bob, "room?.phase.value === 'up'")
    agent = alice.evaluate("window.offhookRoom.people.value.find((one) => one.agent).identity")

    # What is said is heard, attributed and answered: the caller's first, then the guest's.
    for page in (alice, bob):
        expect(page.locator(final("alice")).first).to_contain_text("opening hours", timeout=40_000)
    expect(alice.locator(final(agent)).nth(1)).to_contain_text("Tuesday", timeout=20_000)
    for page in (alice, bob):
        expect(page.locator(final("bob")).first).to_contain_text("haircut", timeout=60_000)
    answers = alice.locator(final(agent)).count()
    expect(alice.locator(final(agent)).nth(answers)).to_be_visible(timeout=20_000)
    assert alice.locator(f"{final('bob')} .speaker").first.inner_text() == "Bob"
    for state in ("listening", "thinking", "speaking"):
        assert state in alice.evaluate("window.offhookRoom.states")
    shoot(alice, "room")

    # A line that is written is answered in writing.
    bob.get_by_label("Type to the agent").fill("Do you offer beard trims?")
    bob.get_by_role("button", name="Send").click()
    expect(bob.locator(f".line[data-who='{agent}'][data-typed='true']").first).to_be_visible(timeout=30_000)

    # The server is killed and started again: the callers see it, and go on.
    rooms.kill()
    for page in (alice, bob):
        expect(page.locator(".room-state")).to_have_attribute("data-phase", "lost", timeout=15_000)
    rooms.start()
    for page in (alice, bob):
        expect(page.locator(".room-state")).to_have_attribute("data-phase", "up", timeout=60_000)
        until(page, "room.people.value.filter((one) => one.agent).length === 1", 40)
        until(page, "room.agentState.value === 'listening'", 40)
    bob.get_by_label("Type to the agent").fill("Are you still there?")
    written = bob.locator(".line[data-typed='true']:has(.speaker:text-is('Agent'))").count()
    bob.get_by_role("button", name="Send").click()
    expect(bob.locator(".line[data-typed='true']:has(.speaker:text-is('Agent'))").nth(written)).to_be_visible(
        timeout=40_000
    )
    for page in (alice, bob):
        page.get_by_role("button", name="Leave").click()

    # One call, everybody's track on one timeline.
    calls = httpx.get(f"{house.url}/api/calls", params={"channel": "livekit"}).json()["calls"]
    oldest = calls[-1]
    end = time.monotonic() + 30
    while (kept := httpx.get(f"{house.url}/api/calls/{oldest['id']}").json())["call"][
        "recording"
    ] != "sealed":
        assert time.monotonic() < end, kept["call"]
        time.sleep(0.3)
    said = [event for event in kept["events"] if event["kind"] == "transcript_final"]
    assert any(one["leg"] == "caller" and "opening" in one["text"] for one in said)
    assert any(
        one["leg"] == "guest" and one["speaker"] == "guest-1" and "haircut" in one["text"] for one in said
    )
    sizes = {
        leg: len(
            httpx.get(
                f"{house.url}/api/calls/{oldest['id']}/recording", params={"leg": leg, "format": "wav"}
            ).content
        )
        for leg in ("caller", "agent", "guest-1")
    }
    assert len(set(sizes.values())) == 1, sizes


def test_a_room_without_a_name_and_a_house_without_rooms(server: Server, open_page: Open) -> None:
    page = open_page(f"{server.url}/call?transport=livekit")
    expect(page.get_by_text("names no room")).to_be_visible()
    page = open_page(f"{server.url}/call?transport=livekit&room=x&user=y", expect=("status of 503",))
    enter(page)
    expect(page.get_by_role("alert")).to_contain_text("there are no rooms here")
