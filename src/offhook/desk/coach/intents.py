"""What a caller may want or do in one turn, as the coach names it: names and groups, no rules."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    GREETING = "greeting"
    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    QUESTION = "question"
    WANTS_HUMAN = "wants_human"
    CLOSING = "closing"
    UNCLEAR = "unclear"
    # Customers.
    COMPLAINT = "complaint"
    BILLING = "billing"
    CANCEL = "cancel"
    BOOKING = "booking"
    TECHNICAL = "technical"
    PRAISE = "praise"
    ANGRY = "angry"
    REPORTS_FRAUD = "reports_fraud"
    # Buyers.
    PRICE_OBJECTION = "price_objection"
    COMPETITOR = "competitor"
    INTEREST = "interest"
    TIMING = "timing"
    NOT_DECIDER = "not_decider"
    # Scammers.
    CLAIMS_AUTHORITY = "claims_authority"
    ASKS_SECRET = "asks_secret"
    ASKS_REMOTE = "asks_remote"
    ASKS_MONEY = "asks_money"
    PRESSURE = "pressure"
    SECRECY = "secrecy"
    FAMILY_EMERGENCY = "family_emergency"
    LURE = "lure"
    EVASION = "evasion"


_I = Intent
COMMON = frozenset(
    {_I.GREETING, _I.AGREEMENT, _I.REFUSAL, _I.QUESTION, _I.WANTS_HUMAN, _I.CLOSING, _I.UNCLEAR}
)
CUSTOMER = frozenset(
    {
        _I.COMPLAINT,
        _I.BILLING,
        _I.CANCEL,
        _I.BOOKING,
        _I.TECHNICAL,
        _I.PRAISE,
        _I.ANGRY,
        _I.REPORTS_FRAUD,
    }
)
BUYER = frozenset({_I.PRICE_OBJECTION, _I.COMPETITOR, _I.INTEREST, _I.TIMING, _I.NOT_DECIDER})
DEMANDS = frozenset({_I.ASKS_SECRET, _I.ASKS_REMOTE, _I.ASKS_MONEY})
SCAM = DEMANDS | {
    _I.CLAIMS_AUTHORITY,
    _I.PRESSURE,
    _I.SECRECY,
    _I.FAMILY_EMERGENCY,
    _I.LURE,
    _I.EVASION,
}
