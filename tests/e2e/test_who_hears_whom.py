"""Every mode of a call with humans, in three browsers on one server: who is at which ear, in which recording.

Each microphone and each voice is a tone of its own frequency. Of an ear there is what the server sent to the
page ("sent": PCM, nothing of the browser's in it) and what the page gave to its loudspeaker ("played").
Recordings are read as they are served, decoded from Opus. All levels are in dB of the source's own tone.
"""

from __future__ import annotations

import sys
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

import call_page
import numpy as np
import pytest
from ears import LONGEST, RATE, TAP, Ear, levels, microphone, recording
from kept_calls import get, sealed
from playwright.sync_api import Page
from served import Open, Server
from tones import HERTZ

from offhook.call.modes import HEARS, Part
from offhook.foundation.people import Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PRESENT_DB = -35.0
ABSENT_DB = -60.0
PLAYED_ABSENT_DB = -50.0
"""A page that had no time for a moment plays a gap, and a gap is a little of every frequency."""
TAPED_HOLD_ABSENT_DB = -48.0
"""Opus leaves so much noise near loud tones; hold audio itself is at -13 dB."""
SECONDS = 1.6
HOLD_SECONDS = 4.4
"""More than a period of it."""
SETTLE_MS = 700
BROWSER_HEADER = 8
"""Of each of the server's messages to a caller's page."""
SOURCES = (*HERTZ, "hold_audio")
EARS = ("caller", "operator", "supervisor")
LEGS = ("caller", "agent", "operator", "supervisor")
SETTINGS = """
[coach.voice]
voice = "coach"
[agents.default]
greeting = ""
"""


@dataclass(frozen=True, slots=True)
class Phase:
    """A mode, how the two at the desk bring it about (keys, and the mode to wait for after one), whether the
    agent's voice is made to say something in it, and who hears whom then."""

    name: str
    mode: Mode
    operator: str
    supervisor: str
    says: bool
    caller_ear: str
    operator_ear: str
    supervisor_ear: str

    def heard(self, ear: str) -> set[str]:
        ears = {"caller": self.caller_ear, "operator": self.operator_ear, "supervisor": self.supervisor_ear}
        return set(ears[ear].split())


