"""Turn-taking as a table: who has the floor, what may happen, and what is done then. No sound, no time.

The session raises signals and obeys commands; it never decides who speaks. `python -m offhook.call.turns`
prints the diagram of the table.
"""

from __future__ import annotations

from enum import StrEnum

from offhook.foundation.events import Floor


class Signal(StrEnum):
    """What happened. The *caller* speaks; the *agent* replies."""

    SPEECH_STARTED = "speech_started"
    """Voice on the caller's leg, long enough not to be a click."""
    SPEECH_HELD = "speech_held"
    """The caller has spoken for `hold_ms` without a pause."""
    SPEECH_CONFIRMED = "speech_confirmed"
    """The caller has spoken for `confirm_ms`: no cough, no "mm-hmm"."""
    SPEECH_PAUSED = "speech_paused"
    """The caller has been silent for `pause_ms`."""
    TURN_ENDED = "turn_ended"
    """The caller has finished, and there are words to answer."""
    TURN_EMPTY = "turn_empty"
    """What was heard is nothing to answer: noise, echo, or a backchannel over the agent."""
    TURN_NOTED = "turn_noted"
    """As `turn_ended`, but nobody wants it answered now (see steering.py)."""
    CANCELLED = "cancelled"
    """The caller's program, or a human who takes over, wants the agent to be silent."""
    TYPED = "typed"
    """A typed line or a finished string of digits: a whole turn at once."""
    REPLY_AUDIO = "reply_audio"
    """The first sound of the reply is on its way to the caller."""
    REPLY_DONE = "reply_done"
    """The caller has heard all of what the agent was saying."""
    REPLY_EMPTY = "reply_empty"
    """The engine had nothing to say."""
    NO_INPUT = "no_input"
    """The caller has been silent for `no_input_ms` while it was their turn."""
    GAVE_UP = "gave_up"
    """The caller has been asked often enough whether they are there, or the call is too long."""
    GOODBYE = "goodbye"
    """The agent means to end the call once its last sentence has been heard. While an overlap is
    undecided this waits: the session raises it again when the reply goes on."""
    CLOSED = "closed"
    """The caller is gone."""


class Command(StrEnum):
    """What the session has to do, in this order."""

    HEAR_BEGIN = "hear_begin"
    """Start to take down the caller's words, from a little before now; go on if already begun."""
    HEAR_DROP = "hear_drop"
    """Forget what was taken down."""
    JUDGE = "judge"
    """Find the words so far and whether the turn sounds complete."""
    VOID = "void"
    """A judgement under way no longer counts."""
    REPLY = "reply"
    """Answer the caller's turn."""
    CANCEL = "cancel"
    """Give up a reply of which nothing was heard; the caller's turn goes on."""
    HOLD = "hold"
    """Stop the agent's sound at once, keep what is unheard."""
    RESUME = "resume"
    """Go on with what was held."""
    CUT = "cut"
    """Give up the reply; history keeps what was heard."""
    COMMIT = "commit"
    """The caller's turn is part of history."""
    FINISH = "finish"
    """The agent's turn is part of history."""
    WAIT = "wait"
    """Start to wait for the caller's input."""
    PROMPT = "prompt"
    """Ask whether the caller is still there."""
    SAY_GOODBYE = "say_goodbye"
    """Say the agent's goodbye."""
    HANG_UP = "hang_up"
    """End the call."""


_S, _C, _F = Signal, Command, Floor
Step = tuple[Floor, tuple[Command, ...]]

_END: Step = (_F.ENDED, ())
_GIVE_UP: Step = (_F.CLOSING, (_C.VOID, _C.HEAR_DROP, _C.CUT, _C.SAY_GOODBYE))
_STOP_HEARING: Step = (_F.CLOSING, (_C.VOID, _C.SAY_GOODBYE))
"""The caller's words are found once the call is over."""

