"""What a desk is about, for its coach: kind, instructions, intents, red flags. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from offhook.desk.coach.intents import BUYER, COMMON, CUSTOMER, SCAM, Intent


class Kind(StrEnum):
    FRAUD = "fraud"
    """Callers are taken for scammers: the operator keeps them talking and collects evidence."""
    SALES = "sales"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Profile:
    """`intents` is what a caller's turn may be taken for; `red_flags` are phrases that raise the warning to
    high, in any language; `instructions` go to a language model. `lookout`: calls on which nobody is coached
    are read, too, for the floor's warnings."""

    name: str
    kind: Kind
    instructions: str
    intents: frozenset[Intent]
    red_flags: tuple[str, ...] = ()
    lookout: bool = True


INTENTS = {
    Kind.FRAUD: COMMON | SCAM,
    Kind.SUPPORT: COMMON | CUSTOMER | SCAM,
    Kind.SALES: COMMON | BUYER | SCAM | {Intent.COMPLAINT, Intent.ANGRY, Intent.PRAISE, Intent.CANCEL},
}
INSTRUCTIONS = {
    Kind.FRAUD: (
        "The caller is suspected to be a scammer and the operator works for the fraud desk. Keep the caller "
        "talking and unsuspecting, and get what identifies them: names, numbers, accounts, wallets, links. "
        "Never suggest to give real data, codes or money, to install software, or to threaten."
    ),
    Kind.SUPPORT: (
        "The operator helps customers. Understand what is wanted, calm an angry caller, promise only what "
        "the operator can keep. Watch for callers who try to get codes, money or access by deceit, and for "
        "customers who have just been deceived."
    ),
    Kind.SALES: (
        "The operator sells. Find out need, budget, timing and who decides; answer objections with value and "
        "questions, never with pressure or untrue claims; end with one clear next step."
    ),
}


def shipped(kind: Kind) -> Profile:
    """The profile of a kind that is there without any setting; its name is the kind's."""
    return Profile(kind.value, kind, INSTRUCTIONS[kind], INTENTS[kind])


SHIPPED = {kind.value: shipped(kind) for kind in Kind}
