"""What can be set of the coach who helps an operator on a live call. Values only."""

from __future__ import annotations

from pydantic import Field

from offhook.settings.coach_voice import CoachVoice
from offhook.settings.vendors import Section


class Coach(Section):
    """`[coach]`."""

    voice: CoachVoice = Field(default_factory=CoachVoice)
