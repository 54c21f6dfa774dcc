"""When the caller speaks, as an ElevenLabs agent tells it: by scores, by words, by interruptions. No sockets.

Only the words of a turn are certain to come, at its end. Scores are sent where the agent is set up to.
"""

from __future__ import annotations

from typing import Protocol

from offhook.engines.duplex import DuplexListener

SPEAKS = 0.6
SILENT = 0.3


class Memory(Protocol):
    """What outlives a session: told what the vendor has understood, so that the next one can go on."""

    def speech(self, began: bool) -> None:
        """The caller began to speak, or stopped."""

    def committed(self) -> None:
        """The caller's turn is with the vendor, which owes a reply."""

    def understood(self) -> None:
        """The words of the last turn are known: its sound is needed no more."""

    def answered(self) -> None:
        """The last turn is being answered."""


class CallerSpeech:
    """The caller's turns, told to `listener`. `agent_speaks`: an utterance of the agent is under way, which
    only an interruption ends; what the caller says meanwhile is words and no turn."""

    def __init__(self, listener: DuplexListener, memory: Memory) -> None:
        self.listener = listener
        self._memory = memory
        self._scored = False
        self._begun = False
        self._speaking = False

    def score(self, value: float, agent_speaks: bool) -> None:
        """How likely it is that the caller speaks."""
        self._scored = True
        if value >= SPEAKS and not self._speaking and not agent_speaks:
            self._began()
        elif value < SILENT and self._speaking:
            self._stopped()

    def interrupted(self) -> None:
        """The caller talks over the agent, which falls silent."""
        if not self._speaking:
            self._began()
        self.listener.on_interrupted()

    def words(self, text: str, final: bool, agent_speaks: bool) -> None:
        """The caller's words of this turn, so far or all."""
        if not self._begun and not agent_speaks and (final or not self._scored):
            self._began()
        if not final:
            self.listener.on_words(text, False)
            return
        if self._speaking:
            self._stopped()
        self._begun = False
        self._memory.committed()
        self._memory.understood()
        self.listener.on_words(text, True)

    def _began(self) -> None:
        self._begun = self._speaking = True
        self._memory.speech(True)
        self.listener.on_speech(True)

    def _stopped(self) -> None:
        self._speaking = False
        self._memory.speech(False)
        self.listener.on_speech(False)
