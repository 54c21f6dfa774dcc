"""Cuts a stream of words into clauses that can be spoken as soon as they are complete. Pure text."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?؟…]['\")\]]*\s")
_CLAUSE = re.compile(r"[,;:،؛—–]\s|\s[—–-]\s")
_NUMBER_TAIL = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|No|vs|etc|e\.g|i\.e|\d)\.\s$", re.IGNORECASE)
FIRST_CHARS = 12
"""The first clause may be short: it is what the caller waits for."""
NEXT_CHARS = 40
MAX_CHARS = 240


class Clauses:
    """Feed it words as they stream in; it gives back clauses, whole and in order.

    The first clause ends at the first comma or stop once it has FIRST_CHARS characters; later ones
    at a stop, or at a comma once they are long; none is longer than MAX_CHARS.
    """

    def __init__(self) -> None:
        self._text = ""
        self._given = 0

    def feed(self, text: str) -> list[str]:
        """More words; the clauses that are now complete."""
        self._text += text
        clauses = []
        while (end := self._end()) > 0:
            clause, self._text = self._text[:end].strip(), self._text[end:]
            if clause:
                clauses.append(clause)
                self._given += 1
        return clauses

    def finish(self) -> str:
        """What is left at the end of the stream, or an empty string."""
        rest, self._text = self._text.strip(), ""
        return rest

    def _end(self) -> int:
        for match in _SENTENCE.finditer(self._text):
            if not _NUMBER_TAIL.search(self._text[: match.end()]):
                return match.end()
        least = NEXT_CHARS if self._given else FIRST_CHARS
        for match in _CLAUSE.finditer(self._text):
            if match.start() >= least:
                return match.end()
        if len(self._text) > MAX_CHARS:
            return self._text.rfind(" ", 0, MAX_CHARS) + 1 or MAX_CHARS
        return 0
