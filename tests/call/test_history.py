"""What the model may know."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.call.history import MAX_CHARS, History, cut
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


def test_lines_that_join_keep_their_newest_words():
    history = History()
    for n in range(40):
        history.add(CALLER, f"{n} " + "word " * 1_000)
    (message,) = history.messages
    assert MAX_CHARS - 8 < len(message.text) <= MAX_CHARS
    assert message.text.startswith("word")
    assert message.text.endswith("word")
    assert "39 word" in message.text


def test_what_is_recalled_joins_as_what_was_said():
    lines = [
        (AGENT, "Hello."),
        (AGENT, " "),
        (AGENT, " You? "),
        (CALLER, ""),
        (CALLER, "Fine."),
        (AGENT, "Good."),
    ]
    said, recalled = History(), History()
    for line in lines:
        said.add(*line)
    recalled.add(CALLER, "Of another day.")
    recalled.recall(lines)
    assert recalled.messages == said.messages


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
