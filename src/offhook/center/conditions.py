"""What a routing rule may ask of a call: small tests that say why they fail. Pure.

Each is given a situation and answers with an empty string where it holds, else with the reason in a few
words. What is not known yet (an intent before the caller spoke) never holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import re2

from offhook.center.calendar import DAYS, Calendar, minutes

LONGEST_TEXT = 128
INTENT = "the intent"
_SEPARATORS = re.compile(r"[\s().-]")
_NUMBER = re.compile(r"\+?\d+\Z")


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a rule may look at. `at` is aware; `sentiment` is -1 … 1, None while unknown; `load` is the
    share of the house's room that is taken, 0 … 1; `agent` is the one that the caller asked for; `refers`:
    the caller came to a room by LiveKit's telephony, which can put them through to a number."""

    at: datetime
    number: str = ""
    caller: str = ""
    channel: str = "phone"
    language: str = ""
    intent: str = ""
    sentiment: float | None = None
    returning: bool = False
    load: float = 0.0
    variables: Mapping[str, str] = field(default_factory=dict)
    agent: str = ""
    refers: bool = False


class Condition(Protocol):
    def fault(self, situation: Situation) -> str:
        """Why it does not hold; empty where it does."""

    def said(self) -> str:
        """The condition in a few words, for people."""


def tidy_number(text: str) -> str:
    """A phone number without spaces and dashes, 00 as +; anything else as it is, without spaces around."""
    bare = _SEPARATORS.sub("", text)
    if not _NUMBER.match(bare):
        return text.strip()
    return f"+{bare[2:]}" if bare.startswith("00") else bare


def _expression(text: str) -> re2.Pattern:
    """Raises ValueError. Callers choose what it is tried on, so its time has to grow with the text's length
    alone, which RE2 sees to; it has no look-ahead and no back-references for that."""
    options = re2.Options()
    options.case_sensitive, options.log_errors = False, False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"a regular expression between slashes ({reason})") from None


class Pattern:
    """`"+15550100"` is that text, `"+1555*"` a beginning (`"*"` any that is known), `"/555|666/"` a regular
    expression found in it."""

    __slots__ = ("_expression", "_start", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError with what is allowed."""
        self.text = text
        self._start: str | None = None
        self._expression: re2.Pattern | None = None
        if not text.strip():
            raise ValueError("text, not empty")
        if len(text) > 2 and text[0] == text[-1] == "/":
            self._expression = _expression(text[1:-1])
        elif "*" in text[:-1]:
            raise ValueError('a * at the end only; for more a regular expression like "/^555/"')
        elif text.endswith("*"):
            self._start = tidy_number(text[:-1]).casefold()
        else:
            self.text = tidy_number(text)

    def matches(self, text: str) -> bool:
        """`text` is tidy and in one case."""
        if self._expression is not None:
            return self._expression.search(text) is not None
        return text.startswith(self._start) if self._start is not None else text == self.text.casefold()


@dataclass(frozen=True, slots=True)
class Text:
    """A number, a name, a variable: one of the patterns fits it. `what` is how people call it."""

    what: str
    of: Callable[[Situation], str]
    patterns: Sequence[Pattern]

    def fault(self, situation: Situation) -> str:
        value = tidy_number(self.of(situation)[:LONGEST_TEXT])
        if not value:
            return f"{self.what} is not known"
        folded = value.casefold()
        if any(pattern.matches(folded) for pattern in self.patterns):
            return ""
        return f"{self.what} is {value}, not {self._wanted()}"

    def said(self) -> str:
        return f"{self.what} is {self._wanted()}"

    def _wanted(self) -> str:
        return either(pattern.text for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Word:
    """A channel, an intent …: one of these words."""

    what: str
    of: Callable[[Situation], str]
    words: tuple[str, ...]

    def fault(self, situation: Situation) -> str:
        value = self.of(situation)
        if value in self.words:
            return ""
        return f"{self.what} is {value}, not {either(self.words)}" if value else f"{self.what} is not known"

    def said(self) -> str:
        return f"{self.what} is {either(self.words)}"


@dataclass(frozen=True, slots=True)
class Language:
    """One of these languages; "ar" is any Arabic."""

    codes: tuple[str, ...]

    def fault(self, situation: Situation) -> str:
        spoken = situation.language.lower()
        if not spoken:
            return "the language is not known"
        if any(spoken == code or spoken.startswith(f"{code}-") for code in self.codes):
            return ""
        return f"the language is {situation.language}, not {either(self.codes)}"

    def said(self) -> str:
        return f"the language is {either(self.codes)}"


@dataclass(frozen=True, slots=True)
class Number:
    """A figure that is above, or below, a bound."""

    what: str
    of: Callable[[Situation], float | None]
    above: float | None = None
    below: float | None = None

    def fault(self, situation: Situation) -> str:
        value = self.of(situation)
        if value is None:
            return f"{self.what} is not known"
        if self.above is not None and not value > self.above:
            return f"{self.what} is {value:g}, not above {self.above:g}"
        if self.below is not None and not value < self.below:
            return f"{self.what} is {value:g}, not below {self.below:g}"
        return ""

    def said(self) -> str:
        bounds = (("above", self.above), ("below", self.below))
        return f"{self.what} is " + " and ".join(f"{word} {at:g}" for word, at in bounds if at is not None)


@dataclass(frozen=True, slots=True)
class Returning:
    """Whether the caller has called before."""

    wanted: bool

    def fault(self, situation: Situation) -> str:
        if situation.returning is self.wanted:
            return ""
        return "the caller has called before" if situation.returning else "the caller has not called before"

    def said(self) -> str:
        return "the caller has called before" if self.wanted else "the caller has not called before"


@dataclass(frozen=True, slots=True)
class Open:
    """A calendar is open, or (not `wanted`) closed."""

    calendar: Calendar
    wanted: bool = True

    def fault(self, situation: Situation) -> str:
        is_open = self.calendar.is_open(situation.at)
        if is_open is self.wanted:
            return ""
        state = "open" if is_open else "closed"
        return f"{self.calendar.name} is {state} on {self.calendar.said(situation.at)}"

    def said(self) -> str:
        return f"{self.calendar.name} is {'open' if self.wanted else 'closed'}"


@dataclass(frozen=True, slots=True)
class Time:
    """Days and hours of the rule's own. Hours past midnight belong to the day they began on."""

    calendar: Calendar

    def fault(self, situation: Situation) -> str:
        if self.calendar.is_open(situation.at):
            return ""
        return f"it is {self.calendar.said(situation.at)}, not {self.calendar.name}"

    def said(self) -> str:
        return f"it is {self.calendar.name}"


def time_of(names: Sequence[str], start: str, end: str, timezone: str) -> Time:
    """`names` of days, all for none; from `start` to `end`, the whole day for none. Raises ValueError."""
    first = minutes(start) if start else 0
    last = minutes(end) if end else 1440
    if first == last or first == 1440:
        raise ValueError("a time that is not the other one")
    span = (first, last if last > first else last + 1440)
    week = tuple((span,) if not names or day in names else () for day in DAYS)
    hours = f"{start or '00:00'}-{end or '24:00'}" if start or end else ""
    words = " ".join(filter(None, (either(day.capitalize() for day in names), hours)))
    return Time(Calendar(words, timezone, week))


def either(words: Iterable[str]) -> str:
    """ "a, b or c"."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} or {last}" if most else last
