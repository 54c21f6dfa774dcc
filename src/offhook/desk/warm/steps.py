"""The steps of a warm transfer as one table: state, signal → next state and what is to be done. Pure."""

from __future__ import annotations

from enum import StrEnum

from offhook.foundation.consult_events import ConsultState

_S = ConsultState


class Signal(StrEnum):
    """What happens to a warm transfer."""

    FOUND = "found"
    """There is somebody to be rung."""
    NOBODY = "nobody"
    """There is nobody, and there was nobody."""
    SAT = "sat"
    """Who was rung has accepted, and is on the call."""
    DECLINED = "declined"
    MISSED = "missed"
    """Who was rung did not answer in time, or accepted and did not come."""
    LAST_DECLINED = "last_declined"
    """As DECLINED, and there is nobody else."""
    LAST_MISSED = "last_missed"
    CONNECT = "connect"
    LATE = "late"
    """Who is briefed decides nothing."""
    LOST = "lost"
    """Who is briefed is gone."""
    CANCELLED = "cancelled"
    """Whoever asked wants it no more."""
    TAKEN = "taken"
    """Somebody else has taken the call over, or it is over."""


class Step(StrEnum):
    """What is to be done."""

    FIND = "find"
    RING = "ring"
    STOP_RING = "stop_ring"
    BRIEF = "brief"
    EXCUSE = "excuse"
    """Who was briefed is on this call no more."""
    CONNECT = "connect"
    GIVE_BACK = "give_back"
    """The caller has again whoever had them before, with an honest sentence."""
    LET_GO = "let_go"
    """The caller waits for nobody any more, and nothing is said: somebody has them."""


_Row = dict[Signal, tuple[ConsultState, tuple[Step, ...]]]
_END: _Row = {
    Signal.CANCELLED: (_S.ABANDONED, (Step.STOP_RING, Step.EXCUSE, Step.GIVE_BACK)),
    Signal.TAKEN: (_S.ABANDONED, (Step.STOP_RING, Step.EXCUSE, Step.LET_GO)),
}
TABLE: dict[ConsultState, _Row] = {
    _S.ASKED: {
        **_END,
        Signal.FOUND: (_S.RINGING, (Step.RING,)),
        Signal.NOBODY: (_S.TIMED_OUT, (Step.GIVE_BACK,)),
        Signal.LAST_DECLINED: (_S.DECLINED, (Step.GIVE_BACK,)),
        Signal.LAST_MISSED: (_S.TIMED_OUT, (Step.GIVE_BACK,)),
    },
    _S.RINGING: {
        **_END,
        Signal.SAT: (_S.BRIEFING, (Step.STOP_RING, Step.BRIEF)),
        Signal.DECLINED: (_S.ASKED, (Step.STOP_RING, Step.FIND)),
        Signal.MISSED: (_S.ASKED, (Step.STOP_RING, Step.FIND)),
    },
    _S.BRIEFING: {
        **_END,
        Signal.CONNECT: (_S.CONNECTED, (Step.CONNECT,)),
        Signal.DECLINED: (_S.ASKED, (Step.EXCUSE, Step.FIND)),
        Signal.LATE: (_S.TIMED_OUT, (Step.EXCUSE, Step.GIVE_BACK)),
        Signal.LOST: (_S.ABANDONED, (Step.GIVE_BACK,)),
    },
    _S.CONNECTED: {},
    _S.DECLINED: {},
    _S.TIMED_OUT: {},
    _S.ABANDONED: {},
}
"""A signal that a state's row does not name changes nothing."""
ENDS = frozenset(state for state, row in TABLE.items() if not row)


class Steps:
    """One warm transfer's place in the table."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = _S.ASKED

    @property
    def over(self) -> bool:
        return self.state in ENDS

    def feed(self, signal: Signal) -> tuple[Step, ...]:
        """What is to be done now, in this order; nothing where the signal means nothing here."""
        found = TABLE[self.state].get(signal)
        if found is None:
            return ()
        self.state, steps = found
        return steps


def diagram() -> str:
    """The table as Mermaid's stateDiagram, for the docs."""
    lines = ["stateDiagram-v2", f"    [*] --> {_S.ASKED}"]
    for state, row in TABLE.items():
        lines += [f"    {state} --> {to}: {signal}" for signal, (to, _) in row.items()]
    return "\n".join([*lines, *(f"    {end} --> [*]" for end in TABLE if end in ENDS)])
