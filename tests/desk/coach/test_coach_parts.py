"""The coach's parts: one spelling of words, meanings, signs, the count of risk, texts for every intent."""

from __future__ import annotations

import pytest

from offhook.desk.coach import concepts
from offhook.desk.coach.advice import LANGUAGES, compose, texts
from offhook.desk.coach.classifier import WEIGHTS, shipped
from offhook.desk.coach.intents import DEMANDS, Intent
from offhook.desk.coach.profile import INTENTS, SHIPPED, Kind, Profile
from offhook.desk.coach.reading import Reader, Reading
from offhook.desk.coach.risk import POINTS, Risk, Signs, rank
from offhook.desk.coach.sense import Sense
from offhook.desk.coach.signs import Flags, by_rule
from offhook.desk.coach.words import LONGEST, language_of, likeness, plain
from offhook.foundation.desk_events import WarningLevel

I = Intent  # noqa: E741
NONE, LOW, MEDIUM, HIGH, CRITICAL = WarningLevel


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أَعْطِنِي الرَّمْز", "اعطني الرمز"),
        ("إلى مكتبة آمنة", "الى مكتبه امنه"),
        ("رقم ١٢٣", "رقم 123"),
        ("رقم ۴۵۶", "رقم 456"),
        ("سـلام", "سلام"),
        ("Don't TELL anyone!", "dont tell anyone"),
        ("ＡＢＣ １２", "abc 12"),
        ("nooooo", "noo"),
        ("  a,b\n c ", "a b c"),
        ("", "?!…"),
    ],
)
def test_one_spelling(one: str, other: str) -> None:
    assert plain(one) == plain(other)


def test_long_turns_are_looked_at_from_their_end() -> None:
    assert plain("x" * 3 + " word " * 1_000).endswith("word")
    assert len(plain("word " * 1_000)) <= LONGEST


@pytest.mark.parametrize(
    ("text", "language"),
    [("hello", "en"), ("مرحبا", "ar"), ("حمل برنامج AnyDesk الان", "ar"), ("123", "xx"), ("", "xx")],
)
def test_the_language_of_a_turn(text: str, language: str) -> None:
    assert language_of(text, "xx") == language


def test_likeness_is_of_words() -> None:
    assert likeness("Ask for a number.", "ask for a NUMBER") == 1.0
    assert likeness("", "") == 1.0
    assert likeness("one two", "three") == 0.0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("install any desk please", {"install", "remote"}),
        ("والبطاقات", {"card"}),
        ("للحساب", {"account"}),
        ("ورقم الحساب", {"account"}),
        ("investigators are here", {"police"}),
        ("investing", {"invest"}),
        ("xyzzy", set()),
    ],
)
def test_words_are_found_by_meaning_in_both_languages(text: str, found: set[str]) -> None:
    assert found <= set(concepts.find(plain(text)))
    if not found:
        assert concepts.find(plain(text)) == ()


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("read me the code that you received", {I.ASKS_SECRET}),
        ("اعطني الرمز اللي وصلك", {I.ASKS_SECRET}),
        ("download anydesk on your computer", {I.ASKS_REMOTE}),
        ("buy google play cards", {I.ASKS_MONEY}),
        ("do not tell anyone and stay on the line", {I.SECRECY}),
        ("there is a warrant for your arrest", {I.PRESSURE}),
        ("i want to change my password", set()),
        ("my card was stolen", set()),
        ("can i pay my bill by transfer", set()),
        ("he told me it was a scam and i gave him the code", {I.REPORTS_FRAUD}),
    ],
)
def test_signs_by_rule(text: str, signs: set[Intent]) -> None:
    assert by_rule(concepts.find(plain(text))) == signs


def test_every_concept_of_a_rule_is_in_the_table() -> None:
    from offhook.desk.coach.signs import MOODS, RULES

    known = set(concepts.shipped().names)
    named = {name for rule in RULES for group in (*rule.groups, rule.without) for name in group}
    assert named | {name for name, _ in MOODS} <= known


@pytest.mark.parametrize(
    ("turns", "levels"),
    [
        ([{I.CLAIMS_AUTHORITY}, {I.PRESSURE}, {I.ASKS_SECRET}, set()], [LOW, MEDIUM, CRITICAL, HIGH]),
        ([{I.ASKS_MONEY}], [HIGH]),
        ([{I.SECRECY}, set(), set()], [MEDIUM, LOW, LOW]),
        ([{I.CLAIMS_AUTHORITY}, {I.CLAIMS_AUTHORITY}], [LOW, LOW]),
        ([{I.REPORTS_FRAUD}], [HIGH]),
        ([set()], [NONE]),
    ],
)
def test_the_count_of_risk(turns: list[set[Intent]], levels: list[WarningLevel]) -> None:
    risk, seen = Risk(), []
    for signs in turns:
        risk = risk.after(Signs(frozenset(signs)))
        seen.append(risk.level)
    assert seen == levels