PHASES = (
    Phase("agent, both listen", Mode.AGENT, "l", "l", True, "agent", "caller agent", "caller agent"),
    Phase("agent, coached", Mode.AGENT, "c", "c", True, "agent", "caller agent", "caller agent"),
    Phase("join", Mode.JOIN, "j", "l", True, "agent operator", "caller agent coach", "caller agent operator"),
    Phase(
        "join, both",
        Mode.JOIN,
        "",
        "j",
        True,
        "agent operator supervisor",
        "caller agent supervisor coach",
        "caller agent operator coach",
    ),
    Phase("takeover", Mode.TAKEOVER, "t", "l", False, "operator", "caller coach", "caller operator"),
    Phase(
        "takeover, joined",
        Mode.TAKEOVER,
        "",
        "j",
        False,
        "operator supervisor",
        "caller supervisor coach",
        "caller operator coach",
    ),
    Phase(
        "say",
        Mode.SAY,
        "a",
        "",
        True,
        "agent",
        "caller agent supervisor coach",
        "caller agent operator coach",
    ),
    Phase("hold", Mode.HOLD, "h", "", False, "hold_audio", "", ""),
    Phase(
        "takeover, muted",
        Mode.TAKEOVER,
        "h>say a>takeover m",
        "",
        False,
        "supervisor",
        "caller supervisor coach",
        "caller coach",
    ),
    Phase("handed back", Mode.AGENT, "m b", "l", True, "agent", "caller agent", "caller agent"),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("tones")
    (home / "offhook.toml").write_text(SETTINGS, encoding="utf-8")
    running = Server(home, program=(sys.executable, str(Path(__file__).parent / "tones.py")))
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


class Table:
    """What was found where, and whether it should be there. Prints itself; `wrong` has what is not right."""

    def __init__(self) -> None:
        self.lines = [f"{'phase':22}{'where':28}" + "".join(f"{name:>12}" for name in SOURCES)]
        self.wrong: list[str] = []
        self.coach: list[float] = []
        """Levels of the coach wherever the caller could hear it."""

    def add(self, phase: str, where: str, samples: np.ndarray, heard: set[str], absent_db: float) -> None:
        found = levels(samples)
        cells = []
        for name in SOURCES:
            there = found[name] > PRESENT_DB
            taped_hold = name == "hold_audio" and where.startswith(("recording", "leg"))
            bound = TAPED_HOLD_ABSENT_DB if taped_hold else absent_db
            right = there if name in heard else found[name] < bound
            cells.append(f"{found[name]:>9.1f} {'●' if there else '·'}{' ' if right else '!'}")
            if not right:
                self.wrong.append(f"{phase}: {name} at {where}: {found[name]:.1f} dB, not {sorted(heard)}")
        self.lines.append(f"{phase:22}{where:28}" + "".join(cells))
        if where.startswith(("caller, sent", "recording", "leg")):
            self.coach.append(found["coach"])

    def __str__(self) -> str:
        return "\n".join(self.lines)


def test_the_phases_are_the_table_of_modes() -> None:
    """What is expected here says the same as the table that the bridge obeys."""
    assert {phase.mode for phase in PHASES} == set(Mode) - {Mode.CONSULT}  # test_warm_transfer.py
    parts = {"operator": Part.OPERATOR, "supervisor": Part.OPERATOR}
    for phase in PHASES:
        heard = {parts.get(name) or Part(name) for name in phase.heard("caller")}
        assert heard == HEARS[phase.mode][Part.CALLER], phase


def test_who_hears_whom(house: Server, open_page: Open, tmp_path: Path) -> None:
    pages, ears = _join(house, open_page, tmp_path)
    call_id = call_page.figures(pages["caller"])["callId"]
    table = Table()
    try:
        times = [_conduct(phase, pages, ears, table) for phase in PHASES]
        pages["caller"].get_by_role("button", name="Hang up").click()
        _recordings(house, call_id, times, table)
    finally:
        print(f"\n{table}")
    print(f"coach wherever the caller could hear it: {max(table.coach):.1f} dB at most")
    assert not table.wrong, "\n".join(table.wrong)


def _join(house: Server, open_page: Open, folder: Path) -> tuple[dict[str, Page], dict[str, Ear]]:
    pages, ears, call_id = {}, {}, ""
    for name in EARS:
        page = pages[name] = open_page("about:blank", microphone(folder / f"{name}.wav", HERTZ[name]))
        page.context.add_init_script(TAP)
        ears[name] = Ear(page, BROWSER_HEADER if name == "caller" else 0)
        if name == "caller":
            page.goto(f"{house.url}/call?aec=off&codec=pcm16")
            call_page.start(page)
            call_page.wait(page, call_page.is_up)
            call_id = call_page.figures(page)["callId"]
        else:
            page.goto(f"{house.url}/desk/{call_id}?aec=off&role={name}")
            page.get_by_role("button", name="Listen").click()
            _wait(page, "link", "up")
    return pages, ears


def _wait(page: Page, name: str, value: str) -> None:
    """Until a figure of the desk's page is this."""
    end = time.monotonic() + 15
    while (seen := page.evaluate("({...window.offhookDesk})")).get(name) != value:
        assert time.monotonic() < end, f"the desk is stuck at {seen}"
        page.wait_for_timeout(30)


def _conduct(phase: Phase, pages: dict[str, Page], ears: dict[str, Ear], table: Table) -> tuple[float, float]:
    """Bring the phase about and listen for a while; when that was."""
    desk = pages["operator"]
    for key in phase.supervisor:
        pages["supervisor"].keyboard.press(key)
    for step in phase.operator.split():
        key, _, mode = step.partition(">")
        desk.keyboard.press(key)
        if mode:
            _wait(desk, "mode", mode)
    _wait(desk, "mode", phase.mode.value)
    if phase.says:
        desk.keyboard.press("s")
        desk.keyboard.type("A line.")
        desk.keyboard.press("Enter")
        desk.keyboard.press("Escape")
    desk.wait_for_timeout(SETTLE_MS)
    seconds = HOLD_SECONDS if phase.mode is Mode.HOLD else SECONDS
    for ear in ears.values():
        ear.listen()
    began = time.time()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ears}
    for _ in range(pieces := ceil(seconds / LONGEST)):
        desk.wait_for_timeout(seconds / pieces * 1000)
        for name, ear in ears.items():
            parts[name].append(ear.played(seconds / pieces))
    ended = time.time()
    sounds = {name: (ear.sent(), np.concatenate(parts[name])) for name, ear in ears.items()}
    for name, (sent, played) in sounds.items():
        heard = phase.heard(name)
        table.add(phase.name, f"{name}, sent", sent, heard, ABSENT_DB)
        table.add(phase.name, f"{name}, played", played, heard, PLAYED_ABSENT_DB)
    return began, ended


def _recordings(house: Server, call_id: str, times: list[tuple[float, float]], table: Table) -> None:
    """What each recording has of each phase: both sides, and each leg of its own."""
    call = sealed(house, call_id)
    zero = datetime.fromisoformat(call["started_at"]).timestamp()
    sound = f"{house.url}/api/calls/{call_id}/recording?format=wav"
    left, right = recording(get(sound))
    legs = {leg: recording(get(f"{sound}&leg={leg}"))[0] for leg in LEGS}
    with pytest.raises(urllib.error.HTTPError):
        get(f"{sound}&leg=coach")
    for phase, (began, ended) in zip(PHASES, times, strict=True):
        part = slice(int((began - zero) * RATE), int((ended - zero) * RATE))
        answers = phase.heard("caller") - {"hold_audio"}
        table.add(phase.name, "recording, left", left[part], {"caller"}, ABSENT_DB)
        table.add(phase.name, "recording, right", right[part], answers, ABSENT_DB)
        for leg in LEGS:
            heard = {leg} & (answers | {"caller"})
            table.add(phase.name, f"leg {leg}", legs[leg][part], heard, ABSENT_DB)
