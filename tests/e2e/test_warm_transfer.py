"""A warm transfer in three browsers on one server: who hears whom at each step, live and in the recording.

The caller is on the call page by WebRTC, an operator at the desk is rung, told and connected, a supervisor
listens. Each microphone and each voice is a tone of its own. Of the caller there is what its page plays; of
the two at the desk what the server sent them; of the agent what its recognizer was given. Levels are peaks
in dBFS; every source speaks at -12.
"""

from __future__ import annotations

import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil, log10
from pathlib import Path

import call_page
import numpy as np
import pytest
from ears import LONGEST, RATE, TAP, WEBRTC_TAP, Ear, levels, microphone, recording
from kept_calls import get, sealed
from playwright.sync_api import Page, expect
from served import Open, Server
from tones import PEAK
from warm_tones import EAR_FILE, HEADER, LINE
from warm_tones import HERTZ as ALL_HERTZ

from offhook.audio.resample import resample_clip

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
Shoot = Callable[[Page, str], None]

PRESENT_DB, ABSENT_DB = -35.0, -60.0
"""Below the source's own level."""
PLAYED_ABSENT_DB = -50.0
"""What a page plays went through Opus, and may have gaps."""
TAPED_HOLD_ABSENT_DB = -48.0
FULL_DB = 20 * log10(PEAK)
SECONDS, HOLD_SECONDS, SETTLE_MS = 1.6, 4.4, 700
SOURCES = ("caller", "agent", "operator", "briefing", "coach", "hold_audio")
SPEAKERS = {name: ALL_HERTZ[name] for name in SOURCES if name in ALL_HERTZ}
TAPES, NO_TAPES = ("caller", "agent", "operator"), ("supervisor", "coach")
WISH = "Can I talk to a human, please?"
SETTINGS = """
[coach.voice]
voice = "coach"
[agents.default]
greeting = ""
consult = "anyone"
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Who hears whom then: names of sources, for each ear. The agent's ear always has the caller, alone."""

    name: str
    caller: str
    operator: str
    supervisor: str
    seconds: float = SECONDS
    began: float = 0.0
    ended: float = 0.0


TALKS = Step("the agent talks", "agent", "", "caller agent")
RINGS = Step("a colleague is rung", "hold_audio", "", "", HOLD_SECONDS)
BRIEFED = Step("the colleague is told", "hold_audio", "briefing", "", HOLD_SECONDS)
COACHED = Step("connected, AI coaches", "operator", "caller coach", "caller operator")
BACK = Step("handed back", "agent", "caller agent", "caller agent")
AGAIN = replace(BRIEFED, name="told once more")
ALONE = Step("connected, AI is gone", "operator", "caller", "caller operator")


