"""What the doors of all workers have in common: the same as `web/commons.py`, kept on the board.

Nothing is divided: limits, buckets and single use hold for all workers together.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from offhook.channels.base import Arrival
from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, RefusedError
from offhook.foundation.events import Direction
from offhook.web.commons import (
    ATTEMPTS_PER_CALL,
    ATTEMPTS_PER_SECOND,
    GUESSES,
    GUESSES_PER_SECOND,
    LOGINS,
    Commons,
)
from offhook.web.throttle import neighbourhood
from offhook.web.transfers import TransferBook
from offhook.workers.board import Board

TOKEN_SECONDS = 30.0
MEMORY_SECONDS = 3600.0
"""How long a call that was announced and taken is remembered, against a webhook that comes again."""
_LONGEST = 480
"""Twilio takes 500 characters for a parameter with its name."""
_SHORT = 24


class SharedClaims:
    """Implements Claims."""

    def __init__(self, board: Board, clock: Clock, kind: str) -> None:
        self._board = board
        self._clock = clock
        self._kind = kind

    def claim(self, name: str, seconds: float) -> bool:
        return self._board.claim(f"{self._kind}:{name}", seconds, self._clock.now())


class SharedPlaces:
    """Implements Places."""

    def __init__(self, board: Board, clock: Clock, worker: int, limit: int) -> None:
        self._board = board
        self._clock = clock
        self._worker = worker
        self._limit = limit

    def enter(self, peer: str, limited: bool = True) -> bool:
        limit = self._limit if limited else 1 << 30
        try:
            return self._board.enter(_open(peer), self._worker, limit, self._clock.now())
        except LimitError:
            return False

    def leave(self, peer: str) -> None:
        self._board.leave(_open(peer), self._worker)


def _open(peer: str) -> str:
    return f"open:{neighbourhood(peer)}"


class SharedBucket:
    """Implements Bucket."""

    def __init__(self, board: Board, clock: Clock, kind: str, rate: float, burst: float) -> None:
        self._board = board
        self._clock = clock
        self._kind = kind
        self._rate = rate
        self._burst = burst

    def allow(self, peer: str) -> bool:
        name = f"{self._kind}:{neighbourhood(peer)}"
        try:
            return self._board.allow(name, self._rate, self._burst, self._clock.now())
        except LimitError:
            return False


class SignedLedger:
    """Implements Ledger without a list of what is outstanding: the token itself carries the arrival, signed,
    and any worker redeems it. Of the tokens for one vendor's call one is redeemed, whoever minted them."""

    def __init__(self, secret: bytes, clock: Clock, used: SharedClaims) -> None:
        self._key = hmac.digest(secret, b"offhook phone call tokens", "sha256")
        self._clock = clock
        self._used = used

    def mint(self, arrival: Arrival) -> str:
        fields = [arrival.direction, arrival.agent, arrival.caller, arrival.called, arrival.vendor_id]
        token = self._sign(fields)
        if len(token) > _LONGEST:  # two long addresses that are no phone numbers
            fields[2:4] = [arrival.caller[:_SHORT], arrival.called[:_SHORT]]
            token = self._sign(fields)
        return token

    def redeem(self, secret: str, vendor_id: str = "") -> Arrival:
        payload, _, signature = secret.partition(".")
        given = payload.encode("utf-8", "replace")
        if not hmac.compare_digest(self._signature(given).encode(), signature.encode("utf-8", "replace")):
            raise RefusedError("the call token is unknown, used or expired")
        expires, nonce, direction, agent, caller, called, known = json.loads(urlsafe_b64decode(_pad(payload)))
        left = expires - self._clock.now()
        if left <= 0 or known not in ("", vendor_id or known):
            raise RefusedError("the call token is unknown, used or expired")
        if not self._used.claim(known or nonce, left + MEMORY_SECONDS):
            raise RefusedError("the call token is unknown, used or expired")
        return Arrival(Direction(direction), agent, caller, called, known)

    def _sign(self, fields: list[str]) -> str:
        values = [round(self._clock.now() + TOKEN_SECONDS, 3), secrets.token_urlsafe(12), *fields]
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        payload = urlsafe_b64encode(text).rstrip(b"=")
        return f"{payload.decode()}.{self._signature(payload)}"

    def _signature(self, payload: bytes) -> str:
        return urlsafe_b64encode(hmac.digest(self._key, payload, "sha256")[:24]).decode()


def _pad(text: str) -> str:
    return text + "=" * (-len(text) % 4)


class SharedTransfers(TransferBook):
    """Where calls go, told to all: the vendor may ask any worker."""

    def __init__(self, clock: Clock, tell: Callable[[str, str], None]) -> None:
        super().__init__(clock)
        self._tell = tell

    def ask(self, vendor_id: str, to: str) -> None:
        super().ask(vendor_id, to)
        self._tell(vendor_id, to)

    def told(self, vendor_id: str, to: str) -> None:
        """Another worker's call asked for it."""
        super().ask(vendor_id, to)


def shared_commons(
    board: Board,
    clock: Clock,
    worker: int,
    calls_per_address: int,
    secret: bytes,
    transfers: SharedTransfers,
) -> Commons:
    """Those of one of several workers."""
    attempts = ATTEMPTS_PER_CALL * calls_per_address
    return Commons(
        SignedLedger(secret, clock, SharedClaims(board, clock, "announced")),
        transfers,
        SharedClaims(board, clock, "call token"),
        SharedPlaces(board, clock, worker, calls_per_address),
        SharedBucket(board, clock, "attempts", ATTEMPTS_PER_SECOND, attempts),
        SharedBucket(board, clock, "guesses", GUESSES_PER_SECOND, GUESSES),
        SharedBucket(board, clock, "logins", GUESSES_PER_SECOND, LOGINS),
        SharedClaims(board, clock, "desk token"),
    )
