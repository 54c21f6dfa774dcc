"""Clips for the caller's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from offhook.audio.wav import write_wav

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def clip_file(tmp_path: Path) -> Path:
    """A 44.1 kHz stereo WAV: 100 ms of silence, 200 ms of tone, 50 ms of silence."""
    rate = 44_100
    sound = np.zeros(int(0.35 * rate), np.int16)
    time = np.arange(int(0.2 * rate)) / rate
    sound[int(0.1 * rate) : int(0.1 * rate) + len(time)] = (9000 * np.sin(2 * np.pi * 500 * time)).astype(
        np.int16
    )
    path = tmp_path / "question.wav"
    path.write_bytes(write_wav(np.column_stack((sound, sound)), rate))
    return path
