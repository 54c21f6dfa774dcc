"""What was said and heard in a call, as the model may know it. Pure; never holds a word that nobody heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from offhook.foundation.events import LegKind
from offhook.speech.base import Message, ToolResult

MAX_CHARS = 65_536
"""Of lines that join to one longer message, the newest words are kept."""


def cut(text: str, share: float) -> tuple[str, str]:
    """Split words at the share (0…1) of their sound that was heard; a word half heard counts as unheard."""
    if share >= 1.0:
        return text, ""
    if share <= 0.0:
        return "", text
    heard_chars = share * len(text)
    end = 0
    for position, char in enumerate(text):
        if char.isspace() and position <= heard_chars:
            end = position
    return text[:end].rstrip(), text[end:].lstrip()


@dataclass(slots=True)
class History:
    """The conversation, oldest first; consecutive lines of one speaker are one message."""

    messages: list[Message] = field(default_factory=list)
    limit: int = 80
    _later: list[tuple[LegKind, str, str]] = field(default_factory=list)

    def add(self, leg: LegKind, text: str, speaker: str = "") -> None:
        """Append what `leg` said, or one of several there by name; empty text adds nothing."""
        text = text.strip()
        if not text:
            return
        last = self.messages[-1] if self.messages else None
        joins = last is not None and last.leg is leg and last.speaker == speaker
        if last is not None and joins and not last.tools and not last.hidden:
            text = f"{self.messages.pop().text} {text}"
        if len(text) > MAX_CHARS:
            newest = text[-MAX_CHARS:]
            text = newest.partition(" ")[2] or newest  # no half word
        self.messages.append(Message(leg, text, speaker=speaker))
        del self.messages[: -self.limit]

    def add_later(self, leg: LegKind, text: str, speaker: str = "") -> None:
        """Append this behind what the agent is saying now, with the next `settle`."""
        self._later.append((leg, text, speaker))
        del self._later[: -self.limit]

    def settle(self) -> None:
        """What the agent was saying is known: what was said meanwhile comes after it."""
        later, self._later = self._later, []
        for line in later:
            self.add(*line)

    def __len__(self) -> int:
        """How many messages it has, those that are still to be settled too."""
        if not self._later:
            return len(self.messages)
        whole = History(list(self.messages), self.limit, list(self._later))
        whole.settle()
        return len(whole.messages)

    def recall(self, lines: Iterable[tuple[LegKind, str]]) -> None:
        """What was said so far is this, oldest first; nothing else is kept."""
        self.messages.clear()
        self._later.clear()
        for leg, run in groupby(lines, key=lambda line: line[0]):
            self.add(leg, " ".join(filter(None, (text.strip() for _, text in run))))

    def add_hidden(self, text: str) -> None:
        """Append what a human told the agent alone; empty text adds nothing."""
        if text := text.strip():
            self.messages.append(Message(LegKind.OPERATOR, text, hidden=True))
            del self.messages[: -self.limit]

    def add_tools(self, results: Sequence[ToolResult]) -> None:
        """Append what the agent's tools came to; none adds nothing."""
        if results:
            self.messages.append(Message(LegKind.AGENT, "", tuple(results)))
            del self.messages[: -self.limit]

    def with_caller(self, text: str) -> list[Message]:
        """The conversation as it would be if the caller had said `text`, without adding it."""
        return [*self.messages, Message(LegKind.CALLER, text)] if text else list(self.messages)

    def last(self, leg: LegKind) -> str:
        """What `leg` said last, or an empty string."""
        return next((m.text for m in reversed(self.messages) if m.leg is leg and m.text), "")
