"""A circuit breaker: whether a provider is asked now, by how it did lately. Asks nobody, has no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from offhook.foundation.errors import DeniedError, ProviderError, UnfitError

THRESHOLD = 3
COOL_S = 5.0
"""So long after a failure others are asked first, unless a success comes in between."""
TRIAL_S = 10.0
LAST_CHANCE_S = 2.0
UNFIT_S = 30.0


class State(StrEnum):
    """How a provider is doing."""

    UP = "up"
    FAILING = "failing"
    """Its last request failed; it is still asked."""
    DOWN = "down"
    """It failed three times in a row, and is not asked until a probe reaches it."""
    REFUSED = "refused"
    """It refuses our key: an operator has to mend that. It is probed all the same."""
    TRYING = "trying"
    """A probe reached it: one request at a time finds out whether it works again."""


@dataclass(frozen=True, slots=True)
class Health:
    """A provider's state as shown to operators. `failures` and `rescues` count since the start;
    a rescue is a request that it served because one before it in the order did not."""

    kind: str
    provider: str
    state: State
    failures: int
    rescues: int
    reason: str = ""


class Breaker:
    """Closed while a provider works, open after `threshold` failures in a row, at once for a refused key.

    What a provider is not fit for (a language, a voice) opens nothing: after `threshold` such answers in a
    row it is not asked for that language for a while. `now` is in seconds of any steady clock.
    """

    def __init__(self, threshold: int = THRESHOLD) -> None:
        self._threshold = threshold
        self._row = 0
        self._open = False
        self._refused = False
        self._reached = False
        self._trial_until = 0.0
        self._failed_at = float("-inf")
        self._asked_at = float("-inf")
        self._unfit: dict[str, tuple[int, float]] = {}
        self.failures = 0
        self.reason = ""

    @property
    def state(self) -> State:
        if self._open:
            return State.TRYING if self._reached else State.REFUSED if self._refused else State.DOWN
        return State.FAILING if self._row or self._unfit else State.UP

    @property
    def wants_probe(self) -> bool:
        """Whether only a probe can tell that it is well again."""
        return self._open and not self._reached

    def allows(self, now: float) -> bool:
        """Whether it may be asked now."""
        return not self._open or (self._reached and now >= self._trial_until)

    def suits(self, language: str, now: float) -> bool:
        """Whether it has not shown lately that it cannot serve this language."""
        count, at = self._unfit.get(language, (0, 0.0))
        return count < self._threshold or now >= at + UNFIT_S

    def cooling(self, now: float) -> bool:
        """Whether it failed so lately that others should be asked first."""
        return not self._open and self._row > 0 and now < self._failed_at + COOL_S

    def last_chance(self, now: float) -> bool:
        """Whether it may be asked although it is open, where no other provider is left."""
        return self._open and not self._refused and now >= self._asked_at + LAST_CHANCE_S

    def asked(self, now: float) -> None:
        """A request goes to it. While it is on trial, others do not until this one ends."""
        self._asked_at = now
        if self._open and self._reached:
            self._trial_until = now + TRIAL_S

    def worked(self, language: str = "") -> None:
        """A request succeeded."""
        self._row = 0
        self._open = self._refused = self._reached = False
        self._trial_until = 0.0
        self._unfit.pop(language, None)
        if not self._unfit:
            self.reason = ""

    def failed(self, error: ProviderError, now: float, language: str = "") -> None:
        """A request failed."""
        self.failures += 1
        self.reason = error.reason
        if isinstance(error, UnfitError):
            self._trial_until = 0.0
            self._unfit[language] = (self._unfit.get(language, (0, 0.0))[0] + 1, now)
            return
        self._row += 1
        self._failed_at = now
        self._refused = isinstance(error, DeniedError)
        if self._open or self._refused or self._row >= self._threshold:
            self._open, self._reached = True, False

    def probed(self, error: ProviderError | None) -> None:
        """A probe reached it, or not."""
        if not self._open:
            return
        self._reached = error is None
        self._refused = isinstance(error, DeniedError)
        self._trial_until = 0.0
        if error is not None:
            self.reason = error.reason
