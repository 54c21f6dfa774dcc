"""Voice activity: slots, the energy and scripted detectors, and Silero on real speech in batches."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech.vad.energy import EnergyVad
from offhook.speech.vad.fake import ScriptedVad
from offhook.speech.vad.silero import SileroVad
from offhook.speech.vad.slots import Slots


def noise(windows: int, window: int, db: float, seed: int = 1) -> np.ndarray:
    sound = np.random.default_rng(seed).standard_normal((windows, window)) * 32768 * 10 ** (db / 20)
    return sound.clip(-32768, 32767).astype(np.int16)


def test_slots_are_reused_and_grow() -> None:
    slots = Slots()
    taken = [slots.open() for _ in range(40)]
    assert taken == list(range(40))
    assert slots.capacity == 64
    slots.close(7)
    assert slots.open() == 7
    slots.close(3)
    with pytest.raises(ValueError, match="slot 3"):
        slots.close(3)


def test_energy_follows_the_noise_floor_of_each_stream() -> None:
    vad = EnergyVad(8000)
    calm, loud = vad.open(), vad.open()
    for quiet, noisy in zip(noise(120, 256, -65), noise(120, 256, -45), strict=True):
        vad.probabilities([calm, loud], np.stack([quiet, noisy]))
    speech = noise(1, 256, -38)
    of_calm, of_loud = vad.probabilities([calm, loud], np.concatenate([speech, speech]))
    assert of_calm > 0.95
    assert of_loud < 0.3
    vad.reset(loud)
    assert vad.probabilities([loud], speech)[0] > 0.95
    assert vad.probabilities([calm], noise(1, 256, -65))[0] < 0.1
    vad.close(calm)
    assert len(vad.probabilities([], np.zeros((0, 256), np.int16))) == 0


def test_energy_hears_through_the_pauses_of_long_speech() -> None:
    vad = EnergyVad(16_000)
    slot = vad.open()
    heard = []
    for second in range(10):
        for window in np.concatenate([noise(25, 512, -25, second), noise(6, 512, -65, second)]):
            heard.append(float(vad.probabilities([slot], window[None])[0]))
    talking = [p for n, p in enumerate(heard) if n % 31 < 25]
    pausing = [p for n, p in enumerate(heard) if n % 31 >= 25]
    assert min(talking) > 0.9
    assert max(pausing) < 0.1


def test_energy_refuses_a_senseless_rate() -> None:
    with pytest.raises(ProviderError, match="1000 Hz or more"):
        EnergyVad(100)


def test_scripted_plays_its_script_per_stream() -> None:
    vad = ScriptedVad(8000, [0.1, 0.9], after=0.5)
    one, two = vad.open(), vad.open()
    silence = np.zeros((2, 256), np.int16)
    assert vad.probabilities([one], silence[:1]) == pytest.approx([0.1])
    assert vad.probabilities([one, two], silence) == pytest.approx([0.9, 0.1])
    assert vad.probabilities([one], silence[:1]) == pytest.approx([0.5])
    vad.reset(one)
    assert vad.probabilities([one], silence[:1]) == pytest.approx([0.1])
    vad.close(one)


@pytest.mark.models
@pytest.mark.parametrize("rate", [8000, 16_000])
def test_silero_hears_a_voice_and_not_noise(reading: dict[int, np.ndarray], rate: int) -> None:
    vad = SileroVad(rate)
    speech = reading[rate][: 3 * rate]
    windows = speech[: len(speech) // vad.window * vad.window].reshape(-1, vad.window)
    talker, quiet = vad.open(), vad.open()
    hiss = noise(len(windows), vad.window, -50)
    heard = np.array(
        [vad.probabilities([quiet, talker], np.stack([h, w])) for h, w in zip(hiss, windows, strict=True)]
    )
    assert (heard[:, 1] > 0.5).mean() > 0.5
    assert heard[:, 0].max() < 0.3


@pytest.mark.models
def test_silero_streams_do_not_disturb_each_other(reading: dict[int, np.ndarray]) -> None:
    alone, crowd = SileroVad(8000), SileroVad(8000)
    slot = alone.open()
    slots = [crowd.open() for _ in range(20)]
    windows = reading[8000][: 60 * 256].reshape(-1, 256)
    expected = [float(alone.probabilities([slot], window[None])[0]) for window in windows]
    late = [crowd.open() for _ in range(20)]
    crowd.close(slots[3])
    others = [*late, *slots[4:17]]
    got = []
    for number, window in enumerate(windows):
        batch = np.repeat(noise(1, 256, -20, number), len(others) + 1, axis=0)
        batch[-1] = window
        got.append(float(crowd.probabilities([*others, slots[17]], batch)[-1]))
    assert got == pytest.approx(expected, abs=1e-4)
    again = crowd.open()
    assert again == slots[3]
    crowd.reset(slots[17])
    assert crowd.probabilities([slots[17]], windows[:1])[0] == pytest.approx(expected[0], abs=1e-4)
    assert len(crowd.probabilities([], np.zeros((0, 256), np.int16))) == 0


def test_silero_refuses_other_rates_and_missing_weights(tmp_path) -> None:
    with pytest.raises(ProviderError, match="8000 or 16000"):
        SileroVad(24_000)
    with pytest.raises(MissingModelError, match="cannot read"):
        SileroVad(8000, tmp_path / "none.onnx")
