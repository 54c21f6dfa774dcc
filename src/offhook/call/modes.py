"""The one table that decides who hears whom on a call, and the rule for its mode. Pure: no audio, no legs.

Nothing else routes sound: the coach's voice has one ear in this table, and no mode gives it another.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from offhook.foundation.people import Mode, Stance


class Part(StrEnum):
    """What a leg is to the call at this moment."""

    CALLER = "caller"
    AGENT = "agent"
    OPERATOR = "operator"
    """A human who talks: JOIN or TAKE_OVER."""
    LISTENER = "listener"
    """A human who only hears: LISTEN or COACH."""
    CONSULTED = "consulted"
    """A human who is told about the call: CONSULT."""
    COACH = "coach"
    """The coach's voice: of each operator's own."""
    HOLD_AUDIO = "hold_audio"


_C, _A, _O, _L, _N = Part.CALLER, Part.AGENT, Part.OPERATOR, Part.LISTENER, Part.CONSULTED
_NOBODY: frozenset[Part] = frozenset()

HEARS: dict[Mode, dict[Part, frozenset[Part]]] = {
    Mode.AGENT: {_C: frozenset({_A}), _A: frozenset({_C}), _O: _NOBODY, _L: frozenset({_C, _A})},
    Mode.JOIN: {
        _C: frozenset({_A, _O}),
        _A: frozenset({_C, _O}),
        _O: frozenset({_C, _A, _O, Part.COACH}),
        _L: frozenset({_C, _A, _O}),
    },
    Mode.TAKEOVER: {
        _C: frozenset({_O}),
        _A: _NOBODY,
        _O: frozenset({_C, _O, Part.COACH}),
        _L: frozenset({_C, _O}),
    },
    Mode.SAY: {
        _C: frozenset({_A}),
        _A: frozenset({_C}),
        _O: frozenset({_C, _A, _O, Part.COACH}),
        _L: frozenset({_C, _A}),
        _N: frozenset({Part.COACH}),
    },
    Mode.CONSULT: {
        _C: frozenset({Part.HOLD_AUDIO}),
        _A: _NOBODY,
        _O: frozenset({_N, _O}),
        _L: _NOBODY,
        _N: frozenset({Part.COACH, _O}),
    },
    Mode.HOLD: {_C: frozenset({Part.HOLD_AUDIO}), _A: _NOBODY, _O: _NOBODY, _L: _NOBODY},
}
"""Mode → ear → whose sound is in it. An operator hears the other operators, never the own voice. Who is told
about a call hears the briefing voice, which is the coach's of that ear, and an operator who has the call."""

TALKS = (Stance.JOIN, Stance.TAKE_OVER)


def part_of(stance: Stance) -> Part:
    """What a human of this stance is in the table."""
    if stance is Stance.CONSULT:
        return Part.CONSULTED
    return Part.OPERATOR if stance in TALKS else Part.LISTENER


def mode_of(
    stances: Iterable[Stance], *, held: bool = False, agent_speaks: bool = False, waits: bool = False
) -> Mode:
    """The mode of a call with these humans. `agent_speaks`: for the one who took over, or to a caller who
    `waits` for a human."""
    present = frozenset(stances)
    if Stance.CONSULT in present:
        return Mode.SAY if agent_speaks and waits else Mode.CONSULT
    if held:
        return Mode.HOLD
    if waits:
        return Mode.SAY if agent_speaks else Mode.HOLD
    if Stance.TAKE_OVER in present:
        return Mode.SAY if agent_speaks else Mode.TAKEOVER
    return Mode.JOIN if Stance.JOIN in present else Mode.AGENT


def is_heard(source: Part, ear: Part, mode: Mode) -> bool:
    """Whether `ear` hears `source` in this mode."""
    return source in HEARS[mode].get(ear, _NOBODY)
