"""Asks a brain for advice under a deadline; where it fails the local advice stands. Makes no cards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from offhook.desk.coach.advice import Advice
from offhook.desk.coach.brain import Brain, View
from offhook.desk.coach.risk import LEVELS, rank
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import CallEvent, ProviderFailed

if TYPE_CHECKING:
    from offhook.desk.coach.coach import Counsel

IMPATIENT = 2
"""So many questions in a row dropped because the talk moved on: the local card is shown meanwhile."""
_log = structlog.get_logger(__name__)


class Asking:
    """The questions of one call. `drop` voids the one under way: its answer is never shown."""

    def __init__(self, counsel: Counsel, emit: Callable[[CallEvent], None], call_id: str) -> None:
        self._counsel = counsel
        self._emit = emit
        self._call_id = call_id
        self._task: asyncio.Task[None] | None = None
        self._left: set[asyncio.Task[Advice]] = set()
        self._dropped = 0
        self._failing = False

    def drop(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._dropped += 1
        self._task = None

    def ask(self, view: View, show: Callable[[Advice], None]) -> None:
        """Ask about a turn; `show` is called once with the answer, or with the local advice."""
        if self._dropped >= IMPATIENT:
            show(view.local)
        brain = self._counsel.brain
        assert brain is not None
        self._task = asyncio.create_task(self._ask(brain, view, show), name=f"{self._call_id}:coach")

    async def _ask(self, brain: Brain, view: View, show: Callable[[Advice], None]) -> None:
        try:
            advice = await self._answer(brain, view)
        except ProviderError as error:
            self._tell(brain.name, error.reason)
            advice = view.local
        except Exception:
            _log.exception("the coach's brain failed", call_id=self._call_id)
            self._tell(brain.name, "failed")
            advice = view.local
        else:
            self._failing = False
        self._dropped = 0
        show(advice)

    async def _answer(self, brain: Brain, view: View) -> Advice:
        """Raises ProviderError, also where it takes too long; a brain that ignores that is left behind."""
        end = asyncio.get_running_loop().time() + self._counsel.deadline_s
        gate = self._counsel.gate
        if gate is not None:
            try:
                async with asyncio.timeout_at(end):
                    await gate.acquire()
            except TimeoutError:
                raise ProviderError(brain.name, "has too many questions at once") from None
        work = asyncio.create_task(brain.advise(view), name=f"{self._call_id}:coach's brain")
        self._left.add(work)
        work.add_done_callback(lambda task: self._answered(task, gate))
        try:
            await asyncio.wait({work}, timeout=end - asyncio.get_running_loop().time())
        finally:
            if not work.done():
                work.cancel()
        if not work.done():
            raise ProviderError(brain.name, "took too long for a card")
        return tempered(work.result(), view)

    def _answered(self, work: asyncio.Task[Advice], gate: asyncio.Semaphore | None) -> None:
        self._left.discard(work)
        if gate is not None:
            gate.release()
        if not work.cancelled():
            work.exception()  # whoever still waits has seen it

    def _tell(self, name: str, reason: str) -> None:
        """On the timeline, once for each time that it begins to fail."""
        if not self._failing:
            self._failing = True
            self._emit(ProviderFailed(name, f"coach: {reason}"))


def tempered(advice: Advice, view: View) -> Advice:
    """A brain may see more than the rules, but not talk a warning down by more than one level, nor below a
    red flag of the profile."""
    lowest = max(0, rank(view.local.level) - 1)
    if view.reading.signs.flags:
        lowest = max(lowest, 3)
    if rank(advice.level) >= lowest:
        return advice
    return replace(advice, level=LEVELS[lowest], warning=advice.warning or view.local.warning)
