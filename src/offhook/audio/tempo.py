"""Makes speech faster or slower at the same pitch, as it arrives. FFmpeg's `atempo` does the work."""

from __future__ import annotations

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from offhook.audio.g711 import Samples
from offhook.foundation.errors import WireError

SLOWEST, FASTEST = 0.5, 2.0
_PIECE_MS = 20
"""The filter is fed in pieces of one size, so that what it does is the same however the stream is cut."""


class Tempo:
    """One stream of mono int16 at `rate` Hz, `speed` times as fast. At 1.0 samples pass untouched.

    Held back until more comes, or until `finish`: up to 0.1 s. What is shorter than a syllable may get lost.
    Raises WireError for a speed out of bounds.
    """

    def __init__(self, rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise WireError(f"a speed is between {SLOWEST} and {FASTEST}")
        self._rate = rate
        self._graph = _graph(rate, speed) if speed != 1.0 else None
        self._rest = np.empty(0, np.int16)
        self._at = 0

    def feed(self, samples: Samples) -> Samples:
        """The samples that these complete."""
        if self._graph is None:
            return samples
        waiting = np.concatenate((self._rest, samples))
        step = self._rate * _PIECE_MS // 1000
        whole = len(waiting) // step * step
        self._rest = waiting[whole:]
        for start in range(0, whole, step):
            self._push(self._graph, waiting[start : start + step])
        return self._pulled(self._graph)

    def finish(self) -> Samples:
        """What was held back. The stream is over."""
        if self._graph is None or not self._at + len(self._rest):
            return np.empty(0, np.int16)
        if len(self._rest):
            self._push(self._graph, self._rest)
        self._graph.push(None)
        return self._pulled(self._graph)

    def _push(self, graph: Graph, samples: Samples) -> None:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = self._rate, self._at
        self._at += len(samples)
        graph.push(frame)

    def _pulled(self, graph: Graph) -> Samples:
        pieces = []
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            assert isinstance(frame, AudioFrame)
            pieces.append(frame.to_ndarray().reshape(-1).astype(np.int16))
        return np.concatenate(pieces) if pieces else np.empty(0, np.int16)


def _graph(rate: int, speed: float) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(sample_rate=rate, format="s16", layout="mono")
    tempo = graph.add("atempo", f"{speed:.3f}")
    sink = graph.add("abuffersink")
    graph.link_nodes(source, tempo, sink).configure()
    return graph
