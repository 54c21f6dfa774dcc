"""Whatever comes, in any order: the rules of the coach's voice in one ear."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.ear_stage import Desk, Manner, MoodyTts, card

from offhook.desk.ear import EarWishes
from offhook.desk.ear_queue import MOST_QUEUED
from offhook.foundation.desk_events import CardStatus
from offhook.foundation.errors import NotFoundError, RefusedError

pytestmark = pytest.mark.looptime
QUEUED, PLAYING, SHOWN = CardStatus.QUEUED, CardStatus.PLAYING, CardStatus.SHOWN
USED, DISMISSED, EXPIRED = CardStatus.USED, CardStatus.DISMISSED, CardStatus.EXPIRED


# Whatever happens.

ACTS = st.one_of(
    st.tuples(st.just("card"), st.integers(0, 3), st.integers(200, 8_000), st.integers(0, 5)),
    st.tuples(st.just("supersede"), st.integers(0, 3), st.integers(200, 8_000), st.integers(0, 5)),
    st.tuples(st.sampled_from(["play", "used", "dismissed"]), st.integers(0, 20)),
    st.tuples(st.sampled_from(["stop", "talk", "quiet", "mute", "unmute", "manual", "hold", "unhold"])),
    st.tuples(st.just("wait"), st.floats(0.01, 1.5)),
)
AFTER = {
    None: {QUEUED, SHOWN, EXPIRED},
    QUEUED: {PLAYING, SHOWN, USED, DISMISSED, EXPIRED},
    PLAYING: {SHOWN, USED, DISMISSED, EXPIRED},
    SHOWN: {QUEUED, USED, DISMISSED, EXPIRED},
    USED: set(),
    DISMISSED: set(),
    EXPIRED: set(),
}
MANNERS = [
    Manner(),
    Manner(delay=3),
    Manner(pieces=1, error="broke"),
    Manner(pieces=8, pause=0.2),
    Manner(0, 2),
]


@given(acts=st.lists(ACTS, max_size=30))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_comes_the_queue_keeps_its_rules(acts: list[tuple[Any, ...]]) -> None:
    desk = Desk(MoodyTts(manners={f"Line {n}.": MANNERS[n % len(MANNERS)] for n in range(6)}))
    made = 0
    wishes = EarWishes()
    for act in acts:
        match act:
            case ("card" | "supersede" as how, priority, life, line):
                old = f"c{made - 1}" if how == "supersede" else ""
                life += int(desk.now_ms())
                desk.queue.card(
                    card(f"c{made}", f"Line {line}.", priority=priority, expires_ms=life, supersedes=old)
                )
                made += 1
            case ("play" | "used" | "dismissed" as what, number):
                try:
                    getattr(desk.queue, what)(f"c{number}")
                except (RefusedError, NotFoundError):
                    pass
            case ("wait", seconds):
                await asyncio.sleep(seconds)
            case ("stop",):
                desk.queue.stop()
            case ("talk" | "quiet" as on,):
                desk.seat.speaking = on == "talk"
            case ("hold" | "unhold" as on,):
                desk.ear.open = on == "unhold"
                desk.queue.route_changed()
            case (wish,):
                wishes = EarWishes(mute=wish == "mute", auto_play=wish != "manual")
                desk.queue.change(wishes)
        check_rules(desk, wishes, made)
    await asyncio.sleep(100)
    assert not desk.ear.sounds
    for number in range(made):
        assert desk.queue.status(f"c{number}") in (None, USED, DISMISSED, EXPIRED)
    await desk.close()


def check_rules(desk: Desk, wishes: EarWishes, made: int) -> None:
    states = {f"c{number}": desk.statuses(f"c{number}") for number in range(made)}
    for path in states.values():
        for before, after in zip([None, *path], path, strict=False):
            assert after in AFTER[before], path
    playing = [id for id in states if desk.queue.status(id) is PLAYING]
    assert len(playing) <= 1
    assert desk.ear.sounds <= len(playing)
    assert sum(desk.queue.status(id) is QUEUED for id in states) <= MOST_QUEUED
    if wishes.mute or not desk.ear.open:
        assert not desk.ear.sounds
