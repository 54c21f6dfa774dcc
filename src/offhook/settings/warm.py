"""What can be set of warm transfers: how long everybody takes. Values only."""

from __future__ import annotations

from pydantic import Field

from offhook.desk.warm.ports import WarmRules
from offhook.settings.vendors import Section


class Warm(Section):
    """`[warm]`: seconds."""

    ring_seconds: float = Field(default=20.0, ge=1, le=120)
    """For one person to answer."""
    join_seconds: float = Field(default=10.0, ge=1, le=60)
    """For who answered to be on the call."""
    decide_seconds: float = Field(default=90.0, ge=5, le=600)
    """For who is told about the call to take it, or not."""
    search_seconds: float = Field(default=90.0, ge=1, le=600)
    """Nobody else is rung after that."""
    sentence_seconds: float = Field(default=8.0, ge=0, le=30)
    """For the agent to end its sentence before the caller hears hold audio."""
    summary_seconds: float = Field(default=2.5, ge=0, le=20)
    """For the coach's model to sum the call up; later the briefing is the local one."""

    def rules(self) -> WarmRules:
        return WarmRules(
            ring_s=self.ring_seconds,
            join_s=self.join_seconds,
            decide_s=self.decide_seconds,
            all_s=self.search_seconds,
            say_s=self.sentence_seconds,
            summary_s=self.summary_seconds,
        )
