"""Silero's network in our own arithmetic against onnxruntime, and the reader of its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhook.speech import models
from offhook.speech.vad import silero
from offhook.speech.vad.silero import SileroVad
from offhook.speech.vad.weights import read_weights


@pytest.mark.models
@pytest.mark.parametrize("rate", [8000, 16_000])
def test_it_agrees_with_the_runtime_on_speech_and_noise(
    rate: int, reading: dict[int, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = SileroVad(rate)
    monkeypatch.setattr(silero, "_network", lambda path, size: None)
    theirs = SileroVad(rate)
    assert ours._run.__qualname__ != theirs._run.__qualname__
    rng = np.random.default_rng(3)
    windows = reading[rate][: len(reading[rate]) // ours.window * ours.window].reshape(-1, ours.window)
    slots = [(ours.open(), theirs.open()) for _ in range(12)]
    for window in windows[:150]:
        batch = np.stack([window // 2**quieter for quieter in range(8)] + [window] * 4)
        batch[8:] = rng.integers(-20_000, 20_000, (4, ours.window)) // [[1], [10], [100], [10_000]]
        got = ours.probabilities([slot for slot, _ in slots], batch)
        expected = theirs.probabilities([slot for _, slot in slots], batch)
        assert np.abs(got - expected).max() < 1e-3


@pytest.mark.models
def test_one_stream_alone_is_as_one_in_a_crowd(reading: dict[int, np.ndarray]) -> None:
    vad = SileroVad(8000)
    slots = [vad.open() for _ in range(31)]
    alone = vad.open()
    for window in reading[8000][: 60 * 256].reshape(-1, 256):
        crowd = vad.probabilities(slots, np.repeat(window[None], 31, axis=0))
        single = vad.probabilities([alone], window[None])
        assert crowd == pytest.approx(np.repeat(single, 31), abs=1e-4)


@pytest.mark.models
def test_the_published_file_holds_both_rates() -> None:
    file = models.folder("silero-vad") / "silero_vad.onnx"
    shapes = [w["stft.forward_basis_buffer"].shape for w in read_weights(file.read_bytes()) if len(w) > 10]
    assert sorted(shapes) == [(130, 1, 128), (258, 1, 256)]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff",
        b"\x3a\x7f",
        b"\x38\x05",
        b"\x3b",
        b"\x3a\x02\x08\x05\x3a\x02\x0a\x09",
        b"\x3a\x03\x09\x00\x00",
    ],
)
def test_what_is_no_model_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="model"):
        read_weights(raw)


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def constant(name: str, tensor: bytes) -> bytes:
    return field(1, field(2, name.encode()) + field(5, field(5, tensor)))


def test_only_float_constants_are_read_in_branches_too(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<f4").tobytes()
    floats = field(1, varint(2) + varint(3)) + field(2, 1) + field(9, values)
    plain = field(1, 6) + field(2, 1) + b"\x6d\x00\x00\x00\x00" + b"\x71" + bytes(8) + field(9, values)
    integers = field(1, 2) + field(2, 7) + field(9, bytes(16))
    inner = constant("branch__layer.weight", floats)
    graph = (
        field(4, b"x")
        + constant("plain", plain)
        + constant("n", integers)
        + field(1, field(5, field(6, inner)))
    )
    found = read_weights(field(1, 8) + field(7, graph))
    assert [{name: array.tolist() for name, array in weights.items()} for weights in found] == [
        {"layer.weight": [[0, 1, 2], [3, 4, 5]]},
        {"plain": [0, 1, 2, 3, 4, 5]},
    ]
    file = tmp_path / "other.onnx"
    for content in (field(7, graph), b"\xff"):
        file.write_bytes(content)
        assert silero._network(file, 288) is None
