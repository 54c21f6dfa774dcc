"""The network of Silero VAD 5 and 6 as products of matrices over a whole batch. No streams, no files.

A general runtime runs its small convolutions one stream at a time, each far too small for a CPU's
vector units; side by side they are a handful of large products. The weights are the published ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhook.speech.vad.weights import Weights

Array = npt.NDArray[np.float32]

FRAMES = 4
"""Spectra per window, each half overlapping the next."""


class SileroNet:
    """Built from one rate's weights. KeyError or ValueError when they are another network's.

    `size` is the samples it takes (a window after its context), 4 and a half hops of `hop`.
    """

    def __init__(self, weights: Weights) -> None:
        basis = weights["stft.forward_basis_buffer"]
        self.hop = basis.shape[2] // 2
        self.size = (FRAMES + 1) * self.hop - self.hop // 2
        self._bins = basis.shape[0] // 2
        self._basis = np.ascontiguousarray(basis[:, 0].T)
        taps = [_taps(weights, layer) for layer in range(4)]
        narrow = taps[2].shape[0] // 3, taps[3].shape[0] // 3
        # The third layer sees two steps behind a padding, the fourth one step between two of them.
        self._layers = taps[0], taps[1], taps[2][narrow[0] :], taps[3][narrow[1] : 2 * narrow[1]]
        self._biases = [weights[f"encoder.{layer}.reparam_conv.bias"] for layer in range(4)]
        both = (weights["decoder.rnn.weight_ih"].T, weights["decoder.rnn.weight_hh"].T)
        self._cell = np.ascontiguousarray(np.concatenate(both))
        self._cell_bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._out = weights["decoder.decoder.2.weight"][0, :, 0]
        self._out_bias = weights["decoder.decoder.2.bias"][0]

    def run(self, sound: Array, state: Array) -> tuple[Array, Array]:
        """Speech probabilities [N] and states [2, N, 128] after sound [N, size] (±1) at the states before."""
        steps = self._convolve(self._convolve(self._spectra(sound), 0, 1), 1, 2)
        for layer in (2, 3):
            steps = _relu(steps.reshape(len(sound), -1) @ self._layers[layer] + self._biases[layer])
        gates = np.concatenate([steps, state[0]], axis=1) @ self._cell + self._cell_bias
        inward, forget, fresh, outward = np.split(gates, 4, axis=1)
        after = np.empty_like(state)
        after[1] = _sigmoid(forget) * state[1] + _sigmoid(inward) * np.tanh(fresh)
        after[0] = _sigmoid(outward) * np.tanh(after[1])
        return _sigmoid(np.maximum(after[0], 0) @ self._out + self._out_bias), after

    def _spectra(self, sound: Array) -> Array:
        """Magnitudes [N, 4, bins] of the sound and half a hop of its reflection."""
        mirrored = sound[:, -2 : -2 - self.hop // 2 : -1]
        padded = np.concatenate([sound, mirrored], axis=1)
        found = _windows(padded, FRAMES, 2 * self.hop, self.hop) @ self._basis
        np.square(found, out=found)
        power = found[:, : self._bins] + found[:, self._bins :]
        magnitudes: Array = np.sqrt(power, out=power).reshape(len(sound), FRAMES, -1)
        return magnitudes

    def _convolve(self, steps: Array, layer: int, stride: int) -> Array:
        """A convolution over three steps of [N, T, channels], padded by one on each side; rectified."""
        streams, length, channels = steps.shape
        padded = np.zeros((streams, length + 2, channels), np.float32)
        padded[:, 1:-1] = steps
        windows = _windows(padded.reshape(streams, -1), length // stride, 3 * channels, stride * channels)
        out = _relu(windows @ self._layers[layer] + self._biases[layer])
        return out.reshape(streams, length // stride, -1)


def _taps(weights: Weights, layer: int) -> Array:
    """A convolution's weights [out, in, 3] as a matrix [3 · in, out], the earliest step first."""
    kernel = weights[f"encoder.{layer}.reparam_conv.weight"]
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0]))


def _windows(rows: Array, count: int, size: int, hop: int) -> Array:
    """`count` stretches of `size` out of each row, `hop` apart, as rows [N · count, size] of their own."""
    sliding = np.lib.stride_tricks.sliding_window_view(rows, size, axis=1)[:, ::hop][:, :count]
    return sliding.reshape(-1, size)


def _relu(values: Array) -> Array:
    positive: Array = np.maximum(values, 0, out=values)
    return positive


def _sigmoid(values: Array) -> Array:
    half = np.float32(0.5)
    result: Array = np.tanh(values * half) * half + half  # never overflows, as the exponential does
    return result
