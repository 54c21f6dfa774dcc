"""A call that a program steers: dictated turns, replies on demand, tools of the program. Takes no turns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from offhook.call.legs import CallerLeg
from offhook.call.playback import Playback
from offhook.call.program import ProgramTools
from offhook.call.speaking import Spawn
from offhook.call.timeline import Timeline, failure
from offhook.channels.base import Manners
from offhook.engines.base import Engine
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import Floor, LegKind, ToolCalled
from offhook.foundation.tools import ToolCall, ToolSpec

if TYPE_CHECKING:
    from offhook.call.conversation import Conversation

HEARD_DEADLINE_S = 8.0
MAX_HELD_MS = 120_000
"""So much may be dictated, in all turns, while the words of the turn before are still being found."""


class CallSteering:
    """Implements channels.base.Steering for a call whose turns are ours to take."""

    def __init__(
        self,
        conversation: Conversation,
        engine: Engine,
        timeline: Timeline,
        leg: CallerLeg,
        playback: Playback,
        spawn: Spawn,
    ) -> None:
        self._conversation = conversation
        self._engine = engine
        self._timeline = timeline
        self._leg = leg
        self._playback = playback
        self._spawn = spawn
        self._program: ProgramTools | None = None
        self._began = False
        self._finding: asyncio.Task[None] | None = None
        self._held = bytearray()
        self._waiting: deque[tuple[bytes, Callable[[], None]]] = deque()
        self._asked: str | None = None

    def behave(self, manners: Manners, *, unsounded: bool) -> None:
        self._conversation.manners = manners
        self._playback.unsounded = unsounded

    def revise(self, agent: Agent) -> None:
        self._engine.revise(agent)
        self._conversation.revise(agent)

    def equip(self, tools: Sequence[ToolSpec], on_call: Callable[[ToolCall], None]) -> None:
        if self._program is None:
            self._program = ProgramTools(self._engine, on_call)
            self._conversation.speaking.speak_by(self._program)
        self._program.names = frozenset(tool.name for tool in tools)
        self._engine.revise(self._conversation.agent, tools)

    def answer(self, call_id: str, text: str) -> bool:
        call = self._program.answer(call_id, text) if self._program is not None else None
        if call is not None:
            self._timeline.emit(ToolCalled(call.name, call.given, text))
        return call is not None

    def remember(self, call: ToolCall, text: str) -> None:
        if self._program is not None:
            self._program.remember(call, text, self._conversation.known)

    # Dictated turns.

    def dictate(self, audio: bytes, at_ms: int) -> bool:
        self._leg.take(audio, at_ms, self._timeline.now_ms())
        self._leg.skip()
        if self._finding is None:
            self._hear(audio)
            return True
        held = len(self._held) + sum(len(waiting) for waiting, _ in self._waiting)
        if held >= self._leg.format.size(MAX_HELD_MS):
            return False
        self._held += audio
        return True

    def commit(self, known: Callable[[], None]) -> None:
        if self._finding is not None:
            self._waiting.append((bytes(self._held), known))
            self._held.clear()
        elif self._began:
            self._finding = self._spawn(self._find(known), "dictation")
        else:
            known()

    def forget(self) -> None:
        self._held.clear()  # turns that were committed are not forgotten
        if self._began and self._finding is None:
            self._began = False
            self._engine.hear_drop()

    def _hear(self, audio: bytes) -> None:
        if not self._began:
            self._began = True
            self._engine.hear_begin()
        self._engine.hear(audio)

    async def _find(self, known: Callable[[], None]) -> None:
        """The words of what was dictated, turn by turn, as turns of the caller's."""
        await self._take_down()
        known()
        while self._waiting:
            audio, known = self._waiting.popleft()
            self._hear(audio)
            await self._take_down()
            known()
        self._finding = None
        if self._held:
            self._hear(bytes(self._held))
            self._held.clear()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._ask(asked)

    async def _take_down(self) -> None:
        try:
            async with asyncio.timeout(HEARD_DEADLINE_S):
                transcript = await self._engine.heard()
            if text := transcript.text.strip():
                self._conversation.note(LegKind.CALLER, text)
        except (ProviderError, TimeoutError) as error:
            self._timeline.emit(failure("stt", error))
        finally:
            self._engine.hear_drop()
            self._began = False

    # Replies.

    def note(self, leg: LegKind, text: str) -> None:
        self._conversation.note(leg, text)

    def recall(self, lines: Sequence[tuple[LegKind, str]]) -> None:
        if self._program is not None:
            self._program.forget()
        self._conversation.recall(lines)

    def respond(self, line: str = "") -> None:
        self._conversation.presume_heard()
        if self._finding is not None:
            self._asked = line
        else:
            self._ask(line)

    def _ask(self, line: str) -> None:
        """Nobody is answered while a human conducts the call."""
        if not self._conversation.aside.away:
            self._conversation.ask(line)

    def silence(self) -> None:
        self._asked = None
        if self._conversation.floor is not Floor.CLOSING:
            self._conversation.silence()

    def heard(self, heard_ms: float) -> None:
        self._playback.correct(heard_ms)

    def unheard(self) -> str:
        return self._playback.unheard_text
