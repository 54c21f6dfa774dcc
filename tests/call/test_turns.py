"""The turn table: complete, closed, and safe under any order of signals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.call.turns import TABLE, Command, Signal, Turns, diagram
from offhook.foundation.events import Floor


def test_every_floor_has_a_row_and_every_step_leads_to_one():
    assert set(TABLE) == set(Floor)
    for row in TABLE.values():
        for floor, commands in row.values():
            assert floor in TABLE
            assert all(isinstance(c, Command) for c in commands)


def test_every_floor_but_the_last_ends_when_the_caller_leaves():
    for floor, row in TABLE.items():
        if floor is not Floor.ENDED:
            assert row[Signal.CLOSED] == (Floor.ENDED, ())


def test_every_floor_can_be_reached():
    seen, todo = set(), [Floor.GREETING]
    while todo:
        floor = todo.pop()
        if floor not in seen:
            seen.add(floor)
            todo += [after for after, _ in TABLE[floor].values()]
    assert seen == set(Floor)


@pytest.mark.parametrize(
    "floor", [Floor.GREETING, Floor.LISTENING, Floor.HEARING, Floor.THINKING, Floor.SPEAKING]
)
def test_silence_alone_never_ends_a_turn(floor):
    assert Signal.TURN_ENDED not in TABLE[floor]


@given(st.lists(st.sampled_from(list(Signal)), max_size=60))
def test_any_order_of_signals_keeps_the_promises(signals):
    turns = Turns()
    replying = held = False
    for signal in signals:
        before = turns.floor
        for command in turns.feed(signal):
            if command is Command.HOLD:
                held = True
            elif command in (Command.RESUME, Command.CUT):
                held = False
            elif command is Command.REPLY:
                assert turns.floor is Floor.THINKING
                assert not held, "a new reply never starts over a held one"
                replying = True
            elif command in (Command.CANCEL, Command.COMMIT):
                noted = signal is Signal.TURN_NOTED and command is Command.COMMIT
                assert replying or before is Floor.THINKING or noted
                replying = False
        if turns.floor is Floor.ENDED:
            assert turns.feed(signal) == ()
            break


def test_unknown_signal_does_nothing():
    turns = Turns(Floor.ENDED)
    assert turns.feed(Signal.SPEECH_STARTED) == ()
    assert turns.floor is Floor.ENDED


def test_diagram_names_every_floor():
    text = diagram()
    assert all(f"{floor} -->" in text for floor in Floor)
