"""Makes, at the start, what the first call with humans on it would have to wait for on its tick. No calls."""

from __future__ import annotations

from offhook.audio.resample import prepare
from offhook.call.hold_audio import hold_pattern

RATES = (8_000, 16_000, 24_000, 48_000)
"""Of every leg that there can be: phones, browsers, headsets, programs."""


def prewarm() -> None:
    """Takes a fifth of a second of processor; what it makes is kept for the life of the process."""
    prepare(RATES)
    for rate in RATES:
        hold_pattern(rate)
