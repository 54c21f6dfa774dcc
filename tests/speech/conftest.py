"""Speech for the tests with real models: the read passage that comes with the speech-to-text weights."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator

import numpy as np
import pytest
import soxr

from offhook.speech import models
from offhook.speech.stt.moonshine import MoonshineStt
from offhook.speech.stt.moonshine_model import MoonshineModel


@pytest.fixture(scope="session")
def reading() -> dict[int, np.ndarray]:
    """Ten seconds ("Ever tried, ever failed, no matter, …"), PCM16 samples by rate."""
    with wave.open(str(models.folder("moonshine-tiny-en").parent / "beckett.wav")) as source:
        assert source.getframerate() == 16_000
        wide = np.frombuffer(source.readframes(source.getnframes()), "<i2")
    narrow = soxr.resample(wide.astype(np.float32), 16_000, 8000)
    return {16_000: wide, 8000: narrow.clip(-32768, 32767).astype(np.int16)}


@pytest.fixture(scope="session")
def model() -> MoonshineModel:
    return MoonshineModel(models.folder("moonshine-tiny-en"))


@pytest.fixture
async def stt(monkeypatch: pytest.MonkeyPatch, model: MoonshineModel) -> AsyncIterator[MoonshineStt]:
    """The provider on a model that is loaded once for all tests."""
    monkeypatch.setattr("offhook.speech.stt.moonshine.MoonshineModel", lambda folder, threads: model)
    stt = MoonshineStt()
    yield stt
    await stt.close()
