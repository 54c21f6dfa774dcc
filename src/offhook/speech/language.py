"""Which language a caller speaks, and when an agent follows a change of it. Text only, no audio, no voices.

The script decides where it can; a small statistical model (the extra `languages`) where an agent's
languages share one; the recognizer's own finding, where it has one, before that.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from offhook.foundation.errors import MissingExtraError, ProviderError
from offhook.speech.base import Transcript

SURE = 0.8
"""How probable another language must be before the agent follows."""
_SHARED = """
ok okay okey yes yeah yep no nope hello hallo hi hey alo allo ciao bye bravo stop thanks merci super taxi
نعم لا اه ايوه أيوه طيب تمام أوكي اوكي أوكيه هلو الو ألو شكرا باي
"""
_SAY_LITTLE = frozenset(_SHARED.split())
"""Words that people say in any language: they are no sign of a change."""
_FOREIGN_LETTERS = 4
_SAME_SCRIPT_WORDS = 3
_VOTES = 2
"""So many turns in a row in another language count, however short they are."""
_WORD = re.compile(r"[^\W\d_]+")

_RANGES = (
    (0x0041, 0x024F, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "armenian"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x08A0, 0x08FF, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x09FF, "bengali"),
    (0x0A80, 0x0AFF, "gujarati"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x0C00, 0x0C7F, "telugu"),
    (0x0E00, 0x0E7F, "thai"),
    (0x10A0, 0x10FF, "georgian"),
    (0x1100, 0x11FF, "hangul"),
    (0x1200, 0x137F, "ethiopic"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x3040, 0x30FF, "kana"),
    (0x3400, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
    (0xFB1D, 0xFB4F, "hebrew"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
)
_STARTS = [start for start, _, _ in _RANGES]
_WRITTEN = {
    "arabic": "ar fa ur ps ckb sd ug",
    "armenian": "hy",
    "bengali": "bn as",
    "cyrillic": "ru uk be bg mk sr kk ky mn tg",
    "devanagari": "hi mr ne",
    "ethiopic": "am ti",
    "georgian": "ka",
    "greek": "el",
    "gujarati": "gu",
    "hangul": "ko",
    "han": "zh yue",
    "hebrew": "he yi",
    "kana": "ja",
    "tamil": "ta",
    "telugu": "te",
    "thai": "th",
}
_SCRIPT_OF = {language: script for script, names in _WRITTEN.items() for language in names.split()}


@dataclass(frozen=True, slots=True)
class Guess:
    """A language of the agent's, as the agent spells it, and how probable it is."""

    language: str
    probability: float


def base(language: str) -> str:
    """The language without its region: "pt" of "pt-BR"."""
    return language.partition("-")[0].lower()


def same(one: str, other: str) -> bool:
    """Whether both are the same language, whatever the regions."""
    return base(one) == base(other)


def script_of(language: str) -> str:
    """The script that a language is written in."""
    return _SCRIPT_OF.get(base(language), "latin")


def script(text: str) -> str:
    """The script of most letters of `text`, or an empty string. Japanese counts as kana, however few."""
    found = Counter(filter(None, map(_script, text)))
    if not found:
        return ""
    if found["kana"] and found["kana"] + found["han"] >= found.total() / 2:
        return "kana"
    return found.most_common(1)[0][0]


def _script(char: str) -> str:
    code = ord(char)
    if not char.isalpha():
        return ""
    place = bisect.bisect_right(_STARTS, code) - 1
    if place < 0 or code > _RANGES[place][1]:
        return "other"
    return _RANGES[place][2]


def matching(text: str, language: str, among: Sequence[str]) -> str:
    """`language`, or where `text` is not written in its script the first of `among` whose it is."""
    found = script(text)
    if not found or found == script_of(language):
        return language
    return next((other for other in among if script_of(other) == found), language)


def needs_model(languages: Sequence[str]) -> bool:
    """Whether two of them share a script, so that letters alone cannot tell."""
    scripts = [script_of(language) for language in dict.fromkeys(map(base, languages))]
    return len(set(scripts)) < len(scripts)


