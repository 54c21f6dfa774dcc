"""Makes a voice's clip begin and end where its speech does, and as loud as others'. For worker threads."""

from __future__ import annotations

import numpy as np

from offhook.speech.clip import Sound, levels

_LEVEL_DB, _PEAK = -20.0, 0.93
_MOST_GAIN_DB = 12.0
_SOUND_DB = -50.0
_BEFORE_MS, _AFTER_MS, _FADE_MS = 20, 60, 5


def shaped(sound: Sound, rate: int) -> Sound:
    """The speech alone, at the level wanted, with short fades; empty when there is none."""
    loud = levels(sound, rate)
    heard = np.flatnonzero(loud > _SOUND_DB)
    if not len(heard):
        return np.zeros(0, np.float32)
    frame = rate // 100
    start = max(0, int(heard[0]) * frame - _BEFORE_MS * rate // 1000 // 2)
    stop = min(len(sound), (int(heard[-1]) + 1) * frame)
    speech = sound[start:stop] * _gain(sound, loud)
    fade = np.linspace(0, 1, min(_FADE_MS * rate // 1000, len(speech) // 2), dtype=np.float32)
    speech[: len(fade)] *= fade
    speech[len(speech) - len(fade) :] *= fade[::-1]
    return np.concatenate([speech, np.zeros(_AFTER_MS * rate // 1000, np.float32)])


def _gain(sound: Sound, loud: Sound) -> np.float32:
    """Factor that brings the speech (what is within 30 dB of its loudest) to the level wanted, unclipped."""
    speech = loud[loud > loud.max() - 30]
    rms_db = 10 * np.log10(np.mean(10 ** (speech / 10)))
    gain = 10 ** (min(_LEVEL_DB - rms_db, _MOST_GAIN_DB) / 20)
    return np.float32(min(gain, _PEAK / np.abs(sound).max()))
