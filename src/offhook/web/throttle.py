"""Token buckets per address, in bounded memory. No clock of its own, no sockets."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_network

from offhook.foundation.clock import Clock
from offhook.web.origin import address


def neighbourhood(peer: str) -> str:
    """The key under which an address is counted: itself, or the /64 network of an IPv6 address."""
    found = address(peer)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False).network_address)
    return str(found) if found is not None else peer


class Throttle:
    """Lets each address do `burst` things at once and `rate` things a second after that.

    At most `size` addresses are remembered; the one seen longest ago is forgotten first.
    """

    def __init__(self, clock: Clock, rate: float, burst: float, size: int = 10_000) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._size = size
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def allow(self, peer: str) -> bool:
        """Take one token of the peer's bucket; False when it is empty."""
        key, level, now = self._level(peer)
        if level < 1:
            return False
        self._buckets[key] = (level - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return True

    def exhausted(self, peer: str) -> bool:
        """Whether the bucket is empty; takes nothing."""
        return self._level(peer)[1] < 1

    def _level(self, peer: str) -> tuple[str, float, float]:
        key, now = neighbourhood(peer), self._clock.now()
        level, at = self._buckets.get(key, (self._burst, now))
        return key, min(self._burst, level + (now - at) * self._rate), now


class Occupancy:
    """How many calls each address holds open, with a limit. Memory is bounded by the calls themselves."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def enter(self, peer: str, limited: bool = True) -> bool:
        """Count one more; False, and nothing counted, at the limit, unless it does not count here."""
        key = neighbourhood(peer)
        held = self._held.get(key, 0)
        if limited and held >= self._limit:
            return False
        self._held[key] = held + 1
        return True

    def leave(self, peer: str) -> None:
        key = neighbourhood(peer)
        held = self._held.get(key, 0) - 1
        if held > 0:
            self._held[key] = held
        else:
            self._held.pop(key, None)
