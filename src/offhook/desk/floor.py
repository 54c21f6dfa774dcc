"""The live floor: a card per live call, who needs a human first, and what changed since. Opens no sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from offhook.call.directory import LiveCall
from offhook.desk.attention import attention
from offhook.desk.floor_state import CallState
from offhook.desk.place import seating_of
from offhook.desk.regulars import Lookup, Regulars, told
from offhook.foundation.clock import Clock
from offhook.foundation.events import CallEnded, CallStarted, Entry
from offhook.foundation.people import Mode
from offhook.protocols.live_words import Seating

Card = dict[str, Any]
_STEP_DB = 3.0
_STEP_S = 5


class Live(Protocol):
    """The live calls of this process."""

    def get(self, call_id: str) -> LiveCall | None: ...

    def __iter__(self) -> Iterator[LiveCall]: ...


class Floor:
    """`take` is given every event of every call. `waits` says for how many callers people wait; `store` knows
    who called before."""

    def __init__(
        self, calls: Live, clock: Clock, waits: Callable[[], int] = int, store: Lookup | None = None
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._states: dict[str, CallState] = {}
        self._regulars = Regulars(calls, store) if store is not None else None
        self.waits = waits

    def take(self, entry: Entry) -> None:
        """Immediate; several times a second per call."""
        if self._regulars is not None:
            self._regulars.take(entry)
        if isinstance(entry.event, CallEnded):
            self._states.pop(entry.call_id, None)
            return
        now = self._clock.now()
        if isinstance(entry.event, CallStarted):
            self._states[entry.call_id] = CallState(now)
        state = self._states.get(entry.call_id)
        if state is not None:  # else the call has ended, and something late is told of it
            state.take(entry, now)

    def cards(self) -> list[Card]:
        """The calls of this process, those that need a human most first."""
        now = self._clock.now()
        found = []
        for call in self._calls:
            state = self._states.get(call.id)
            if state is not None and call.session.end_reason is None:
                found.append(self._card(call, state, now))
        return ranked(found)

    def calls_before(self, call_id: str) -> int:
        """How often a live call's caller called before, as far as that is known."""
        found = self._regulars.of(call_id) if self._regulars is not None else None
        return found.count if found is not None else 0

    def _card(self, call: LiveCall, state: CallState, now: float) -> Card:
        seating = seating_of(call) if call.session.crossed is not None else Seating()
        talkers = [seat for seat in seating.seats if seat.stance in ("join", "take_over") and not seat.muted]
        alone = seating.mode is Mode.TAKEOVER and not talkers
        score, why = attention(state.facts(now, alone=alone))
        record = call.record
        earlier = told(self._regulars.of(call.id)) if self._regulars is not None else None
        return {
            "call_id": call.id,
            "caller": record.caller,
            "called": record.called,
            "direction": record.direction,
            "channel": record.channel,
            "agent": record.agent,
            "language": state.language,
            "started_at": record.started_at.isoformat(),
            "seconds": int(now - state.began),
            "mode": seating.mode,
            "floor": state.floor,
            "seats": [seat.as_json() for seat in seating.seats],
            "levels": {leg: round(level, 1) for leg, level in state.levels.items()},
            "last_line": state.last_line,
            "intent": state.intent,
            "warning_level": state.warning_level,
            "warning": state.warning,
            "sentiment": state.mood(),
            "alerts": state.alerts(now),
            "last_response_ms": state.last_response_ms,
            "interruptions": state.interruptions,
            "silence_s": int(state.silence_s(now)),
            "failures": state.failures,
            "returning": earlier is not None,
            "earlier": earlier,
            "attention": score,
            "why": why,
        }


def ranked(cards: Iterable[Card]) -> list[Card]:
    """Those that need a human most first, then the oldest."""
    return sorted(cards, key=lambda card: (-card["attention"], card["started_at"], card["call_id"]))


def counters(cards: Iterable[Card], waiting: int) -> dict[str, int]:
    """`waiting` callers are waited for; `operators` are humans on calls."""
    found = dict.fromkeys(("live", "waiting", "operators", "agents_answering", "taken_over", "on_hold"), 0)
    found["waiting"] = waiting
    for card in cards:
        mode = card["mode"]
        found["live"] += 1
        found["operators"] += len(card["seats"])
        found["agents_answering"] += mode in (Mode.AGENT, Mode.JOIN)
        found["taken_over"] += mode in (Mode.TAKEOVER, Mode.SAY)
        found["on_hold"] += mode in (Mode.HOLD, Mode.CONSULT)
    return found


def outline(card: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a card is worth telling when it changes: not every second, nor every decibel."""
    plain = tuple(
        value if isinstance(value, str | int | None) else repr(value)
        for name, value in card.items()
        if name not in ("seconds", "silence_s", "levels")
    )
    levels = tuple((leg, round(level / _STEP_DB)) for leg, level in card["levels"].items())
    return (*plain, card["silence_s"] // _STEP_S, levels)
