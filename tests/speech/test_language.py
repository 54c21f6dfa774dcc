"""Which language a caller speaks, and when an agent follows: by script, by words, by the recognizer."""

import sys

import pytest

from offhook.foundation.errors import MissingExtraError, ProviderError
from offhook.speech.base import Transcript
from offhook.speech.language import Tongue, check, guess, matching, needs_model, script


def turns(languages, *heard):
    tongue = Tongue(languages)
    return [
        tongue.follow(Transcript(*turn) if isinstance(turn, tuple) else Transcript(turn)) for turn in heard
    ]


def test_scripts():
    assert script("Hello, 123") == "latin"
    assert script("مرحبا OK") == "arabic"
    assert script("東京タワー") == "kana"
    assert script("123 … 👍") == ""
    assert script("ᚠᚢᚦ") == "other"


def test_one_language_is_never_left():
    assert turns(["en"], "مرحبا كيف حالك", ("Hola, ¿qué tal?", "es")) == ["en", "en"]


def test_an_arabic_caller_is_answered_in_arabic():
    assert turns(["en", "ar"], "مرحبا، أريد موعدا غدا", "نعم", "الساعة 5", "شكرا") == ["ar"] * 4


def test_a_caller_who_switches_is_followed_and_back():
    heard = ("Hello, are you open?", "هل يمكنني الحجز غدا؟", "Actually, can we do it in English?")
    assert turns(["en", "ar"], *heard) == ["en", "ar", "en"]


@pytest.mark.parametrize("short", ["OK", "ok thanks", "Okay, bye!", "hello", "5", "…", ""])
def test_a_short_word_that_everybody_says_does_not_flip_the_call(short):
    assert turns(["en", "ar"], "مرحبا، أريد موعدا غدا", short, short, short)[1:] == ["ar"] * 3


def test_a_word_of_another_language_needs_a_second_one():
    assert turns(["en", "es"], "sí gracias") == ["en"]
    assert turns(["en", "es"], "quiero saber", "quiero saber") == ["en", "es"]
    assert turns(["en", "es"], "quiero saber", "I mean the price of it", "quiero saber") == ["en"] * 3


def test_languages_of_one_script_are_told_apart_by_their_words():
    heard = ("What time do you open?", "¿A qué hora abren los viernes?", "Quiero una cita mañana por favor")
    assert turns(["en", "es"], *heard) == ["en", "es", "es"]
    assert turns(["fr", "en", "de"], "Je voudrais un rendez-vous demain", "Haben Sie morgen noch frei?") == [
        "fr",
        "de",
    ]


def test_the_recognizers_finding_wins_where_the_letters_allow_it():
    assert turns(["en", "es"], ("Madrid centro plaza mayor", "es", 0.95)) == ["es"]
    assert turns(["en", "es"], ("What time do you open?", "es", 0.4)) == ["en"]
    assert turns(["en", "ar"], ("هل أنتم مفتوحون اليوم", "en", 1.0)) == ["ar"]
    assert turns(["en", "pt-BR"], ("Eu queria marcar uma consulta", "pt", 0.9)) == ["pt-BR"]
    assert turns(["en", "es"], ("Guten Morgen zusammen, wie geht es", "de", 1.0)) in (["en"], ["es"])


def test_language_of_commits_nothing():
    tongue = Tongue(["en", "ar"])
    assert tongue.language_of(Transcript("هل أنتم مفتوحون")) == "ar"
    assert tongue.current == "en"


def test_text_is_spoken_by_a_voice_that_can_read_it():
    assert matching("Our name is Offhook.", "ar", ("en", "ar")) == "en"
    assert matching("مرحبا", "ar", ("en", "ar")) == "ar"
    assert matching("12", "ar", ("en", "ar")) == "ar"
    assert matching("Привет", "ar", ("en", "ar")) == "ar"


def test_guesses():
    assert guess("مرحبا", ["en", "ar"]).language == "ar"
    assert guess("привет", ["en", "ar"]) is None
    assert guess("東京", ["ja", "en"]).language == "ja"


def test_what_is_needed_is_told_at_once(monkeypatch):
    assert not needs_model(["en", "ar", "ru"])
    assert needs_model(["en", "es"])
    with pytest.raises(ProviderError, match="cannot tell"):
        check(["en", "tlh"])
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    Tongue(["en", "ar"])
    with pytest.raises(MissingExtraError, match=r"offhook\[languages\]"):
        Tongue(["de", "en", "nl"])
