"""Reads one turn of the caller: intent, signs, and what they make of the call. Writes no text."""

from __future__ import annotations

from dataclasses import dataclass, field

from offhook.desk.coach import classifier, concepts
from offhook.desk.coach.intents import DEMANDS, SCAM, Intent
from offhook.desk.coach.profile import Kind, Profile
from offhook.desk.coach.risk import POINTS, Risk, Signs
from offhook.desk.coach.sense import Sense
from offhook.desk.coach.signs import Flags, by_rule, mood
from offhook.desk.coach.words import language_of, plain

SURE = 0.55
"""How probable an intent must be to count as a sign of a scam without a rule."""
SURE_OF_CUSTOMER = 0.7
"""The same on a support or sales desk, where most callers are honest."""
_RULE_WEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Reading:
    """What the coach makes of a turn. `new` are the signs that it adds to the call."""

    intent: Intent
    confidence: float
    language: str
    signs: Signs = field(default_factory=Signs)
    risk: Risk = field(default_factory=Risk)
    new: tuple[Intent, ...] = ()


class Reader:
    """Reads turns for one profile. Keeps nothing between them: the call's risk goes in and comes out."""

    def __init__(self, profile: Profile, sense: Sense | None = None) -> None:
        self._sense = sense
        self._profile = profile
        self._flags = Flags(profile.red_flags)
        self._among = profile.intents | {Intent.UNCLEAR}
        self._sure = SURE if profile.kind is Kind.FRAUD else SURE_OF_CUSTOMER
        self._classifier = classifier.shipped()

    def read(self, text: str, risk: Risk, language: str = "") -> Reading:
        """`language` is the call's so far, for turns without letters."""
        said = plain(text)
        found = concepts.find(said)
        ruled = by_rule(found) & self._among
        tongue = language_of(text, language or "en")
        meaning = self._sense.vector(said) if self._sense is not None and tongue == "en" and said else None
        shares = self._classifier.probabilities(said, self._among, meaning)
        intent, confidence = self._choose(shares, ruled, risk)
        sure = {i for i in SCAM & shares.keys() if shares[i] >= self._sure}
        shown = ruled | sure
        if intent in POINTS and confidence >= self._sure:
            shown |= {intent}
        if intent is Intent.REPORTS_FRAUD:
            shown = frozenset({intent})
        signs = Signs(frozenset(shown), self._flags.find(said), mood(found, intent))
        after = risk.after(signs)
        new = tuple(i for i in after.seen if i not in risk.seen)
        return Reading(intent, confidence, tongue, signs, after, new)

    def _choose(
        self, shares: dict[Intent, float], ruled: frozenset[Intent], risk: Risk
    ) -> tuple[Intent, float]:
        """The best intent: what a rule found counts more, and among scammers a demand more than its frame."""
        scored = {
            intent: share * (1 - _RULE_WEIGHT) + _RULE_WEIGHT * (intent in ruled) if ruled else share
            for intent, share in shares.items()
        }
        best = max(scored, key=lambda i: (scored[i], i in DEMANDS))
        return best, round(min(0.99, max(shares[best], scored[best])), 3)
