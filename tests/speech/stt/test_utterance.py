"""What is kept of an utterance until its words are settled."""

from __future__ import annotations

import pytest

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.speech.stt.dialect import Settled
from offhook.speech.stt.utterance import REPLAY_MS, Utterance


def spoken(ms: int) -> Utterance:
    utterance = Utterance(PHONE)
    utterance.add(PHONE.silence(PHONE.samples(ms)))
    return utterance


def test_settled_sound_is_let_go() -> None:
    utterance = spoken(2_000)
    utterance.hear("hel", 900)
    assert (utterance.text, utterance.heard_ms, utterance.settled_ms) == ("hel", 900, 0)
    utterance.settle(Settled("hello", 1_500), 1_500)
    assert (utterance.text, utterance.start_ms, len(utterance.audio)) == ("hello", 1_500, 4_000)
    utterance.hear("you", 1_700)
    assert utterance.text == "hello you"


def test_nobody_settles_more_than_was_said() -> None:
    utterance = spoken(1_000)
    utterance.settle(Settled("hello", 9_000), 9_000)
    assert utterance.settled_ms == utterance.pushed_ms == 1_000
    utterance.settle(Settled("", 500), 500)
    assert utterance.settled_ms == 1_000


@pytest.mark.parametrize("format", [PHONE, WIDEBAND], ids=["phone", "wideband"])
def test_no_more_than_twelve_seconds_are_kept(format) -> None:  # type: ignore[no-untyped-def]
    utterance = Utterance(format)
    for _ in range(500):
        utterance.add(format.silence(format.samples(32)))
    assert format.ms(len(utterance.audio)) <= REPLAY_MS
    assert len(utterance.audio) % format.width == 0
    assert utterance.pushed_ms == pytest.approx(16_000)


def test_a_replay_needs_all_that_is_not_settled() -> None:
    utterance = spoken(2_000)
    utterance.hear("hello", 1_800)
    assert utterance.rewind()
    assert (utterance.text, utterance.heard_ms) == ("", 0)


def test_words_that_are_known_make_up_for_sound_that_is_not_kept() -> None:
    utterance = spoken(14_000)
    assert not utterance.rewind()
    utterance.hear("a long story", 13_000)
    assert utterance.rewind()
    assert (utterance.text, utterance.start_ms) == ("a long story", 13_000)


def test_the_language_is_that_of_most_words() -> None:
    utterance = spoken(1_000)
    utterance.settle(Settled("yes", 100, "en", 0.9), 100)
    assert utterance.transcript("").language == "en"
    utterance.settle(Settled("une table pour deux", 500, "fr", 0.5), 500)
    transcript = utterance.transcript("de")
    assert (transcript.language, transcript.confidence) == ("fr", 0.5)
    assert spoken(1_000).transcript("de").language == "de"


def test_a_description_is_of_the_last_words() -> None:
    utterance = spoken(1_000)
    utterance.describe("en", 0.5)
    assert utterance.described
    utterance.settle(Settled("yes", 100), 100)
    assert not utterance.described
    utterance.describe("en", None)
    assert utterance.described
    assert utterance.transcript("").confidence == 1.0
    utterance.describe("", 0.5)
    assert (utterance.transcript("").language, utterance.transcript("").confidence) == ("en", 0.5)
