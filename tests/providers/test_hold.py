"""The house's own hold audio: a prepared clip, over and over, at every rate; without it, the notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.call.human_stage import level

from offhook.audio.g711 import Samples
from offhook.call.hold_audio import LINE_RATES, HoldAudio, hold_pattern, looped
from offhook.cli.checks import Mark
from offhook.cli.house_checks import check_hold
from offhook.desk.clips import ClipShelf
from offhook.providers.hold import make_hold
from offhook.settings import Settings


def tone(hertz: float, rate: int, seconds: float) -> Samples:
    times = np.arange(int(rate * seconds)) / rate
    return np.rint(8_000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def settings(folder: Path, name: str = "music") -> Settings:
    return Settings(data=folder, hold_audio=name)


def test_a_clip_is_what_callers_hear_who_wait(tmp_path: Path) -> None:
    ClipShelf(tmp_path / "clips").keep("music", tone(700, 22_050, 0.55), 22_050, "u1")
    pattern = make_hold(settings(tmp_path))
    for rate in LINE_RATES:
        assert pattern(rate) is pattern(rate), "it is at hand"
        assert len(pattern(rate)) == pytest.approx(0.55 * rate, abs=2)
        held = HoldAudio(rate, pattern)
        heard = np.concatenate([held.frame(on=True) for _ in range(100)])
        assert level(heard[rate // 2 :], 700, rate) > -16
        assert level(heard, 523.25, rate) < -45, "the notes are not heard"
        steps = np.abs(np.diff(heard.astype(int)))
        assert steps.max() < 1.05 * 8_000 * 2 * np.pi * 700 / rate, (
            "its end meets its beginning without a click"
        )
    (check,) = check_hold(settings(tmp_path))
    assert (check.mark, "0.6 s" in check.finding or "0.5 s" in check.finding) == (Mark.GOOD, True)


def test_a_clip_that_is_not_there_leaves_the_notes(tmp_path: Path) -> None:
    assert make_hold(settings(tmp_path)) is hold_pattern
    assert make_hold(settings(tmp_path, "")) is hold_pattern
    assert [check.mark for check in check_hold(settings(tmp_path))] == [Mark.WRONG]
    assert list(check_hold(settings(tmp_path, ""))) == []


def test_a_queue_has_its_own_before_the_house(tmp_path: Path) -> None:
    house, queue = looped(tone(700, 8_000, 1), 8_000), looped(tone(1_100, 8_000, 1), 8_000)
    held = HoldAudio(8_000, house)
    held.pattern = queue
    heard = np.concatenate([held.frame(on=True) for _ in range(50)])
    assert level(heard, 1_100, 8_000) > -20
    assert level(heard, 700, 8_000) < -45


def test_a_clip_of_next_to_nothing_is_silence() -> None:
    for count in (0, 1, 5):
        held = HoldAudio(8_000, looped(np.full(count, 9_000, np.int16), 8_000))
        for _ in range(10):
            frame = held.frame(on=True)
            assert frame is not None
            assert len(frame) == 160
