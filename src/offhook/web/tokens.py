"""Single-use tokens that tie a vendor's media socket to a call its signed webhook announced. No sockets."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from offhook.channels.base import Arrival
from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, RefusedError
from offhook.foundation.ids import token


@dataclass(slots=True)
class _Slip:
    arrival: Arrival
    secret: str
    expires: float
    redeemed: bool = False


def _digest(secret: str) -> bytes:
    """Tokens are looked up by digest, so that timing says nothing about the stored ones."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class TokenLedger:
    """Mints 32-byte tokens that live `life` seconds and are redeemed once.

    A call that is announced twice under one vendor id gets the same token: webhooks may be
    delivered twice, and only one socket may come of it. At most `size` are outstanding.
    """

    def __init__(self, clock: Clock, life: float = 30.0, size: int = 10_000, memory: float = 3600.0) -> None:
        self._clock = clock
        self._life = life
        self._size = size
        self._memory = memory
        self._slips: OrderedDict[bytes, _Slip] = OrderedDict()
        self._by_vendor_id: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._slips)

    def mint(self, arrival: Arrival) -> str:
        """A token for this arrival. Raises LimitError when too many are outstanding."""
        self._sweep()
        known = self._slips.get(self._by_vendor_id.get(arrival.vendor_id, b"")) if arrival.vendor_id else None
        if known is not None and (known.redeemed or known.expires > self._clock.now()):
            return known.secret
        if len(self._slips) >= self._size:
            raise LimitError("too many calls are being announced at once")
        secret = token()
        digest = _digest(secret)
        self._slips[digest] = _Slip(arrival, secret, self._clock.now() + self._life)
        if arrival.vendor_id:
            self._by_vendor_id[arrival.vendor_id] = digest
        return secret

    def redeem(self, secret: str, vendor_id: str = "") -> Arrival:
        """The arrival that the token was minted for, once. Raises RefusedError, also when it was
        announced under another vendor id than the one given."""
        slip = self._slips.get(_digest(secret))
        if (
            slip is None
            or slip.redeemed
            or slip.expires <= self._clock.now()
            or slip.arrival.vendor_id not in ("", vendor_id or slip.arrival.vendor_id)
        ):
            raise RefusedError("the call token is unknown, used or expired")
        slip.redeemed = True
        return slip.arrival

    def _sweep(self) -> None:
        """Forget slips past use, oldest first; redeemed ones are kept longer, against late duplicates."""
        now = self._clock.now()
        full = len(self._slips) >= self._size
        for digest in list(self._slips) if full else list(self._slips)[:64]:
            slip = self._slips[digest]
            if slip.expires > now or (slip.redeemed and not full and slip.expires + self._memory > now):
                continue
            del self._slips[digest]
            if self._by_vendor_id.get(slip.arrival.vendor_id) == digest:
                del self._by_vendor_id[slip.arrival.vendor_id]
