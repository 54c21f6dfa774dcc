"""Rules over words: backchannels, echo, unfinished sentences."""

import pytest

from offhook.call.judge import (
    Judgement,
    is_backchannel,
    is_echo,
    is_filler,
    needed_silence_ms,
    sounds_unfinished,
    words,
)
from offhook.foundation.agent import Patience


@pytest.mark.parametrize("text", ["Mm-hmm.", "Uh huh", "yeah", "Okay, great.", "", "Right, right.", "نعم"])
def test_backchannels(text):
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["No.", "Stop!", "Wait a second", "Yes I want that one", "What?", "Tuesday"])
def test_what_takes_the_floor(text):
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "filler"), [("Um...", True), ("", True), ("uh, um", True), ("Um, yes", False)]
)
def test_fillers(text, filler):
    assert is_filler(text) is filler


def test_echo_is_the_agents_own_words():
    said = "We are open from nine to six on Tuesdays."
    assert is_echo("open from nine to six", said)
    assert not is_echo("are you open on Sunday too", said)
    assert not is_echo("to six", said)
    assert not is_echo("nine to six is too late for me I am afraid, what about the morning", said)


@pytest.mark.parametrize("text", ["I would like to", "my number is,", "and", "I was wondering if -"])
def test_unfinished(text):
    assert sounds_unfinished(text)


@pytest.mark.parametrize("text", ["I would like a haircut.", "", "Friday", "what do you have"])
def test_finished(text):
    assert not sounds_unfinished(text)


def test_needed_silence():
    patience = Patience(endpoint_ms=300, endpoint_max_ms=900)
    assert needed_silence_ms(Judgement("I want a haircut.", 0.9), patience) == 300
    assert needed_silence_ms(Judgement("I want a haircut.", 0.2), patience) == 900
    assert needed_silence_ms(Judgement("I want a", 0.9), patience) == 900
    assert needed_silence_ms(Judgement("I want a", 0.9), patience, attended=True) == 500
    assert needed_silence_ms(Judgement("I want a haircut.", 0.9), patience, attended=True) == 300


def test_words_are_plain():
    assert words("I'm here, OK?") == ["i'm", "here", "ok"]
