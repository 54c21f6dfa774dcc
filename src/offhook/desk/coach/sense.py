"""The meaning of an English turn as a vector, by the packaged MiniLM; none where that is missing."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import structlog

from offhook.foundation.errors import ProviderError
from offhook.speech.llm.receptionist.similarity import Similarity, shared

WIDTH = 384
_log = structlog.get_logger(__name__)


class Sense:
    """Loaded when it is first asked (0.3 s); one for the process, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Similarity | None = None
        self._missing = False

    def vector(self, plain: str) -> npt.NDArray[np.float32] | None:
        """[WIDTH], length 1, about 3 ms; None where there is no model."""
        with self._lock:
            if self._model is None and not self._missing:
                try:
                    self._model = shared()
                except ProviderError as error:
                    self._missing = True
                    _log.warning("the coach reads without its embedding model", reason=error.reason)
        return None if self._model is None else self._model.vectors([plain])[0]
