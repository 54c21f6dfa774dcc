"""Judges with the smart-turn v3.2 model whether a turn is complete, on a worker thread. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingModelError
from offhook.speech import models
from offhook.speech.clip import unpack
from offhook.speech.pool import Ticket, Workers
from offhook.speech.turn.features import RATE, log_mel

DEADLINE = 2.0
_SECONDS = 8
_Clip = tuple[bytes, AudioFormat]


class SmartTurn:
    """The provider. Batching gains nothing with this model, so clips go one by one.

    Raises MissingModelError when the weights are not installed.
    """

    name = "smart-turn"

    def __init__(self, path: Path | None = None, threads: int = 1) -> None:
        path = path or models.folder("smart-turn") / "smart-turn-v3.2-cpu.onnx"
        if not path.is_file():
            raise MissingModelError(self.name, f"cannot read {path}")
        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # an arena keeps its largest batch for ever
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.workers: Workers[_Clip, float] = Workers(self.name, self._judge, threads=threads)

    async def complete(self, audio: bytes, format: AudioFormat) -> float:
        """Probability that the turn is complete. Cancelling gives the work up if it has not begun."""
        last = audio[-format.size(_SECONDS * 1000) :]
        return await self.workers.run((last, format), DEADLINE)

    async def close(self) -> None:
        await self.workers.close()

    def _judge(self, tickets: Sequence[Ticket[_Clip, float]]) -> None:
        for ticket in tickets:
            features = log_mel(unpack(*ticket.item, RATE))
            probability = self._session.run(None, {"input_features": features[None]})[0]
            ticket.resolve(float(probability[0, 0]))