TABLE: dict[Floor, dict[Signal, Step]] = {
    _F.GREETING: {
        _S.SPEECH_STARTED: (_F.GREETING, (_C.HEAR_BEGIN,)),
        _S.SPEECH_HELD: (_F.HOLDING, (_C.HOLD,)),
        _S.SPEECH_PAUSED: (_F.GREETING, (_C.HEAR_DROP,)),
        _S.TYPED: (_F.THINKING, (_C.VOID, _C.HEAR_DROP, _C.CUT, _C.REPLY)),
        _S.REPLY_DONE: (_F.LISTENING, (_C.FINISH, _C.WAIT)),
        _S.REPLY_EMPTY: (_F.LISTENING, (_C.FINISH, _C.WAIT)),
        _S.CANCELLED: (_F.LISTENING, (_C.CUT, _C.WAIT)),
        _S.GAVE_UP: _GIVE_UP,
        _S.CLOSED: _END,
    },
    _F.LISTENING: {
        _S.SPEECH_STARTED: (_F.HEARING, (_C.HEAR_BEGIN,)),
        _S.TYPED: (_F.THINKING, (_C.HEAR_DROP, _C.REPLY)),
        _S.NO_INPUT: (_F.SPEAKING, (_C.PROMPT,)),
        _S.GAVE_UP: (_F.CLOSING, (_C.SAY_GOODBYE,)),
        _S.GOODBYE: (_F.CLOSING, (_C.SAY_GOODBYE,)),
        _S.CLOSED: _END,
    },
    _F.HEARING: {
        _S.SPEECH_PAUSED: (_F.PAUSING, (_C.JUDGE,)),
        _S.GAVE_UP: _STOP_HEARING,
        _S.CLOSED: _END,
    },
    _F.PAUSING: {
        _S.SPEECH_STARTED: (_F.HEARING, (_C.VOID,)),
        _S.TURN_ENDED: (_F.THINKING, (_C.REPLY,)),
        _S.TURN_NOTED: (_F.LISTENING, (_C.COMMIT, _C.WAIT)),
        _S.TURN_EMPTY: (_F.LISTENING, (_C.HEAR_DROP,)),
        _S.GAVE_UP: _STOP_HEARING,
        _S.CLOSED: _END,
    },
    _F.THINKING: {
        _S.SPEECH_STARTED: (_F.HEARING, (_C.CANCEL, _C.HEAR_BEGIN)),
        _S.TYPED: (_F.THINKING, (_C.CANCEL, _C.REPLY)),
        _S.CANCELLED: (_F.LISTENING, (_C.CANCEL, _C.COMMIT, _C.WAIT)),
        _S.REPLY_AUDIO: (_F.SPEAKING, (_C.COMMIT,)),
        _S.REPLY_EMPTY: (_F.LISTENING, (_C.COMMIT, _C.WAIT)),
        _S.GOODBYE: (_F.CLOSING, (_C.COMMIT, _C.SAY_GOODBYE)),
        _S.GAVE_UP: (_F.CLOSING, (_C.CANCEL, _C.COMMIT, _C.SAY_GOODBYE)),
        _S.CLOSED: _END,
    },
    _F.SPEAKING: {
        _S.SPEECH_STARTED: (_F.SPEAKING, (_C.HEAR_BEGIN,)),
        _S.SPEECH_HELD: (_F.HOLDING, (_C.HOLD,)),
        _S.SPEECH_PAUSED: (_F.SPEAKING, (_C.HEAR_DROP,)),
        _S.TYPED: (_F.THINKING, (_C.HEAR_DROP, _C.CUT, _C.REPLY)),
        _S.REPLY_DONE: (_F.LISTENING, (_C.FINISH, _C.WAIT)),
        _S.REPLY_EMPTY: (_F.LISTENING, (_C.FINISH, _C.WAIT)),
        _S.CANCELLED: (_F.LISTENING, (_C.CUT, _C.WAIT)),
        _S.GOODBYE: (_F.CLOSING, (_C.HEAR_DROP,)),
        _S.GAVE_UP: _GIVE_UP,
        _S.CLOSED: _END,
    },
    _F.HOLDING: {
        _S.SPEECH_STARTED: (_F.HOLDING, (_C.VOID,)),
        _S.SPEECH_CONFIRMED: (_F.HEARING, (_C.VOID, _C.CUT)),
        _S.SPEECH_PAUSED: (_F.HOLDING, (_C.JUDGE,)),
        _S.TURN_ENDED: (_F.THINKING, (_C.CUT, _C.REPLY)),
        _S.TURN_NOTED: (_F.LISTENING, (_C.CUT, _C.COMMIT, _C.WAIT)),
        _S.CANCELLED: (_F.PAUSING, (_C.CUT, _C.JUDGE)),
        _S.TURN_EMPTY: (_F.SPEAKING, (_C.HEAR_DROP, _C.RESUME)),
        _S.TYPED: (_F.THINKING, (_C.VOID, _C.HEAR_DROP, _C.CUT, _C.REPLY)),
        _S.GAVE_UP: _GIVE_UP,
        _S.CLOSED: _END,
    },
    _F.CLOSING: {
        _S.SPEECH_STARTED: (_F.CLOSING, (_C.HEAR_BEGIN,)),
        _S.SPEECH_PAUSED: (_F.CLOSING, (_C.HEAR_DROP,)),
        _S.SPEECH_CONFIRMED: (_F.HEARING, (_C.CUT,)),
        _S.REPLY_DONE: (_F.ENDED, (_C.FINISH, _C.HANG_UP)),
        _S.REPLY_EMPTY: (_F.ENDED, (_C.FINISH, _C.HANG_UP)),
        _S.CANCELLED: (_F.LISTENING, (_C.CUT, _C.WAIT)),
        _S.CLOSED: _END,
    },
    _F.ENDED: {},
}


class Turns:
    """The floor of one call."""

    __slots__ = ("floor",)

    def __init__(self, floor: Floor = Floor.GREETING) -> None:
        self.floor = floor

    def feed(self, signal: Signal) -> tuple[Command, ...]:
        """Move the floor and return what has to be done; a signal without meaning here does nothing."""
        step = TABLE[self.floor].get(signal)
        if step is None:
            return ()
        self.floor, commands = step
        return commands


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> greeting"]
    for floor, row in TABLE.items():
        for signal, (after, commands) in row.items():
            does = f" / {', '.join(commands)}" if commands else ""
            lines.append(f"    {floor} --> {after}: {signal}{does}")
    return "\n".join([*lines, "    ended --> [*]"])


if __name__ == "__main__":
    print(diagram())
