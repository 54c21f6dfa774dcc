"""The watchdog: what counts as a block of the loop, how often it is told, and whose stack it shows."""

from __future__ import annotations

import threading
import time

import structlog
from structlog.testing import capture_logs

from offhook.call import watchdog as module
from offhook.call.watchdog import QUIET_S, Watchdog
from offhook.foundation.clock import ManualClock, SystemClock


def test_a_block_is_counted_once_however_long_and_stacks_are_rare() -> None:
    clock = ManualClock(50.0)
    beats = [50.0]
    dog = Watchdog(clock, lambda: beats[0])
    with capture_logs() as logs:
        clock.advance(0.09)
        dog.look()
        assert dog.blocked == 0
        clock.advance(0.02)
        for _ in range(3):
            dog.look()
            clock.advance(0.5)
        assert dog.blocked == 1
        for gap in (0.2, 0.2, QUIET_S):
            beats[0] = clock.now()
            dog.look()
            clock.advance(gap)
            dog.look()
        assert dog.blocked == 4
    assert [log["ms"] for log in logs] == [110, 10_000]


def stall(seconds: float) -> None:
    time.sleep(seconds)


def test_it_shows_where_the_loop_stood(monkeypatch) -> None:
    monkeypatch.setattr(module, "_log", structlog.get_logger())
    clock = SystemClock()
    beat = clock.now()
    dog = Watchdog(clock, lambda: beat)
    with capture_logs() as logs:
        dog.start()
        stall(0.25)
        dog.stop()
    assert dog.blocked == 1
    assert "stall(0.25)" in logs[0]["stack"]
    assert "time.sleep(seconds)" in logs[0]["stack"]
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]
    dog.stop()
