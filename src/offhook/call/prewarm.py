"""Makes, at the start, what the first call with humans on it would have to wait for on its tick. No calls."""

from __future__ import annotations

from offhook.audio.resample import prepare
from offhook.call.hold_audio import LINE_RATES, hold_pattern


def prewarm() -> None:
    """Takes a fifth of a second of processor; what it makes is kept for the life of the process."""
    prepare(LINE_RATES)
    for rate in LINE_RATES:
        hold_pattern(rate)