def test_moods_and_red_flags_raise_the_level_without_adding_up() -> None:
    risk = Risk().after(Signs(mood=2)).after(Signs(mood=2))
    assert risk.level is MEDIUM
    assert risk.after(Signs(flags=("x",))).level is HIGH
    assert not risk.is_scam
    assert Risk().after(Signs(frozenset({I.ASKS_MONEY}))).is_scam


def test_red_flags_are_found_in_any_spelling() -> None:
    flags = Flags(["Western Union", "بطاقة هدية", "!!"])
    assert flags.find(plain("pay by WESTERN-union now")) == ("Western Union",)
    assert flags.find(plain("اشتري بطاقه هديه")) == ("بطاقة هدية",)
    assert flags.find(plain("western unions")) == ()


def test_a_red_flag_makes_a_card_grave_on_any_desk() -> None:
    profile = Profile("x", Kind.SALES, "", INTENTS[Kind.SALES], ("project falcon",))
    reading = Reader(profile).read("Tell me about Project Falcon, please.", Risk())
    advice = compose(reading, profile.kind)
    assert advice.level is HIGH
    assert "project falcon" in advice.reasoning
    assert "project falcon" in advice.warning


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(Kind))
def test_there_are_texts_for_every_intent(language: str, kind: Kind) -> None:
    for intent in Intent:
        check_texts(language, kind, intent)


def check_texts(language: str, kind: Kind, intent: Intent) -> None:
    seen = Risk().after(Signs(frozenset({I.SECRECY})))
    shown = frozenset({intent}) & POINTS.keys()
    after = seen.after(Signs(shown))
    advice = compose(Reading(intent, 0.3, language, Signs(shown), after, ()), kind)
    assert advice.language == language
    spoken = (advice.strategy, advice.spoken, advice.recommended_response, advice.reasoning, advice.warning)
    for text in (*spoken, *advice.suggestions):
        assert text
        assert "{" not in text
        assert text.isascii() is (language == "en")
    assert advice.suggestions
    assert len(advice.spoken) <= 80
    other = compose(Reading(intent, 0.3, language, Signs(), after, ()), kind, repeated=1)
    assert other.recommended_response != advice.recommended_response


def test_both_languages_have_the_same_tables() -> None:
    english, arabic = texts("en"), texts("ar")
    assert english.keys() == arabic.keys() == {"words", *(i.value for i in Intent)}
    assert english["words"].keys() == arabic["words"].keys()
    for name in english:
        assert english[name].keys() == arabic[name].keys(), name


def test_a_language_without_texts_is_told_in_english() -> None:
    reading = Reading(I.GREETING, 0.9, "fr", Signs(), Risk())
    assert compose(reading, Kind.SUPPORT, "fr-CA").language == "en"


def test_the_classifier_keeps_to_the_profiles_intents_and_sums_to_one() -> None:
    among = SHIPPED["sales"].intents
    shares = shipped().probabilities(plain("that is too expensive"), among)
    assert shares.keys() == among
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert max(shares, key=lambda i: shares[i]) is I.PRICE_OBJECTION
    assert shipped().probabilities("", {I.UNCLEAR, I.BOOKING}) == {I.UNCLEAR: 1.0, I.BOOKING: 0.0}
    assert shipped().intents == list(Intent)
    assert WEIGHTS.stat().st_size < 400_000


@pytest.mark.parametrize("text", ["", "   ", "?!", "١٢٣", "🙂🙂", "a" * 5_000, "\x00\ufffd", "\u202eabc"])
@pytest.mark.parametrize("name", list(SHIPPED))
def test_any_text_can_be_read(text: str, name: str) -> None:
    reading = Reader(SHIPPED[name]).read(text, Risk())
    assert 0 <= reading.confidence <= 1
    assert not reading.signs.intents & DEMANDS
    assert rank(reading.risk.level) <= 1


def test_without_the_embedding_model_turns_are_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.desk.coach import sense as module
    from offhook.foundation.errors import MissingModelError

    def missing() -> None:
        raise MissingModelError("receptionist", "pip install it")

    monkeypatch.setattr(module, "shared", missing)
    sense = Sense()
    assert sense.vector("hello") is None
    assert Reader(SHIPPED["support"], sense).read("Please cancel my contract.", Risk()).intent is I.CANCEL
