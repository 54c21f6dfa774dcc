"""Written text to spoken words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.speech.tts.normalize import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Call 555 0142.", "Call five five five, oh one four two."),
        ("+1 (415) 555-2671", "plus one, four one five, five five five, two six seven one"),
        ("15551234567", "one, five five five, one two three, four five six seven"),
        ("5550142", "five five five, oh one four two"),
        ("at 09:30", "at nine thirty"),
        ("18:00, 12:00, 00:00 and 9:05", "six p.m., noon, midnight and nine oh five"),
        ("from 9 am to 6 pm.", "from nine a.m. to six p.m."),
        ("09:00-17:30", "nine o'clock to five thirty p.m."),
        ("99:99", "ninety-nine ninety-nine"),
        ("2026-03-13", "March thirteenth, twenty twenty-six"),
        (
            "13/03/2026 or 3/13/26",
            "March thirteenth, twenty twenty-six or March thirteenth, twenty twenty-six",
        ),
        ("Friday, March 6th, at 3 pm", "Friday, March sixth, at three p.m."),
        ("the 5th of March", "the fifth of March"),
        ("$35, 35 dollars, $1", "thirty-five dollars, thirty-five dollars, one dollar"),
        ("$35.50 and €1,200", "thirty-five dollars fifty and one thousand two hundred euros"),
        ("$1.5 million, 20 USD", "one point five million dollars, twenty dollars"),
        ("50% off, 1st and 22nd", "fifty percent off, first and twenty-second"),
        ("5 km at 20°C, 1 kg", "five kilometres at twenty degrees Celsius, one kilogram"),
        ("Dr. Smith, 12 Main St. in St. Louis", "Doctor Smith, twelve Main Street in Saint Louis"),
        ("harbourstreet.example", "harbourstreet dot example"),
        ("info@harbour-street.com", "info at harbour dash street dot com"),
        ("https://www.example.com/a/b2.", "example dot com slash a slash b two."),
        ("VAT & FAQ, ok ASAP", "V ay T and F ay Q, ok as soon as possible"),
        ("reference 4 8 2 1 3", "reference four eight two one three"),
        ("in 1999, 3.14, -5", "in nineteen ninety-nine, three point one four, minus five"),
        ("1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
        ("10-20 people, 24/7, No. 5", "ten to twenty people, twenty-four seven, number five"),
        ("007", "oh oh seven"),
        ("**Hello** `there` 🙂\n\n- you", "Hello there - you"),
        ("x² and ٣", "x squared and three"),
        ("", ""),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written) == said


def test_other_languages() -> None:
    assert spoken("السعر 35 دولار", "ar") == "السعر خمسة وثلاثون دولارا"
    assert spoken("٣ و 3.5", "ar-EG") == "ثلاثة وثلاثة فاصلة خمسة"
    assert spoken("Es kostet 35 Euro", "de") == "Es kostet fünfunddreißig Euro"
    assert spoken("12 xx", "zz") == "12 xx"


def test_speaking_twice_changes_nothing() -> None:
    text = spoken("Call 555 0142 at 09:30, it costs $35.")
    assert spoken(text) == text


TEXT = st.one_of(
    st.text(max_size=200), st.text(alphabet="0123456789 .,:/-$%+()apmkgSt@xA€°#½²٣", max_size=60)
)


@given(TEXT)
def test_english_never_has_digits(text: str) -> None:
    said = spoken(text)
    assert not any(c.isdigit() for c in said), said
    assert "\n" not in said


@given(TEXT, st.sampled_from(["ar", "de", "es", "fr", "ja", "zz", ""]))
def test_no_language_fails(text: str, language: str) -> None:
    spoken(text, language)
