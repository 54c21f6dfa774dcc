"""Clauses out of a stream of words."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.engines.chunking import MAX_CHARS, Clauses


def run(*pieces: str) -> list[str]:
    clauses = Clauses()
    given_out = [clause for piece in pieces for clause in clauses.feed(piece)]
    rest = clauses.finish()
    return [*given_out, rest] if rest else given_out


def test_sentences_are_given_as_soon_as_the_next_begins():
    clauses = Clauses()
    assert clauses.feed("We open at nine.") == []
    assert clauses.feed(" We") == ["We open at nine."]
    assert clauses.feed(" close at five. ") == ["We close at five."]
    assert clauses.finish() == ""


def test_first_clause_is_short_later_ones_are_not():
    text = "Of course I can, but first tell me, please, which day. "
    assert run(*text) == ["Of course I can,", "but first tell me, please, which day."]
    assert run(text) == [text.strip()], "a sentence that is there already is spoken whole"


def test_short_opening_words_are_not_a_clause():
    assert run("Yes, we do. ") == ["Yes, we do."]


def test_numbers_and_titles_do_not_end_sentences():
    assert run("Ask for Dr. Mills about it. Then call. ") == ["Ask for Dr. Mills about it.", "Then call."]


def test_endless_text_is_cut_at_words():
    text = "word " * 200
    parts = run(text)
    assert all(len(part) <= MAX_CHARS for part in parts)
    assert " ".join(parts).split() == text.split()
    assert max(map(len, run("x" * 1000))) <= MAX_CHARS


@given(st.lists(st.text(alphabet="ab .,!?;—\n1", max_size=12), max_size=30))
def test_nothing_is_lost_or_reordered(pieces):
    assert "".join("".join(run(*pieces)).split()) == "".join("".join(pieces).split())


@given(st.text(alphabet="ab .,!?1", max_size=80))
def test_chunking_of_the_stream_changes_no_word(text):
    assert " ".join(run(*text)).split() == " ".join(run(text)).split()
