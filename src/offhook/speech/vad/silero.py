"""Voice activity by Silero VAD 6: all streams of one rate in one inference.

The network runs in our own arithmetic (`silero_net.py`), a third of the cost; a model file with another
network in it runs in onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech import models
from offhook.speech.base import Pcm
from offhook.speech.vad.silero_net import Array, SileroNet
from offhook.speech.vad.slots import Slots
from offhook.speech.vad.weights import read_weights

_WINDOW = {8_000: 256, 16_000: 512}
_CONTEXT = {8_000: 32, 16_000: 64}
Run = Callable[[Array, Array], tuple[Array, Array]]


class SileroVad:
    """Windows of 32 ms at 8 or 16 kHz. Per stream a recurrent state [2, 128] and the last 4 ms of sound.

    Synchronous and for one thread: the media clock's.
    """

    def __init__(self, rate: int, path: Path | None = None) -> None:
        if rate not in _WINDOW:
            raise ProviderError("silero", f"takes 8000 or 16000 Hz, not {rate}", retryable=False)
        self.rate = rate
        self.window = _WINDOW[rate]
        self._context = _CONTEXT[rate]
        self._slots = Slots()
        self._state = np.zeros((2, 0, 128), np.float32)
        self._tail = np.zeros((0, self._context), np.float32)
        path = path or models.folder("silero-vad") / "silero_vad.onnx"
        try:
            self._run = _network(path, self._context + self.window) or _session(path, rate)
        except OSError:
            raise MissingModelError("silero", f"cannot read {path}") from None

    def open(self) -> int:
        slot = self._slots.open()
        if self._slots.capacity > len(self._tail):
            more = self._slots.capacity - len(self._tail)
            self._state = np.concatenate([self._state, np.zeros((2, more, 128), np.float32)], axis=1)
            self._tail = np.concatenate([self._tail, np.zeros((more, self._context), np.float32)])
        self.reset(slot)
        return slot

    def reset(self, slot: int) -> None:
        self._state[:, slot] = 0
        self._tail[slot] = 0

    def close(self, slot: int) -> None:
        self._slots.close(slot)

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> npt.NDArray[np.float32]:
        if not len(slots):
            return np.zeros(0, np.float32)
        places = np.asarray(slots, np.intp)
        sound = np.empty((len(places), self._context + self.window), np.float32)
        sound[:, : self._context] = self._tail[places]
        np.multiply(windows, np.float32(1 / 32768), out=sound[:, self._context :])
        speech, self._state[:, places] = self._run(sound, self._state[:, places])
        self._tail[places] = sound[:, -self._context :]
        return speech


def _network(path: Path, size: int) -> Run | None:
    """The network for sound of this size in our own arithmetic, if the file holds the one we know."""
    try:
        graphs = read_weights(path.read_bytes())
    except ValueError:
        return None
    for weights in graphs:
        try:
            network = SileroNet(weights)
        except (KeyError, ValueError, IndexError):
            continue
        if network.size == size:
            return network.run
    return None


def _session(path: Path, rate: int) -> Run:
    """The model as it is, in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False  # an arena keeps its largest batch for ever
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    hertz = np.array(rate, np.int64)

    def run(sound: Array, state: Array) -> tuple[Array, Array]:
        speech, after = session.run(None, {"input": sound, "state": state, "sr": hertz})
        return speech[:, 0], after

    return run
