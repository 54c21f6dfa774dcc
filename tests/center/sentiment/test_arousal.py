"""How aroused a caller sounds against the same caller before, and what the turns of a call come to."""

from __future__ import annotations

import pytest

from offhook.audio.prosody import SILENCE, Prosody
from offhook.center.sentiment.arousal import Arousal, Deviation, Ear, Heard, arousal_of
from offhook.center.sentiment.mood import Mood
from offhook.center.sentiment.reader import Label, WordsRead
from offhook.foundation.desk_events import Emotion

CALM = Prosody(2000, -26.0, 180.0, 6.0)
RAISED = Prosody(2000, -21.0, 212.0, 8.0)
SHOUTED = Prosody(2000, -17.0, 250.0, 9.0)
LOW = Prosody(2000, -33.0, 150.0, 3.0)


def used_to(ear: Ear, turns: int = 3) -> Ear:
    for _ in range(turns):
        ear.hear(CALM, 6)
    return ear


def test_nothing_is_known_before_the_caller_was_heard() -> None:
    ear = Ear()
    assert ear.hear(SHOUTED, 6).arousal is Arousal.UNKNOWN
    assert ear.hear(SHOUTED, 6).arousal is Arousal.UNKNOWN
    assert ear.hear(SHOUTED, 6).arousal is Arousal.CALM  # a loud speaker by nature


def test_a_voice_rises_and_comes_down() -> None:
    ear = used_to(Ear())
    heard = [
        ear.hear(voice, words).arousal for voice, words in ((CALM, 6), (RAISED, 7), (SHOUTED, 9), (CALM, 6))
    ]
    assert heard == [Arousal.CALM, Arousal.TENSE, Arousal.AGITATED, Arousal.CALM]


def test_a_state_is_not_left_at_its_threshold() -> None:
    """A value between a threshold and its margin keeps the state, and does not begin it."""
    between = Prosody(2000, -22.3, 198.0, 7.0)
    assert used_to(Ear()).hear(between, 6).arousal is Arousal.CALM
    ear = used_to(Ear())
    ear.hear(RAISED, 7)
    heard = ear.hear(between, 6)
    assert 0.3 < heard.value < 0.45
    assert heard.arousal is Arousal.TENSE


def test_agitated_and_subdued_have_margins_too() -> None:
    ear = used_to(Ear())
    ear.hear(SHOUTED, 9)
    assert ear.hear(Prosody(2000, -21.0, 225.0, 8.0), 7).arousal is Arousal.AGITATED
    assert used_to(Ear()).hear(Prosody(2000, -21.0, 225.0, 8.0), 7).arousal is Arousal.TENSE
    ear = used_to(Ear())
    assert ear.hear(LOW, 4).arousal is Arousal.SUBDUED
    assert ear.hear(Prosody(2000, -29.0, 159.0, 4.0), 5).arousal is Arousal.SUBDUED


def test_what_is_agitated_does_not_become_the_baseline() -> None:
    ear = used_to(Ear())
    assert [ear.hear(SHOUTED, 9).arousal for _ in range(20)] == [Arousal.AGITATED] * 20


def test_turns_that_say_little() -> None:
    ear = used_to(Ear())
    assert ear.hear(SILENCE, 3) == Heard(Arousal.CALM, 0.0, Deviation())
    ear.hear(SHOUTED, 9)
    assert ear.hear(Prosody(300, -10, 300, 1), 1).arousal is Arousal.AGITATED  # as before
    without = used_to(Ear()).hear(
        Prosody(2000, -26.0, 0.0, 0.0), 1
    )  # a whisper, and too few words for a rate
    assert without.deviation == Deviation()
    bare = Ear()
    for _ in range(3):
        bare.hear(Prosody(2000, -26.0, 0.0, 0.0), 1)
    assert bare.hear(SHOUTED, 9).deviation == Deviation(0.0, 9.0, 0.0)


def test_no_single_sign_is_enough() -> None:
    assert arousal_of(Deviation(level_db=30)) < 0.5
    assert arousal_of(Deviation(rate=3)) < 0.45
    assert arousal_of(Deviation(pitch_st=4, level_db=6, rate=0.38)) == pytest.approx(1.0)


def words(score: float) -> WordsRead:
    label = Label.POSITIVE if score > 0.3 else Label.NEGATIVE if score < -0.3 else Label.NEUTRAL
    return WordsRead(score, label, 0.9, "en")


def say(mood: Mood, *scores: float) -> list[float]:
    return [mood.turn(n, words(score), None, n * 1000).score for n, score in enumerate(scores, 1)]


def test_a_call_goes_where_its_turns_go() -> None:
    mood = Mood()
    scores = say(mood, 0.6, 0.0, -0.5, -0.8, -0.9)
    assert scores[0] == 0.6
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < -0.5
    assert mood.trend < -0.3
    assert mood.emotion is Emotion.UNHAPPY


def test_a_turn_that_says_nothing_leaves_the_caller_as_before() -> None:
    mood = Mood()
    say(mood, -0.9, -0.8, 0.0)
    assert mood.emotion is Emotion.UNHAPPY
    say(mood, 0.9, 0.9, 0.8)
    assert mood.emotion is Emotion.PLEASED


def test_a_trend_takes_three_turns() -> None:
    mood = Mood()
    found = [mood.turn(n, words(score), None, 0).trend for n, score in enumerate((0.9, 0.0, -0.9), 1)]
    assert found == [0.0, 0.0, -0.9]


@pytest.mark.parametrize(
    ("score", "arousal", "emotion"),
    [
        (0.0, Arousal.CALM, Emotion.CALM),
        (0.8, Arousal.CALM, Emotion.PLEASED),
        (-0.8, Arousal.CALM, Emotion.UNHAPPY),
        (0.8, Arousal.AGITATED, Emotion.EXCITED),
        (0.0, Arousal.AGITATED, Emotion.AGITATED),
        (-0.8, Arousal.TENSE, Emotion.AGITATED),
        (0.0, Arousal.TENSE, Emotion.TENSE),
        (0.8, Arousal.TENSE, Emotion.PLEASED),
        (0.0, Arousal.SUBDUED, Emotion.SUBDUED),
        (-0.8, Arousal.SUBDUED, Emotion.UNHAPPY),
        (0.0, Arousal.UNKNOWN, Emotion.CALM),
    ],
)
def test_words_and_voice_make_an_emotion(score: float, arousal: Arousal, emotion: Emotion) -> None:
    voice = Heard(arousal, 1.0, Deviation(2.0, 3.0, 0.1))
    found = Mood().turn(1, words(score), voice, 1000)
    assert found.emotion is emotion
    assert found.voice == (
        {} if arousal is Arousal.UNKNOWN else {"pitch_st": 2.0, "level_db": 3.0, "rate": 1.07}
    )


def test_a_raised_voice_counts_against_words_that_are_not_pleased() -> None:
    voice = Heard(Arousal.AGITATED, 1.0, Deviation())
    assert Mood().turn(1, words(0.0), voice, 0).turn_score == -0.2
    assert Mood().turn(1, words(0.6), voice, 0).turn_score == 0.6
    assert Mood().turn(1, words(-0.95), voice, 0).turn_score == -1.0
