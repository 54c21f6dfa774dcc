"""What callers are told who wait for a human, or are put through: shipped lines, and a house's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Phrases:
    """`position` has {position} in it, `wait` has {minutes}, `offer` and `confirm_call_back` may have
    {key}."""

    joined: str = "All our colleagues are busy. Please hold the line."
    next: str = "You are next in line."
    position: str = "You are number {position} in line."
    wait: str = "The estimated wait is about {minutes} minutes."
    soon: str = "The estimated wait is less than a minute."
    offer: str = "If you would rather be called back, press {key}, or say: call me back."
    confirm_call_back: str = "Shall we call you back at this number? Say yes, or press {key}."
    call_back: str = "All right, we will call you back. Goodbye!"
    ask_number: str = "Please key in the number to call you back at, then the hash key."
    connecting: str = "One moment please, I am putting you through."


SHIPPED: Mapping[str, Phrases] = {
    "en": Phrases(),
    "ar": Phrases(
        joined="جميع زملائنا مشغولون الآن. يرجى الانتظار على الخط.",
        next="أنت التالي في الدور.",
        position="أنت رقم {position} في الدور.",
        wait="مدة الانتظار المتوقعة حوالي {minutes} دقائق.",
        soon="مدة الانتظار المتوقعة أقل من دقيقة.",
        offer="إذا كنت تفضل أن نعاود الاتصال بك فاضغط {key} أو قل: اتصلوا بي.",
        confirm_call_back="هل نعاود الاتصال بك على هذا الرقم؟ قل نعم أو اضغط {key}.",
        call_back="حسنا، سنعاود الاتصال بك. مع السلامة!",
        ask_number="يرجى إدخال رقم الهاتف الذي نتصل بك عليه ثم الضغط على مفتاح المربع.",
        connecting="لحظة من فضلك، سأحولك الآن.",
    ),
}


def phrases_in(language: str, own: Mapping[str, Mapping[str, str]]) -> Phrases:
    """The lines in a language: the house's, then the shipped ones; English for a language without any."""
    code = language.partition("-")[0]
    shipped = SHIPPED.get(language) or SHIPPED.get(code) or SHIPPED["en"]
    given = own.get(language) or own.get(code) or {}
    names = {field.name for field in fields(Phrases)}
    chosen = {name: text for name, text in given.items() if text and name in names}
    return Phrases(**{name: chosen.get(name, getattr(shipped, name)) for name in names})


def filled(line: str, **values: object) -> str:
    """A line with its {names} filled in; other braces are a house's own, and stay."""
    for name, value in values.items():
        line = line.replace(f"{{{name}}}", str(value))
    return line


def told(phrases: Phrases, position: int, wait_s: float, *, first: bool, key: str) -> str:
    """Where in line somebody is. `first`: nothing was said before; `key`: which one asks for a call back,
    empty where that is not offered; a `wait_s` below 0 is not known."""
    parts = [phrases.joined] if first else []
    parts.append(phrases.next if position <= 1 else filled(phrases.position, position=position))
    if 0 <= wait_s < 60:
        parts.append(phrases.soon)
    elif wait_s >= 60:
        parts.append(filled(phrases.wait, minutes=max(2, round(wait_s / 60))))
    if key:
        parts.append(filled(phrases.offer, key=key))
    return " ".join(parts)
