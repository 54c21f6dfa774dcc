"""End of turn: Whisper's features by value, smart-turn on real speech, and the models without a model."""

from __future__ import annotations

import asyncio
import importlib.util
from types import ModuleType

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech import models
from offhook.speech.clip import pack
from offhook.speech.turn.fake import ScriptedTurn
from offhook.speech.turn.features import SAMPLES, log_mel
from offhook.speech.turn.silence import SilenceTurn
from offhook.speech.turn.smart_turn import SmartTurn


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The features as the model's publisher computes them, from its package, which is not imported."""
    path = models.folder("smart-turn").parent / "_whisper_features.py"
    spec = importlib.util.spec_from_file_location("reference_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.models
@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.0, 8.0, 9.5])
def test_features_equal_the_reference(
    reference: ModuleType, reading: dict[int, np.ndarray], seconds: float
) -> None:
    sound = reading[16_000][: int(seconds * 16_000)].astype(np.float32) / 32768
    whole = np.zeros(SAMPLES, np.float32)
    if len(sound):
        whole[-len(sound[-SAMPLES:]) :] = sound[-SAMPLES:]
    features = log_mel(sound)
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference.compute_whisper_log_mel_features(whole), atol=1e-4)


@pytest.mark.models
async def test_smart_turn_tells_an_end_from_a_cut(reading: dict[int, np.ndarray]) -> None:
    turn = SmartTurn()
    sound = np.concatenate([reading[8000], np.zeros(2400, np.int16)]).astype(np.float32) / 32768
    for format in (PHONE, WIDEBAND):
        complete = await turn.complete(pack(sound, 8000, format), format)
        cut = await turn.complete(pack(sound[: int(8000 * 1.1)], 8000, format), format)
        assert complete > 0.7
        assert 0 <= cut < complete
    many = await asyncio.gather(*(turn.complete(pack(sound, 8000, PHONE), PHONE) for _ in range(3)))
    assert len({round(p, 4) for p in many}) == 1
    assert 0 <= await turn.complete(b"", PHONE) <= 1
    await turn.close()
    with pytest.raises(ProviderError, match="closed"):
        await turn.complete(b"", PHONE)


def test_smart_turn_without_weights_says_how(tmp_path) -> None:
    with pytest.raises(MissingModelError, match="cannot read"):
        SmartTurn(tmp_path / "none.onnx")


async def test_silence_always_says_the_same() -> None:
    turn = SilenceTurn(0.25)
    assert await turn.complete(b"\xff" * 800, PHONE) == 0.25
    await turn.close()


async def test_scripted_turns_follow_the_script() -> None:
    turn = ScriptedTurn([0.1, 0.9], delay=0.001)
    assert [await turn.complete(b"", PHONE) for _ in range(3)] == [0.1, 0.9, 0.9]
    turn.error = "broken"
    with pytest.raises(ProviderError, match="broken"):
        await turn.complete(b"", PHONE)
    await turn.close()
