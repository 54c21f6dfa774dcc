"""The agent's hand in a call whose turns are ours: tools and what they do to it, lines, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from offhook.audio.convert import to_bytes
from offhook.audio.dtmf import dtmf_tones
from offhook.audio.frame import AudioFormat
from offhook.call.tools.box import Toolbox
from offhook.call.tools.builtin import Outcome
from offhook.engines.base import Clause
from offhook.foundation.events import EndReason
from offhook.foundation.tools import Effect
from offhook.speech.base import ToolCall

_PARTING = ("hang_up", "transfer")


class Acts(Protocol):
    """What a tool may do to its call."""

    def act(self) -> None:
        """The agent does something now: the caller's turn is answered by it, and is not answered twice."""

    def part(self, reason: EndReason) -> None:
        """End the call so, once the agent's last sentence was heard."""


class AgentHand:
    """Implements reply.Hand. `prepared(text)` gives a line's sound, if it was spoken ahead."""

    def __init__(
        self,
        box: Toolbox,
        acts: Acts,
        prepared: Callable[[str], Sequence[Clause]],
        format: AudioFormat,
    ) -> None:
        self._box = box
        self._acts = acts
        self._prepared = prepared
        self._format = format

    async def use(self, call: ToolCall, language: str) -> tuple[ToolCall, Outcome]:
        call = self._box.named(call)
        if self._box.effect(call) is not Effect.READ and call.name not in _PARTING:
            self._acts.act()
        outcome = await self._box.run(call, language)
        if outcome.ends is not None:
            self._acts.part(outcome.ends)
        return call, outcome

    def put(self) -> None:
        self._box.put()

    def line(self, name: str, language: str) -> tuple[str, Sequence[Clause]]:
        text = self._box.agent.line(name, language)
        return text, (self._prepared(text) if text else ())

    def tones(self, digits: str) -> bytes:
        return to_bytes(dtmf_tones(digits, self._format.rate), self._format.encoding)
