"""Where calls wait for a browser that lost its connection: by a secret that only that browser knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from offhook.foundation import ids

T = TypeVar("T")


class ResumeDesk(Generic[T]):
    """Live browser calls by their secrets, from their first message to their end.

    Every secret begins with `prefix`, which is not secret: it says in which process the call lives."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._calls: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def enter(self, call: T) -> str:
        """Note a call; returns the secret for coming back to it."""
        secret = self._prefix + ids.token()
        self._calls[secret] = call
        return secret

    def find(self, secret: str) -> T | None:
        return self._calls.get(secret)

    def leave(self, secret: str) -> None:
        """The call is over. Idempotent."""
        self._calls.pop(secret, None)


class Seat(Generic[T]):
    """One call's place at the desk, and the timer of how long it is kept while the browser is away."""

    def __init__(self, desk: ResumeDesk[T], call: T, seconds: float) -> None:
        self.secret = desk.enter(call)
        self.seconds = seconds
        self._desk = desk
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, then: Callable[[], None], seconds: float | None = None) -> None:
        """The browser is away: do `then` unless it is back in time."""
        self.sit()
        delay = self.seconds if seconds is None else seconds
        self._timer = asyncio.get_running_loop().call_later(delay, then)

    def sit(self) -> None:
        """The browser is here."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave(self) -> None:
        """The call is over. Idempotent."""
        self.sit()
        self._desk.leave(self.secret)
