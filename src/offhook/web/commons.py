"""What the doors count and remember between requests; workers of one port have theirs in common. No doors."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.foundation.clock import Clock
from offhook.web.call_tokens import UsedIds
from offhook.web.ports import Bucket, Claims, Ledger, Places
from offhook.web.throttle import Occupancy, Throttle
from offhook.web.tokens import TokenLedger
from offhook.web.transfers import TransferBook

ATTEMPTS_PER_SECOND = 1.0
ATTEMPTS_PER_CALL = 2.0
"""A browser's address may try so often at once, for each call that it may hold."""
GUESSES_PER_SECOND = 1 / 6
GUESSES = 10
LOGINS = 10
"""Tries to log in at once, from an address and by a name; one more every six seconds."""


@dataclass(frozen=True, slots=True)
class Commons:
    """`ledger`: announced phone calls; `transfers`: where calls go; `used`: redeemed call tokens; `open`:
    browser sockets by address; `attempts`: how often an address opens one; `guesses`: wrong keys; `logins`:
    by address and by name; `desk`: redeemed desk tokens."""

    ledger: Ledger
    transfers: TransferBook
    used: Claims
    open: Places
    attempts: Bucket
    guesses: Bucket
    logins: Bucket
    desk: Claims


def own_commons(clock: Clock, calls_per_address: int) -> Commons:
    """Those of a server that is one process."""
    return Commons(
        TokenLedger(clock),
        TransferBook(clock),
        UsedIds(clock),
        Occupancy(calls_per_address),
        Throttle(clock, ATTEMPTS_PER_SECOND, ATTEMPTS_PER_CALL * calls_per_address),
        Throttle(clock, GUESSES_PER_SECOND, GUESSES),
        Throttle(clock, GUESSES_PER_SECOND, LOGINS),
        UsedIds(clock),
    )
