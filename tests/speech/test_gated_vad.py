"""The gate before a detector: what is let through, what is shown first, and that speech survives it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from offhook.speech.base import Pcm
from offhook.speech.vad.fake import ScriptedVad
from offhook.speech.vad.gated import HANGOVER, GatedVad
from offhook.speech.vad.silero import SileroVad

WINDOW = 256


class Listening(ScriptedVad):
    """A scripted detector that keeps what it was shown."""

    def __init__(self, after: float = 0.0) -> None:
        super().__init__(8000, after=after)
        self.seen: list[tuple[int, np.ndarray]] = []

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> np.ndarray:
        self.seen += zip(slots, windows, strict=True)
        return super().probabilities(slots, windows)


def noise(windows: int, db: float, seed: int = 1, window: int = WINDOW) -> np.ndarray:
    sound = np.random.default_rng(seed).standard_normal((windows, window)) * 32768 * 10 ** (db / 20)
    return sound.clip(-32768, 32767).astype(np.int16)


def settled(vad: GatedVad, db: float, windows: int = 120) -> int:
    slot = vad.open()
    for window in noise(windows, db):
        vad.probabilities([slot], window[None])
    return slot


@pytest.mark.parametrize("db", [-90, -70, -55, -40, -25])
def test_steady_noise_of_any_level_ends_outside(db: float) -> None:
    inner = Listening()
    vad = GatedVad(inner)
    slot = settled(vad, db)
    inner.seen.clear()
    for window in noise(50, db, seed=2):
        assert vad.probabilities([slot], window[None])[0] == 0
    assert len(inner.seen) <= 10


def test_a_louder_window_is_judged_and_the_one_before_it_shown_first() -> None:
    inner = Listening(after=0.9)
    vad = GatedVad(inner)
    slot = vad.open()
    for window in np.zeros((HANGOVER, WINDOW), np.int16):
        vad.probabilities([slot], window[None])
    inner.after = 0.0
    for window in noise(60, -60):
        vad.probabilities([slot], window[None])
    before, onset = noise(2, -60, seed=3)
    vad.probabilities([slot], before[None])
    onset[-WINDOW // 4 :] = noise(1, -40, seed=4, window=WINDOW // 4)[0]
    inner.seen.clear()
    inner.after = 0.7
    assert vad.probabilities([slot], onset[None])[0] == pytest.approx(0.7)
    assert [(s, w.tolist()) for s, w in inner.seen] == [(slot, before.tolist()), (slot, onset.tolist())]


def test_the_gate_stays_open_for_a_while_after_loudness_or_speech() -> None:
    inner = Listening()
    vad = GatedVad(inner)
    slot = settled(vad, -70)
    silence = np.zeros((1, WINDOW), np.int16)
    vad.probabilities([slot], noise(1, -30))
    inner.seen.clear()
    for _ in range(HANGOVER + 5):
        vad.probabilities([slot], silence)
    assert len(inner.seen) == HANGOVER
    vad.probabilities([slot], noise(1, -30))
    inner.seen.clear()
    inner.after = 0.6
    for _ in range(40):
        assert vad.probabilities([slot], silence)[0] == pytest.approx(0.6)
    assert len(inner.seen) == 40


def test_speech_does_not_lift_the_floor_however_long_it_lasts() -> None:
    inner = Listening(after=0.9)
    vad = GatedVad(inner)
    slot = vad.open()
    for window in noise(400, -30):
        assert vad.probabilities([slot], window[None])[0] == pytest.approx(0.9)


def test_streams_have_their_own_gates_and_a_reused_slot_starts_anew() -> None:
    inner = Listening()
    vad = GatedVad(inner)
    calm = [vad.open() for _ in range(40)]
    for window in noise(60, -80):
        vad.probabilities(calm, np.repeat(window[None], 40, axis=0))
    batch = np.repeat(noise(1, -80, seed=5), 40, axis=0)
    batch[17] = noise(1, -30)[0]
    inner.after = 0.9
    heard = vad.probabilities(calm, batch)
    assert np.flatnonzero(heard).tolist() == [17]
    vad.close(calm[3])
    assert vad.open() == calm[3]
    heard = vad.probabilities([calm[4], calm[3]], batch[:2])
    assert heard.tolist() == pytest.approx([0.0, 0.9])
    vad.reset(calm[4])
    assert vad.probabilities([calm[4]], batch[:1])[0] == pytest.approx(0.9)
    assert len(vad.probabilities([], np.zeros((0, WINDOW), np.int16))) == 0


def sentences(sound: np.ndarray, level_db: float, snr_db: float) -> np.ndarray:
    """Speech at a level, between pauses of 1.5 s, over steady noise; windows of 8 kHz."""
    speech = sound.astype(np.float32)
    speech *= 32768 * 10 ** (level_db / 20) / np.sqrt((speech**2).mean())
    pause = np.zeros(12_000, np.float32)
    parts = [pause, speech[:16_000], pause, speech[16_000:40_000], pause]
    joined = np.concatenate(parts)
    hiss = np.random.default_rng(7).standard_normal(len(joined)) * 32768 * 10 ** ((level_db - snr_db) / 20)
    mixed = (joined + hiss).clip(-32768, 32767).astype(np.int16)
    return mixed[: len(mixed) // WINDOW * WINDOW].reshape(-1, WINDOW)


@pytest.mark.models
@pytest.mark.parametrize(("level_db", "snr_db"), [(-26, 40), (-26, 20), (-26, 10), (-45, 20)])
def test_speech_is_heard_as_without_a_gate_and_never_later(
    reading: dict[int, np.ndarray], level_db: float, snr_db: float
) -> None:
    plain, gated = SileroVad(8000), GatedVad(SileroVad(8000))
    slots = plain.open(), gated.open()
    windows = sentences(reading[8000], level_db, snr_db)
    free = np.array([plain.probabilities([slots[0]], w[None])[0] for w in windows]) >= 0.5
    held = np.array([gated.probabilities([slots[1]], w[None])[0] for w in windows]) >= 0.5
    assert (free == held).mean() > 0.95
    first = np.flatnonzero(free)[0]
    assert np.flatnonzero(held)[0] <= first + 1
    assert gated.inferred < gated.judged
