"""How the providers of all workers are doing, as one list. Asks nobody itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from typing import Any

from offhook.speech.breaker import Health, State

_WORST = (State.REFUSED, State.DOWN, State.TRYING, State.FAILING, State.UP)


def packed(health: Iterable[Health]) -> list[list[Any]]:
    """For another worker."""
    return [list(astuple(one)) for one in health]


def unpacked(values: Iterable[Sequence[Any]]) -> list[Health]:
    return [
        Health(kind, provider, State(state), failures, rescues, reason)
        for kind, provider, state, failures, rescues, reason in values
    ]


def together(own: Sequence[Health], others: Iterable[Sequence[Health]]) -> list[Health]:
    """Each provider in its own order: what it failed and rescued in all workers, and the worst state that it
    has in one, with that one's reason."""
    found = {(one.kind, one.provider): one for one in own}
    for health in others:
        for one in health:
            known = found.get((one.kind, one.provider))
            if known is not None:
                found[one.kind, one.provider] = _both(known, one)
    return list(found.values())


def _both(one: Health, other: Health) -> Health:
    worse = min(one, other, key=lambda health: _WORST.index(health.state))
    failures, rescues = one.failures + other.failures, one.rescues + other.rescues
    return replace(
        worse, failures=failures, rescues=rescues, reason=worse.reason or one.reason or other.reason
    )
