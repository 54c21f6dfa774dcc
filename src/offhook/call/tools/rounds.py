"""One reply's rounds of model and tools: what the model is told next, if it is asked again. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from offhook.call.tools.builtin import NAMES, Outcome
from offhook.foundation.events import LegKind
from offhook.speech.base import Message, ToolCall, ToolResult

MAX_ROUNDS = 5


class Rounds:
    """`messages` are for the model; `line` is what the agent says if the model never says anything."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = list(messages)
        self.line = ""
        self.over = False
        self._results: list[ToolResult] = []
        self._failed: set[str] = set()
        self._unfit = self._closed = 0
        self._wanted = False

    @property
    def goes_on(self) -> bool:
        """Whether the model has to be asked again."""
        return self._wanted and not self.over and self._closed < MAX_ROUNDS

    def add(self, call: ToolCall, outcome: Outcome) -> ToolResult:
        """A tool of this round came to this. The model goes on when it learns something by that: what a
        tool of the settings says, or that something failed, but not that twice."""
        result = ToolResult(call, outcome.text, outcome.failed)
        self._results.append(result)
        self.line = outcome.line or self.line
        self._unfit += outcome.unfit
        key = f"{call.name} {json.dumps(call.given, sort_keys=True)}"
        again = outcome.failed and (key in self._failed or (outcome.unfit and self._unfit > 1))
        if outcome.failed:
            self._failed.add(key)
        self.over = self.over or again or outcome.ends is not None or bool(outcome.question)
        self._wanted = self._wanted or outcome.failed or call.name not in NAMES
        return result

    def close(self, said: str) -> None:
        """The round is over: `said` and the results are what the model goes on from."""
        self.messages.append(Message(LegKind.AGENT, said, tuple(self._results)))
        self._results.clear()
        self._wanted = False
        self._closed += 1
