"""Whether a caller's words are a plain yes to a question. Pure; in doubt they are not.

The tool runs on this judgement and not on the model's, which a caller may talk into anything.
"""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 8
_YES = """
yes yeah yep yup sure ok okay correct right exactly absolutely definitely confirmed agreed indeed
نعم اي ايوه ايوا اجل اكيد تمام موافق موافقة صح صحيح طبعا اوكي
sí si claro vale correcto exacto adelante confirmo oui ouais d'accord exact exactement
ja jawohl genau richtig stimmt sì certo esatto giusto confermo sim confirmo да конечно верно evet tamam
"""
_PHRASES = (
    "go ahead",
    "do it",
    "please do",
    "of course",
    "that is fine",
    "that's fine",
    "i confirm",
    "i agree",
    "de acuerdo",
    "está bien",
    "bien sûr",
    "va bene",
    "isso mesmo",
    "по рукам",
)
_BESIDES = """
please thank thanks you that's that is it's it i am well um uh er perfect great good
من فضلك لو سمحت شكرا هذا
por favor gracias es eso muy bien s'il vous te plaît merci c'est ça bitte danke das ist so
per favore grazie è obrigado obrigada é isso пожалуйста спасибо
"""
_ASKING = frozenset(("am", "is", "ist", "est"))
"""A turn that begins so asks whether it is, which recognizers often write without a question mark."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def _bare(text: str) -> str:
    """Lower case, one kind of apostrophe; Arabic without vowel marks and with one kind of alif."""
    kept = "".join(c for c in text.casefold() if not (unicodedata.combining(c) and ord(c) > 0x0600))
    return kept.translate({ord("أ"): "ا", ord("إ"): "ا", ord("آ"): "ا", ord("’"): "'", ord("ـ"): None})


_YES_WORDS = frozenset(_bare(_YES).split())
_KNOWN = _YES_WORDS | frozenset(_bare(_BESIDES).split())
_PHRASE = re.compile("|".join(rf"\b{re.escape(_bare(phrase))}\b" for phrase in _PHRASES))


def is_yes(text: str) -> bool:
    """Whether the words agree and say nothing else: no other word, no figure, no question."""
    if "?" in text or "؟" in text or any(c.isdigit() for c in text):
        return False
    words = _WORD.findall(_PHRASE.sub(" yes ", _bare(text)))
    if not 0 < len(words) <= MAX_WORDS or words[0] in _ASKING:
        return False
    return all(word in _KNOWN for word in words) and any(word in _YES_WORDS for word in words)