@lru_cache(maxsize=64)
def identifier(languages: tuple[str, ...]) -> Any:
    """The statistical model for these languages (0.7 s to load). Raises MissingExtraError, ProviderError."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise MissingExtraError("language detection", "languages") from None
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    try:
        model.set_languages([*languages])
    except ValueError:
        names = ", ".join(languages)
        raise ProviderError("languages", f"cannot tell {names} from each other", retryable=False) from None
    return model


def check(languages: Sequence[str]) -> None:
    """Load what telling these languages apart needs. Raises MissingExtraError, ProviderError."""
    for group in _groups(languages):
        identifier(group)


def _groups(languages: Sequence[str]) -> list[tuple[str, ...]]:
    """The languages that share a script, script by script; those alone in theirs are left out."""
    by_script: dict[str, list[str]] = {}
    for name in sorted({base(language) for language in languages}):
        by_script.setdefault(script_of(name), []).append(name)
    return [tuple(group) for group in by_script.values() if len(group) > 1]


def guess(text: str, among: Sequence[str]) -> Guess | None:
    """The most probable of the languages `among`, or None when the text fits none of them."""
    found = script(text)
    if found == "han" and not any(script_of(language) == "han" for language in among):
        found = "kana"
    fitting = [language for language in among if script_of(language) == found]
    if not fitting:
        return None
    names = tuple(sorted({base(language) for language in fitting}))
    if len(names) == 1:
        return Guess(fitting[0], 1.0)
    name, probability = identifier(names).classify(text)
    return Guess(next(language for language in fitting if base(language) == name), float(probability))


def says_little(text: str) -> bool:
    """Whether the words are such as people say in any language."""
    return all(word in _SAY_LITTLE for word in _WORD.findall(text.casefold()))


class Tongue:
    """Follows one caller's language among the agent's. `current` begins as the agent's first."""

    __slots__ = ("_languages", "_rival", "_votes", "current")

    def __init__(self, languages: Sequence[str]) -> None:
        """Raises MissingExtraError, ProviderError when these languages cannot be told apart."""
        if len(languages) > 1:
            check(languages)
        self._languages = tuple(languages)
        self._rival = ""
        self._votes = 0
        self.current = self._languages[0]

    def language_of(self, heard: Transcript) -> str:
        """The language of a turn: the caller's new one where it is clear, else that of before."""
        return self._judge(heard)[0]

    def follow(self, heard: Transcript) -> str:
        """The same, and the agent follows: short words alone do not change it, two such turns do."""
        language, rival = self._judge(heard)
        if language == self.current:
            self._votes = self._votes + 1 if rival and rival == self._rival else int(bool(rival))
            self._rival = rival
            if self._votes < _VOTES:
                return self.current
            language = rival
        self._rival, self._votes = "", 0
        self.current = language
        return language

    def _judge(self, heard: Transcript) -> tuple[str, str]:
        """The language to answer in, and the one that the words hint at without saying enough."""
        if len(self._languages) < 2 or not script(heard.text) or says_little(heard.text):
            return self.current, ""
        found = self._find(heard)
        if found is None or same(found.language, self.current):
            return self.current, ""
        if found.probability < SURE:
            return self.current, ""
        if self._is_enough(heard.text, found.language):
            return found.language, ""
        return self.current, found.language

    def _find(self, heard: Transcript) -> Guess | None:
        """What the recognizer found, unless the letters contradict it; else what the words say."""
        fits = [x for x in self._languages if heard.language and same(x, heard.language)]
        if fits and script_of(fits[0]) == script(heard.text) and not same(fits[0], self._languages[0]):
            return Guess(fits[0], heard.confidence)
        return guess(heard.text, self._languages)

    def _is_enough(self, text: str, language: str) -> bool:
        words = [word for word in _WORD.findall(text.casefold()) if word not in _SAY_LITTLE]
        if script_of(language) != script_of(self.current):
            return sum(map(len, words)) >= _FOREIGN_LETTERS
        return len(words) >= _SAME_SCRIPT_WORDS
