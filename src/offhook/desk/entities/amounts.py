"""Recognizes amounts of money with their currency. A number without a currency is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.tokens import Token, fold_word
from offhook.desk.entities.words import cardinal

_CODES = "USD EUR GBP SAR AED EGP KWD QAR BHD OMR JOD INR CAD AUD CHF JPY CNY BTC ETH USDT"
_WORDS = {
    "USD": "$ dollar dollars buck bucks دولار دولارات دولارا",
    "EUR": "€ euro euros يورو",
    "GBP": "£ pound pounds quid إسترليني استرليني",
    "SAR": "﷼ riyal riyals ريال ريالات ريالا",
    "AED": "dirham dirhams درهم دراهم درهما",
    "EGP": "جنيه جنيهات جنيها",
    "DINAR": "dinar dinars دينار دنانير دينارا",
    "INR": "₹ rupee rupees روبية",
    "JPY": "¥ yen",
    "TRY": "lira ليرة ليرات",
    "BTC": "bitcoin bitcoins بتكوين بيتكوين",
    "ETH": "ether ethereum",
    "USDT": "tether تيثر",
}
CURRENCIES = {fold_word(word): code for code, words in _WORDS.items() for word in words.split()}
_CODE_WORDS = {code.lower(): code for code in _CODES.split()}
CURRENCIES |= _CODE_WORDS
_LANDS = {
    "us": {"USD": "USD"},
    "american": {"USD": "USD"},
    "canadian": {"USD": "CAD"},
    "australian": {"USD": "AUD"},
    "امريكي": {"USD": "USD"},
    "سعودي": {"SAR": "SAR"},
    "قطري": {"SAR": "QAR"},
    "عماني": {"SAR": "OMR"},
    "يمني": {"SAR": "YER"},
    "اماراتي": {"AED": "AED"},
    "مغربي": {"AED": "MAD"},
    "مصري": {"EGP": "EGP"},
    "استرليني": {"EGP": "GBP"},
    "كويتي": {"DINAR": "KWD"},
    "بحريني": {"DINAR": "BHD"},
    "اردني": {"DINAR": "JOD"},
    "عراقي": {"DINAR": "IQD"},
    "كندي": {"USD": "CAD"},
    "kuwaiti": {"DINAR": "KWD"},
    "jordanian": {"DINAR": "JOD"},
    "saudi": {"SAR": "SAR"},
    "qatari": {"SAR": "QAR"},
    "omani": {"SAR": "OMR"},
    "egyptian": {"GBP": "EGP"},
}
_SMALL = {"cents", "cent", "pence", "p", "هلله", "فلس", "قرش", "سنت"}
_TWOS = {
    fold_word(word): CURRENCIES[fold_word(one)]
    for word, one in (
        ("دولارين", "دولار"),
        ("ريالين", "ريال"),
        ("درهمين", "درهم"),
        ("جنيهين", "جنيه"),
        ("دينارين", "دينار"),
    )
}
_AND = {"and", "و"}
_ENDS = {".", ",", "?", "!", ";", "or", "and", "او", "و"}


def find_amounts(text: str, all_tokens: Sequence[Token]) -> Iterator[Found]:
    """All amounts, left to right."""
    at = 0
    while at < len(all_tokens):
        found = _amount_at(all_tokens, at)
        if found is None:
            at += 1
            continue
        value, currency, end = found
        start, stop = all_tokens[at].start, all_tokens[end - 1].end
        if value:
            yield Found(Kind.AMOUNT, f"{_plain(value)} {currency}", text[start:stop], start, stop, 0.95)
        at = end


def _plain(value: Decimal) -> str:
    whole = value.to_integral_value()
    return (
        str(whole)
        if value == whole
        else str(value.quantize(Decimal("0.01")) if value >= 1 else value.normalize())
    )


def _amount_at(all_tokens: Sequence[Token], at: int) -> tuple[Decimal, str, int] | None:
    word = all_tokens[at].word
    if word in _TWOS:
        return Decimal(2), *_land(all_tokens, at + 1, _TWOS[word])
    if word in CURRENCIES:
        number = cardinal(all_tokens, at + 1) if at + 1 < len(all_tokens) else None
        if number is None or (word.isalpha() and word not in _CODE_WORDS):
            return None
        value, end = _thousands(all_tokens, *number)
        return value, CURRENCIES[word], end
    number = cardinal(all_tokens, at)
    if number is None:
        return None
    value, end = _thousands(all_tokens, *number)
    land = _LANDS.get(all_tokens[end].word) if end < len(all_tokens) else None
    here = end + (land is not None)
    if here >= len(all_tokens) or (currency := CURRENCIES.get(all_tokens[here].word)) is None:
        if all_tokens[end - 1].word == "grand":
            return value, "USD", end
        return None
    if land is not None:
        currency = land.get(currency, currency)
    currency, end = _land(all_tokens, here + 1, currency)
    value, end = _rest(all_tokens, end, value, currency)
    return value, currency, end


def _thousands(all_tokens: Sequence[Token], value: Decimal, end: int) -> tuple[Decimal, int]:
    """`5k`."""
    if end < len(all_tokens) and all_tokens[end].word == "k" and not all_tokens[end].spaced:
        return value * 1000, end + 1
    return value, end


def _land(all_tokens: Sequence[Token], at: int, currency: str) -> tuple[str, int]:
    """Whose currency it is, where that is said after it, and the token after that."""
    word = all_tokens[at].word if at < len(all_tokens) else ""
    if not word.isascii() and currency in (land := _LANDS.get(word, {})):
        return land[currency], at + 1
    return currency, at


def _rest(all_tokens: Sequence[Token], at: int, value: Decimal, currency: str) -> tuple[Decimal, int]:
    """With the cents: "fifteen pounds fifty", "and twenty cents"."""
    here = at
    if here < len(all_tokens) and all_tokens[here].word in _AND:
        here += 1
    number = cardinal(all_tokens, here) if here < len(all_tokens) else None
    if number is None or not 0 < number[0] < 100 or value != value.to_integral_value():
        return value, at
    cents, end = number
    if end < len(all_tokens) and all_tokens[end].word in _SMALL:
        return value + cents / 100, end + 1
    closed = end == len(all_tokens) or all_tokens[end].word in _ENDS
    if (
        here == at
        and closed
        and cents >= 10
        and not all_tokens[at].is_number
        and currency in ("USD", "GBP", "EUR")
    ):
        return value + cents / 100, end
    return value, at
