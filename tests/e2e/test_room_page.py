"""Two people in a LiveKit room with the agent: a real server, two Chromiums, everything local."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass
class Room:
    """Two people's pages, and the agent's identity."""

    alice: Page
    bob: Page
    agent: str

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.alice, self.bob


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
    room = Room(alice, bob, agent)
    spoken(room)
    shoot(alice, "room")
    written(room)
    killed_and_started(room, rooms)
    for page in room.pages:
        page.get_by_role("button", name="Leave").click()
    kept(house)


def spoken(room: Room) -> None:
    """What is said is heard, attributed and answered: the caller's first, then the guest's."""
    alice, agent = room.alice, room.agent
    for page in room.pages:
        expect(page.locator(final("alice")).first).to_contain_text("opening hours", timeout=40_000)
    expect(alice.locator(final(agent)).nth(1)).to_contain_text("Tuesday", timeout=20_000)
    for page in room.pages:
        expect(page.locator(final("bob")).first).to_contain_text("haircut", timeout=60_000)
    answered = alice.locator(final(agent)).filter(has_text="35 dollars")
    expect(answered.first).to_be_visible(timeout=30_000)
    assert alice.locator(f"{final('bob')} .speaker").first.inner_text() == "Bob"
    for state in ("listening", "thinking", "speaking"):
        assert state in alice.evaluate("window.offhookRoom.states")


def write(page: Page, text: str) -> None:
    page.get_by_label("Type to the agent").fill(text)
    page.get_by_role("button", name="Send").click()


def written(room: Room) -> None:
    """A line that is written is answered in writing."""
    write(room.bob, "Do you offer beard trims?")
    answer = room.bob.locator(f".line[data-who='{room.agent}'][data-typed='true']")
    expect(answer.first).to_be_visible(timeout=30_000)


def killed_and_started(room: Room, rooms: RoomsServer) -> None:
    """The server is killed and started again: the callers see it, and go on."""
    rooms.kill()
    for page in room.pages:
        expect(page.locator(".room-state")).to_have_attribute("data-phase", "lost", timeout=15_000)
    rooms.start()
    for page in room.pages:
        expect(page.locator(".room-state")).to_have_attribute("data-phase", "up", timeout=60_000)
        until(page, "room.people.value.filter((one) => one.agent).length === 1", 40)
        until(page, "room.agentState.value === 'listening'", 40)
    answers = room.bob.locator(".line[data-typed='true']:has(.speaker:text-is('Agent'))")
    before = answers.count()
    write(room.bob, "Are you still there?")
    expect(answers.nth(before)).to_be_visible(timeout=40_000)


def kept(house: Server) -> None:
    """Everybody's words by name, and everybody's track on one timeline."""
    calls = httpx.get(f"{house.url}/api/calls", params={"channel": "livekit"}).json()["calls"]
    address = f"{house.url}/api/calls/{calls[-1]['id']}"
    end = time.monotonic() + 30
    while (found := httpx.get(address).json())["call"]["recording"] != "sealed":
        assert time.monotonic() < end, found["call"]
        time.sleep(0.3)
    said = [event for event in found["events"] if event["kind"] == "transcript_final"]
    assert any(one["leg"] == "caller" and "opening" in one["text"] for one in said)
    assert any(one["speaker"] == "guest-1" and "haircut" in one["text"] for one in said)
    sizes = [
        len(httpx.get(f"{address}/recording", params={"leg": leg, "format": "wav"}).content)
        for leg in ("caller", "agent", "guest-1")
    ]
    assert len(set(sizes)) == 1, sizes


def test_a_room_without_a_name_and_a_house_without_rooms(server: Server, open_page: Open) -> None:
    page = open_page(f"{server.url}/call?transport=livekit")
    expect(page.get_by_text("names no room")).to_be_visible()
    page = open_page(f"{server.url}/call?transport=livekit&room=x&user=y", expect=("status of 503",))
    enter(page)
    expect(page.get_by_role("alert")).to_contain_text("there are no rooms here")
