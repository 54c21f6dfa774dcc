"""The fixed words of the briefing voice, and what the caller is told, in English and Arabic. Values only."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "somebody": "somebody whose number is not shown",
        "who": "A call from {caller}, {length}.",
        "again": "They called {count} times before.",
        "moments": "on the line for a moment",
        "minutes": "on the line for {count} minutes",
        "why": "It is about: {wish}",
        "said": "Their last words: {text}",
        "promised": "They were promised: {text}",
        "mood calm": "They sound calm.",
        "mood pleased": "They sound pleased.",
        "mood excited": "They sound excited.",
        "mood unhappy": "They sound unhappy.",
        "mood tense": "They sound tense.",
        "mood agitated": "They sound angry.",
        "mood subdued": "They sound low.",
        "entities": "They gave: {text}.",
        "choose": "Say connect, or decline. Say again to hear this once more.",
        "nothing": "I do not know that.",
        "unclear": "I did not get that. Ask who, why, what was promised; say again, connect, or decline.",
        "connecting": "Connecting.",
    },
    "ar": {
        "somebody": "متصل رقمه غير ظاهر",
        "who": "مكالمة من {caller}، {length}.",
        "again": "اتصل من قبل {count} مرات.",
        "moments": "على الخط منذ لحظات",
        "minutes": "على الخط منذ {count} دقائق",
        "why": "الموضوع: {wish}",
        "said": "آخر ما قاله: {text}",
        "promised": "وعدناه بما يلي: {text}",
        "mood calm": "يبدو هادئا.",
        "mood pleased": "يبدو راضيا.",
        "mood excited": "يبدو متحمسا.",
        "mood unhappy": "يبدو مستاء.",
        "mood tense": "يبدو متوترا.",
        "mood agitated": "يبدو غاضبا.",
        "mood subdued": "يبدو حزينا.",
        "entities": "ذكر: {text}.",
        "choose": "قل صلني، أو لا أستطيع. قل أعد لتسمع ذلك مرة أخرى.",
        "nothing": "لا أعرف ذلك.",
        "unclear": "لم أفهم. اسأل من، أو لماذا، أو بماذا وعد؛ أو قل أعد، أو صلني، أو لا أستطيع.",
        "connecting": "أصلك الآن.",
    },
}
"""For the ear of whoever is asked."""

LINES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "asking": "One moment, please. I am asking a colleague.",
        "declined": "I am sorry, nobody can take your call right now. I am still here for you.",
        "timed_out": "I am sorry, I could not reach a colleague. I am still here for you.",
        "abandoned": "I am sorry, the line to my colleague was lost. I am still here for you.",
        "cancelled": "Thank you for waiting. I am back with you.",
    },
    "ar": {
        "asking": "لحظة من فضلك، سأسأل زميلا.",
        "declined": "عذرا، لا يستطيع أحد من زملائي أخذ مكالمتك الآن. ما زلت معك.",
        "timed_out": "عذرا، لم أتمكن من الوصول إلى أحد من زملائي. ما زلت معك.",
        "abandoned": "عذرا، انقطع الخط مع زميلي. ما زلت معك.",
        "cancelled": "شكرا لانتظارك. عدت إليك.",
    },
}
"""For the caller."""


def line(name: str, language: str) -> str:
    """What the caller is told, in a language."""
    return LINES["ar" if language.lower().startswith("ar") else "en"][name]