@dataclass
class Stage:
    """The three pages and what they hear; `steps` were measured, `lines` is the table."""

    house: Server
    pages: dict[str, Page]
    ears: dict[str, Ear]
    call_id: str
    steps: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, step: str, ear: str, samples: np.ndarray, heard: set[str], absent: float) -> None:
        found = levels(samples, SPEAKERS)
        cells = []
        for name in SOURCES:
            there = found[name] > PRESENT_DB
            taped_hold = name == "hold_audio" and ear.startswith("tape")
            right = there if name in heard else found[name] < (TAPED_HOLD_ABSENT_DB if taped_hold else absent)
            cells.append(f"{found[name] + FULL_DB:>9.1f} {'●' if there else '·'}{' ' if right else '!'}")
            if not right:
                self.wrong.append(f"{step}: {name} at {ear}: {found[name]:.1f} dB, not {sorted(heard)}")
        self.lines.append(f"{step:24}{ear:18}" + "".join(cells))

    def __str__(self) -> str:
        head = f"{'step':24}{'ear':18}" + "".join(f"{name:>12}" for name in SOURCES)
        return "\n".join([head, *self.lines])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warm")
    (folder / "offhook.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def house(home: Path) -> Iterator[Server]:
    running = Server(home, program=(sys.executable, str(Path(__file__).parent / "warm_tones.py")))
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


def test_who_hears_whom_in_a_warm_transfer(
    house: Server, home: Path, open_page: Open, shoot: Shoot, tmp_path: Path
) -> None:
    stage = _meet(house, open_page, tmp_path)
    desk = stage.pages["operator"]
    try:
        _say_a_line(stage)
        _measure(stage, TALKS)
        _ask(stage)
        _measure(stage, RINGS)
        shoot(desk, "warm-ring")
        _come(desk)
        _measure(stage, BRIEFED)
        shoot(desk, "warm-briefing")
        desk.keyboard.press("k")
        _wait(desk, "mode", "takeover")
        desk.keyboard.press("m")
        desk.keyboard.press("m")  # the coach of this house has a word to say after every change
        _measure(stage, COACHED)
        shoot(desk, "warm-connected")
        desk.keyboard.press("b")
        _wait(desk, "mode", "agent")
        _say_a_line(stage)
        _measure(stage, BACK)
        _ask(stage)
        _come(desk)
        _measure(stage, AGAIN)
        desk.get_by_role("button", name="Connect without the AI").click()
        _wait(desk, "mode", "takeover")
        _measure(stage, ALONE)
        stage.pages["caller"].get_by_role("button", name="Hang up").click()
        _recorded(stage, home)
    finally:
        print(f"\n{stage}")
    assert not stage.wrong, "\n".join(stage.wrong)


def _meet(house: Server, open_page: Open, folder: Path) -> Stage:
    """The caller is on the line, the operator looks at the queues, the supervisor listens."""
    pages, ears, call_id = {}, {}, ""
    for name in ("operator", "caller", "supervisor"):
        page = pages[name] = open_page("about:blank", microphone(folder / f"{name}.wav", ALL_HERTZ[name]))
        page.context.add_init_script(WEBRTC_TAP if name == "caller" else TAP)
        ears[name] = Ear(page, 0)
        if name == "operator":
            page.goto(f"{house.url}/?aec=off")
        elif name == "caller":
            page.goto(f"{house.url}/call?transport=webrtc&aec=off")
            call_page.start(page)
            call_id = call_page.wait(page, call_page.is_up)["callId"]
        else:
            page.goto(f"{house.url}/desk/{call_id}?aec=off&role=supervisor")
            page.get_by_role("button", name="Listen").click()
            _wait(page, "link", "up")
    return Stage(house, pages, ears, call_id)


def _wait(page: Page, name: str, value: str) -> None:
    """Until a figure of the desk's page is this."""
    end = time.monotonic() + 15
    while (seen := page.evaluate("({...window.offhookDesk})")).get(name) != value:
        assert time.monotonic() < end, f"the desk is stuck at {seen}"
        page.wait_for_timeout(30)


def _say_a_line(stage: Stage) -> None:
    desk = stage.pages["supervisor"]
    desk.keyboard.press("s")
    desk.keyboard.type(LINE)
    desk.keyboard.press("Enter")
    desk.keyboard.press("Escape")


def _ask(stage: Stage) -> None:
    """The caller wants a human, and the agent asks one."""
    caller = stage.pages["caller"]
    caller.get_by_label("Type to the agent").fill(WISH)
    caller.keyboard.press("Enter")
    _wait(stage.pages["supervisor"], "mode", "hold")


def _come(desk: Page) -> None:
    ring = desk.locator(".ringing.consult")
    expect(ring).to_contain_text(WISH)
    ring.get_by_role("button", name="Hear about it").click()
    expect(desk.get_by_label("Warm transfer")).to_contain_text("You are told about this call")
    _wait(desk, "mode", "consult")


def _measure(stage: Stage, step: Step) -> None:
    """Listen at all ears for a while."""
    page = stage.pages["caller"]
    page.wait_for_timeout(SETTLE_MS)
    seconds = step.seconds
    for ear in stage.ears.values():
        ear.listen()
    began = time.time()
    played = []
    for _ in range(pieces := ceil(seconds / LONGEST)):
        page.wait_for_timeout(seconds / pieces * 1000)
        played.append(stage.ears["caller"].played(seconds / pieces))
    stage.steps.append(replace(step, began=began, ended=time.time()))
    stage.add(step.name, "caller's", np.concatenate(played), set(step.caller.split()), PLAYED_ABSENT_DB)
    for name in ("operator", "supervisor"):
        sent, heard = stage.ears[name].sent(), set(getattr(step, name).split())
        stage.add(step.name, f"{name}'s", sent, heard, ABSENT_DB)


def _recorded(stage: Stage, home: Path) -> None:
    """What the agent's recognizer was given in each step, and what is kept of it."""
    call = sealed(stage.house, stage.call_id)
    zero = datetime.fromisoformat(call["started_at"]).timestamp()
    sound = f"{stage.house.url}/api/calls/{stage.call_id}/recording?format=wav"
    tapes = {leg: recording(get(f"{sound}&leg={leg}"))[0] for leg in TAPES}
    for leg in NO_TAPES:
        with pytest.raises(urllib.error.HTTPError):
            get(f"{sound}&leg={leg}")
    ear = _agent_ear((home / EAR_FILE).read_bytes())
    for step in stage.steps:
        part = slice(int((step.began - zero) * RATE), int((step.ended - zero) * RATE))
        stage.add(step.name, "agent's ear", ear[part], {"caller"}, PLAYED_ABSENT_DB)
        for leg, tape in tapes.items():
            heard = {leg} & {"caller", *step.caller.split()}
            stage.add(step.name, f"tape of {leg}", tape[part], heard, ABSENT_DB)


def _agent_ear(raw: bytes) -> np.ndarray:
    """All that it was given, each window where it belongs."""
    windows, at = [], 0
    while at < len(raw):
        ms, rate, size = HEADER.unpack_from(raw, at)
        at += HEADER.size + size
        windows.append((ms, rate, np.frombuffer(raw[at - size : at], "<i2")))
    whole = np.zeros(windows[-1][0] * RATE // 1000 + RATE, np.int16)
    rate = windows[0][1]
    own = np.zeros(len(whole) * rate // RATE, np.int16)
    for ms, _, samples in windows:
        own[ms * rate // 1000 :][: len(samples)] = samples
    return own if rate == RATE else resample_clip(own, rate, RATE)
