"""What the model may know."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.call.history import History, cut
from offhook.foundation.events import LegKind
from offhook.speech.base import Message

CALLER, AGENT = LegKind.CALLER, LegKind.AGENT


def test_lines_of_one_speaker_join():
    history = History()
    for leg, text in [
        (AGENT, "Hello."),
        (AGENT, "How are you?"),
        (CALLER, " Fine "),
        (CALLER, ""),
        (AGENT, "Good."),
    ]:
        history.add(leg, text)
    assert history.messages == [
        Message(AGENT, "Hello. How are you?"),
        Message(CALLER, "Fine"),
        Message(AGENT, "Good."),
    ]
    assert history.last(CALLER) == "Fine"
    assert history.with_caller("So?")[-1] == Message(CALLER, "So?")
    assert len(history.messages) == 3


def test_nobody_spoke():
    assert History().last(CALLER) == ""


def test_history_is_bounded():
    history = History(limit=3)
    for n in range(10):
        history.add((CALLER, AGENT)[n % 2], str(n))
    assert [m.text for m in history.messages] == ["7", "8", "9"]


def test_cut_at_whole_words():
    assert cut("one two three", 0.0) == ("", "one two three")
    assert cut("one two three", 1.0) == ("one two three", "")
    assert cut("one two three", 0.5) == ("one", "two three")
    assert cut("one two three", 0.6) == ("one two", "three")
    assert cut("indivisible", 0.9) == ("", "indivisible")


@given(st.text(alphabet="ab \n", max_size=40), st.floats(0, 1))
def test_cut_loses_no_word(text, share):
    heard, unheard = cut(text, share)
    assert (heard + " " + unheard).split() == text.split()
