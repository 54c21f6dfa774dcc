"""What becomes of callers who wait in vain: where they go, and their wishes to be called back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from offhook.call.directory import LiveCall
from offhook.call.modes import TALKS
from offhook.center.moved import connect
from offhook.center.routing import DIALLING, TargetKind
from offhook.center.voicemail import voicemail
from offhook.center.waiting import WaitingCall
from offhook.foundation.agent import Agent
from offhook.foundation.center_events import HandedOver
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import EndReason, Notice

LINE_S = 12.0
_log = structlog.get_logger(__name__)


class Calls(Protocol):
    """The live calls of this process (call.directory)."""

    def agent(self, name: str) -> Agent: ...

    def hand_over(self, call_id: str, agent: Agent, line: str = "", language: str = "") -> None: ...


class Wishes(Protocol):
    """Where wishes to be called back are kept. Immediate."""

    def keep(self, call: LiveCall, queue: str, number: str, language: str) -> None: ...


class Onward:
    """Implements queue_desk.Onward. `enter(call, queue)` lets a caller wait in another queue; `lines` are
    what those hear who may leave a message, by language."""

    def __init__(
        self,
        calls: Calls,
        wishes: Wishes,
        enter: Callable[[LiveCall, str], None],
        lines: Mapping[str, str],
    ) -> None:
        self._calls = calls
        self._wishes = wishes
        self._enter = enter
        self._lines = lines

    def overflow(self, waiting: WaitingCall) -> str:
        target, call = waiting.queue.overflow, waiting.call
        if target is not None and target.kind is TargetKind.NUMBER:
            channel = call.session.caller_channel
            if channel.kind.value in DIALLING or getattr(channel, "refers", False):
                call.session.spawn(self._connect(waiting, target.name), "overflow")
                return str(target)
            target = None
        loop = asyncio.get_running_loop()
        if target is not None and target.kind is TargetKind.QUEUE:
            loop.call_soon(self._enter, call, target.name)
            return str(target)
        name = (target.name if target is not None else "") or call.agent
        takes_message = target is not None and target.kind is TargetKind.VOICEMAIL
        loop.call_soon(self._to_agent, waiting, name, takes_message)
        return str(target) if target is not None else f"agent:{name}"

    def call_back(self, waiting: WaitingCall, number: str) -> None:
        call = waiting.call
        self._wishes.keep(call, waiting.queue.rules.name, number, waiting.language)
        call.session.spawn(self._part(waiting), "call back")

    def _to_agent(self, waiting: WaitingCall, name: str, takes_message: bool) -> None:
        """The agent goes on, or another one does: it says how it greets, for the caller heard nobody yet."""
        call = waiting.call
        if call.session.end_reason is not None:
            return
        source = call.agent
        call.session.bridge.wait(False)
        try:
            agent = self._calls.agent(name)
            if takes_message:
                agent = voicemail(agent, self._lines)
            line = agent.line("greeting", waiting.language)
            self._calls.hand_over(call.id, agent, line, waiting.language)
            call.session.timeline.emit(HandedOver(source, agent.name, ""))
        except OffhookError as error:
            call.session.timeline.emit(Notice(f"the call stays with {source}: {error.reason}"))

    async def _connect(self, waiting: WaitingCall, to: str) -> None:
        await self._announce(waiting, waiting.phrases.connecting)
        if _is_alone(waiting.call):
            connect(waiting.call, to)

    async def _part(self, waiting: WaitingCall) -> None:
        await self._announce(waiting, waiting.phrases.call_back)
        if _is_alone(waiting.call):
            waiting.call.session.hang_up(EndReason.AGENT_HUNG_UP)

    @staticmethod
    async def _announce(waiting: WaitingCall, line: str) -> None:
        """Said while the caller still waits, and heard."""
        session = waiting.call.session
        if not session.bridge.announce(line):
            return
        try:
            async with asyncio.timeout(LINE_S):
                while session.conversation.saying and session.end_reason is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            _log.warning("a line took too long", call_id=waiting.call.id)


def _is_alone(call: LiveCall) -> bool:
    """Whether the call goes on, and nobody took it while the caller was told what comes next."""
    session = call.session
    return session.end_reason is None and not any(seat.stance in TALKS for seat in session.bridge.seats)
