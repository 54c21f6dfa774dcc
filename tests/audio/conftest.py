"""Lets the audio tests import their shared sounds (`audio_signals`) under pytest's importlib mode."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
