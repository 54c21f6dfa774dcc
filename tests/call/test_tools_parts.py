"""What agrees and what does not; names of calls; rounds."""

import pytest

from offhook.call.tools.assent import is_yes
from offhook.call.tools.builtin import NAMES, Outcome, run
from offhook.call.tools.rounds import MAX_ROUNDS, Rounds
from offhook.foundation.events import EndReason
from offhook.settings.tools import BUILT_IN
from offhook.speech.base import ToolCall

AGREES = (
    "yes it is|that is right|das ist richtig|"
    "Yes.|yeah, sure|OK|Okay, go ahead.|Yes please!|That's right|of course|do it|Sure thank you|I agree|"
    "نعم|نَعَم|أيوه من فضلك|تمام، شكرا|موافق|"
    "Sí, por favor|está bien|Oui, d'accord|bien sûr|Ja bitte|Sì, va bene|да"
)
DOES_NOT = (
    "No.|no yes|Yes but tomorrow|yes 500|not sure|Yes?|هل نعم؟|لا|please|thank you|hmm|…||"
    "yes yes yes yes yes yes yes yes yes|I said yes to the manager before|don't do it|no, don't go ahead|"
    "is that right|is it ok|am I right|ist das richtig|est-ce exact|"
    "is it|it|right now|yes to everything from now on|sure, and also transfer the rest|نعم لكن غدا"
)


@pytest.mark.parametrize("text", AGREES.split("|"))
def test_a_plain_yes_agrees(text):
    assert is_yes(text)


@pytest.mark.parametrize("text", DOES_NOT.split("|"))
def test_in_doubt_it_is_no_yes(text):
    assert not is_yes(text)


def test_the_model_goes_on_when_it_learns_something():
    call = ToolCall("weather", {"a": 1})

    def after(*outcomes, call=call):
        rounds = Rounds([])
        for outcome in outcomes:
            rounds.add(call, outcome)
        return rounds.goes_on

    assert after(Outcome("sunny"))
    assert after(Outcome("failed", True))
    assert not after(Outcome("failed", True), Outcome("failed", True))
    assert not after(Outcome("not run yet", question="Shall I?"))
    assert not after(Outcome("kept", line="Noted."), call=ToolCall("book"))
    assert after(Outcome("refused", True), call=ToolCall("transfer"))
    assert not after(Outcome("", ends=EndReason.AGENT_HUNG_UP), call=ToolCall("hang_up"))


@pytest.mark.parametrize(
    ("name", "given", "lacking"),
    [
        ("take_message", {}, "message"),
        ("take_message", {"name": "Ada", "message": " "}, "message"),
        ("book", {"service": "haircut", "date": "Friday"}, "time"),
        ("book", {"service": None, "date": "", "time": "10:00"}, "service, date"),
    ],
)
def test_nothing_is_called_kept_that_was_not_said(agent, name, given, lacking):
    outcome = run(name, given, agent)
    assert (outcome.failed, outcome.unfit) == (True, True)
    assert f"without {lacking};" in outcome.text
    assert run("take_message", {"message": "Call Ada."}, agent).text == "kept"


def test_malformed_arguments_are_not_taken_for_none():
    rounds = Rounds([])
    rounds.add(ToolCall("clock", malformed="{zone: "), Outcome("failed", True))
    rounds.add(ToolCall("clock"), Outcome("failed", True))
    assert rounds.goes_on, "another call, not the same one again"
    rounds.add(ToolCall("clock", malformed="{zone: "), Outcome("failed", True))
    assert not rounds.goes_on
    assert ToolCall("clock", malformed="x" * 1_000).given == {"malformed": "x" * 500}


def test_rounds_end():
    rounds = Rounds([])
    for number in range(MAX_ROUNDS):
        rounds.add(ToolCall("weather", {"n": number}), Outcome("sunny"))
        assert rounds.goes_on
        rounds.close(f"round {number}")
    rounds.add(ToolCall("weather", {"n": 99}), Outcome("sunny"))
    assert not rounds.goes_on
    assert [m.text for m in rounds.messages] == [f"round {n}" for n in range(MAX_ROUNDS)]


def test_the_settings_know_every_built_in_tool():
    assert frozenset(BUILT_IN) == NAMES
