"""How much a call is like a scam so far, or a customer how angry, counted from signs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from offhook.desk.coach.intents import DEMANDS, SCAM, Intent
from offhook.foundation.desk_events import WarningLevel

LEVELS = tuple(WarningLevel)
_I = Intent
POINTS = {
    _I.CLAIMS_AUTHORITY: 1,
    _I.PRESSURE: 1,
    _I.EVASION: 1,
    _I.SECRECY: 2,
    _I.LURE: 2,
    _I.FAMILY_EMERGENCY: 2,
    _I.REPORTS_FRAUD: 3,
    **dict.fromkeys(DEMANDS, 3),
}
"""What each sign of a scam adds, once per call: 1 point is low, 4 are critical."""


def higher(one: WarningLevel, other: WarningLevel) -> WarningLevel:
    return max(one, other, key=LEVELS.index)


def rank(level: WarningLevel) -> int:
    """0 for none to 4 for critical."""
    return LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class Signs:
    """What one turn shows. `flags` are the profile's red flags in it; `mood` 0 to 4: how angry."""

    intents: frozenset[Intent] = frozenset()
    flags: tuple[str, ...] = ()
    mood: int = 0


@dataclass(frozen=True, slots=True)
class Risk:
    """The signs of a call so far, in their order, and the highest level it has had."""

    seen: tuple[Intent, ...] = ()
    highest: int = 0
    level: WarningLevel = field(default=WarningLevel.NONE)

    def after(self, signs: Signs) -> Risk:
        """The risk once one more turn was heard. A turn without a sign is one level below the highest."""
        new = [i for i in Intent if i in signs.intents and i in POINTS and i not in self.seen]
        seen = (*self.seen, *new)
        level = max(0, self.highest - 1)
        if signs.intents & POINTS.keys():
            level = max(level, min(4, sum(POINTS[i] for i in seen)))
        if signs.flags:
            level = max(level, 3)
        level = max(level, signs.mood)
        return replace(self, seen=seen, highest=max(level, self.highest), level=LEVELS[level])

    @property
    def is_scam(self) -> bool:
        """Whether what was seen is more than a caller may honestly say."""
        return sum(POINTS[i] for i in self.seen if i in SCAM) >= 2
