"""Signs that need no statistics: what the words of one turn ask for or claim, by what they mean. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from offhook.desk.coach.intents import Intent
from offhook.desk.coach.words import plain

_I = Intent


@dataclass(frozen=True, slots=True)
class Rule:
    """A sign where each group of concepts has one in the turn, and none of `without` is there."""

    sign: Intent
    groups: tuple[frozenset[str], ...]
    without: frozenset[str] = frozenset()


def _rule(sign: Intent, *groups: str, without: str = "") -> Rule:
    return Rule(sign, tuple(frozenset(group.split()) for group in groups), frozenset(without.split()))


_OWN = "victim wrong thanks cancel"
RULES = (
    _rule(_I.ASKS_SECRET, "secret", "imp_give you_receive", without=_OWN),
    _rule(_I.ASKS_REMOTE, "remote", without=_OWN),
    _rule(_I.ASKS_REMOTE, "device", "connect install", "must imp_give", without="victim broken_tech cancel"),
    _rule(_I.ASKS_MONEY, "giftcard", "buy must imp_give pay money", without=_OWN),
    _rule(_I.ASKS_MONEY, "crypto", "pay transfer must fee", without=_OWN),
    _rule(_I.ASKS_MONEY, "transfer", "money account", "must urgent imp_give account", without=_OWN + " bill"),
    _rule(_I.CLAIMS_AUTHORITY, "dept", "bank police state techfirm", without="victim want_talk"),
    _rule(_I.PRESSURE, "threat", without="victim anger escalate trouble"),
    _rule(_I.PRESSURE, "account card", "blocked", without="victim broken_tech cancel bill"),
    _rule(_I.SECRECY, "dont_tell", without="victim anger"),
    _rule(_I.SECRECY, "hold_line", without="victim anger"),
    _rule(_I.FAMILY_EMERGENCY, "family", "trouble", without="victim book bill"),
    _rule(_I.LURE, "prize", "money invest"),
    _rule(_I.LURE, "invest", "invest", "money urgent", without="price"),
    _rule(_I.EVASION, "why_ask"),
    _rule(_I.EVASION, "no_callback"),
    _rule(_I.EVASION, "skip_check"),
    _rule(_I.REPORTS_FRAUD, "victim", "secret money transfer bank remote card giftcard"),
)
MOODS = (("violence", 4), ("escalate", 3), ("anger", 2))
"""How bad it is, 0 to 4, where a customer is angry."""


def by_rule(concepts: Collection[str]) -> frozenset[Intent]:
    """Intents of which the turn shows a sign for certain."""
    said = frozenset(concepts)
    return frozenset(
        rule.sign for rule in RULES if all(group & said for group in rule.groups) and not rule.without & said
    )


def mood(concepts: Collection[str], intent: Intent) -> int:
    """A customer's anger: complaints 1, anger 2, anger with others called in 3, violence 4."""
    if "violence" in concepts and intent in (_I.ANGRY, _I.COMPLAINT):
        return 4
    if intent is _I.ANGRY:
        return next((value for name, value in MOODS if name in concepts), 2)
    return 1 if intent in (_I.COMPLAINT, _I.CANCEL) else 0


class Flags:
    """The red flags of a profile: phrases, found whatever the marks and forms of their letters."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = [(f" {plain(phrase)} ", phrase) for phrase in phrases if plain(phrase)]

    def find(self, said: str) -> tuple[str, ...]:
        """Those in a text that `words.plain` made, as the settings spell them."""
        padded = f" {said} "
        return tuple(phrase for form, phrase in self._phrases if form in padded)
