"""What can be set of the coach's voice in an operator's ear. Values only."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offhook.settings.speech import TtsName
from offhook.settings.vendors import Section

SLOWEST, FASTEST = 0.5, 2.0
QUIETEST_DB = -40.0


class CoachVoice(Section):
    """`[coach.voice]`: what an operator hears who has chosen nothing else."""

    provider: TtsName | Literal[""] = ""
    """Empty: the voices of `speech.tts`, in their order."""
    voice: str = Field(default="", max_length=128)
    speed: float = Field(default=1.0, ge=SLOWEST, le=FASTEST)
    volume: float = Field(default=1.0, ge=0, le=1)
    duck_db: float = Field(default=-12.0, ge=QUIETEST_DB, le=0)
    """How much quieter the others are for the operator while the coach speaks."""
    auto_play: bool = True
    """Whether cards are spoken unasked."""
