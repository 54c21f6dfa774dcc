"""The tools of one call: what may be called, whether it may run now, what it came to. Says nothing itself.

A tool with an effect outside of the call runs only after the caller agreed, in a turn of their own, to this
very call with these very arguments; a run that has begun is not given up when the caller talks on.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import structlog

from offhook.call.timeline import Timeline
from offhook.call.tools import builtin
from offhook.call.tools.assent import is_yes
from offhook.call.tools.builtin import Outcome
from offhook.foundation.agent import Agent
from offhook.foundation.events import ToolCalled
from offhook.foundation.tools import Effect
from offhook.speech.base import ToolCall, ToolResult, ToolSpec
from offhook.tools.base import MAX_RESULT_CHARS, Rules, Tool, ToolContext, ToolError
from offhook.tools.schema import fault
from offhook.tools.set import Toolset

MAX_QUESTION_CHARS = 300
_HEARD_SHARE = 0.7
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co")
MOST_PER_CALL = 40
"""Of all tools together; a model that calls more is in a loop."""
_FAILED = "failed: {reason}"
_TIMED_OUT = "failed: no answer within {seconds:g} seconds"
_ASKED = "not run yet: the caller was asked {question!r}; it is run when the caller says yes"
_TOO_LONG = "failed: the arguments are too long to be read to the caller, who has to agree; make them shorter"
_TO_ASK = "not run yet: ask the caller {question!r}; when the caller has said yes, call it again like this"
_log = structlog.get_logger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]
_Key = tuple[str, str]


@dataclass(slots=True)
class _Waiting:
    """A call that the caller has to agree to; `put` once the question was said, `agreed` once they did."""

    call: ToolCall
    question: str
    asked_ms: float
    put: bool = False
    agreed: bool = False


def specs(agent: Agent, tools: Toolset) -> tuple[ToolSpec, ...]:
    """What an agent's model may have called."""
    return (*builtin.offered(agent), *(tool.spec for tool in tools.of(agent)))


class Toolbox:
    """`spawn` begins a task of the call's; `late` is told of results whose reply was given up meanwhile.

    `model_asks`: it is the model that asks the caller to agree, and calls again then.
    """

    def __init__(
        self, agent: Agent, context: ToolContext, tools: Toolset, timeline: Timeline, spawn: Spawn
    ) -> None:
        self.agent = agent
        self.model_asks = False
        self._context = context
        self._tools = tools
        self._timeline = timeline
        self._spawn = spawn
        self._waiting: _Waiting | None = None
        self._settled: tuple[_Key, Outcome] | None = None
        self._running: dict[_Key, asyncio.Future[Outcome]] = {}
        self._runs: Counter[str] = Counter()
        self._ids: set[str] = set()
        self.late: Callable[[ToolResult], None] = lambda result: None

    def named(self, call: ToolCall) -> ToolCall:
        """The call with an id that no other one of this phone call has."""
        name = call.id
        while not name or name in self._ids:
            name = f"{call.id or 'call'}_{len(self._ids) + 1}"
            if name in self._ids:
                name += "_"
        self._ids.add(name)
        return replace(call, id=name)

    def effect(self, call: ToolCall) -> Effect:
        """What the call would change; nothing for one that will be refused or asked about."""
        if call.name in builtin.NAMES:
            return Effect.CALL
        tool = self._tools.find(self.agent, call.name)
        if tool is None or (tool.rules.needs_yes and not self._is_agreed(call)):
            return Effect.READ
        return tool.rules.effect

    @property
    def heeds_words(self) -> bool:
        """Whether the caller's words decide what may run: a question waits, or its deed is done."""
        return self._waiting is not None or self._settled is not None

    def heard(self, text: str, began_ms: float = float("inf")) -> ToolCall | None:
        """The caller's words, of a turn that began at `began_ms`. The first turn since the question settles
        it; the call to run now, if they agreed."""
        self._settled = None
        waiting = self._waiting
        if waiting is None or began_ms < waiting.asked_ms:
            return None
        self._waiting = None
        if waiting.agreed or not waiting.put or not is_yes(text):
            return None
        waiting.agreed = True
        self._waiting = waiting
        return waiting.call

    def put(self) -> None:
        """The question was said to the caller."""
        if self._waiting is not None:
            self._waiting.put = True

    def forget(self) -> None:
        """Something else was said to the caller since: what they say now is no answer to the question."""
        self._waiting = None

    def cut(self, heard: str) -> None:
        """The agent was interrupted, of what it said this was heard: nobody agrees to half a question."""
        waiting = self._waiting
        if waiting is not None and not waiting.agreed:
            least = waiting.question[: round(len(waiting.question) * _HEARD_SHARE)]
            if least not in heard:
                self._waiting = None

    async def run(self, call: ToolCall, language: str = "") -> Outcome:
        """Run it if it may run now. Never raises, ends within the tool's own deadline, and puts the call on
        the timeline. `language` is the one the call is held in."""
        began = self._timeline.now_ms()
        try:
            outcome = await self._outcome(call, language)
        except asyncio.CancelledError:
            if (running := self._running.get(_key(call))) is None:
                self._note(call, Outcome("given up", True), began)
            else:  # it has begun, and goes on
                running.add_done_callback(lambda ended: self._tell_late(call, ended, began))
            raise
        return self._note(call, outcome, began)

    def _note(self, call: ToolCall, outcome: Outcome, began: float) -> Outcome:
        took_ms = round(self._timeline.now_ms() - began)
        self._timeline.emit(ToolCalled(call.name, call.given, outcome.text, took_ms, outcome.failed))
        return outcome

    async def _outcome(self, call: ToolCall, language: str) -> Outcome:
        if call.malformed:
            return Outcome("failed: the arguments must be one JSON object", True, unfit=True)
        if self._runs.total() >= MOST_PER_CALL:
            return Outcome("refused: too many tools in this call", True)
        if call.name in builtin.NAMES:
            self._runs[call.name] += 1
            return builtin.run(call.name, call.arguments, self.agent, language)
        tool = self._tools.find(self.agent, call.name)
        if tool is None:
            return builtin.run(call.name, {}, self.agent, language)
        if reason := fault(tool.spec, call.arguments):
            return Outcome(f"failed: the arguments do not fit: {reason}", True, unfit=True)
        if (joined := self._running.get(_key(call))) is not None:
            return await asyncio.shield(joined)
        if self._settled is not None and self._settled[0] == _key(call):
            return self._settled[1]  # done since the caller agreed, and not asked for anew since
        if refusal := self._over(tool):
            return Outcome(refusal, True)
        if tool.rules.needs_yes and not self._is_agreed(call):
            return self._ask(call, tool.rules, language)
        self._waiting = None
        outcome = await self._begin(call, tool, language)
        if tool.rules.needs_yes:
            self._settled = _key(call), outcome
        return outcome

    def _over(self, tool: Tool) -> str:
        if self._runs[tool.name] >= tool.rules.per_call:
            return "refused: this tool was used often enough in this call"
        return ""

    def _is_agreed(self, call: ToolCall) -> bool:
        waiting = self._waiting
        return waiting is not None and waiting.agreed and _key(waiting.call) == _key(call)

    def _ask(self, call: ToolCall, rules: Rules, language: str) -> Outcome:
        what = _worded(call, rules.confirm)
        if len(what) > MAX_QUESTION_CHARS:  # nobody agrees to what is not read to them
            return Outcome(_TOO_LONG, True, unfit=True)
        question = self.agent.line("confirm", language).replace("{what}", what)
        self._waiting = _Waiting(call, question, self._timeline.now_ms())
        if self.model_asks:
            return Outcome(_TO_ASK.format(question=question))
        return Outcome(_ASKED.format(question=question), question=question)

    async def _begin(self, call: ToolCall, tool: Tool, language: str) -> Outcome:
        if not self._tools.admit(tool):
            return Outcome("refused: this tool is used too often now", True)
        self._runs[tool.name] += 1
        context = replace(self._context, language=language or self.agent.language)
        if tool.rules.effect is Effect.READ:
            return await _perform(tool, call, context)
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._running[_key(call)] = done
        self._spawn(self._through(call, tool, context, done), f"tool:{tool.name}")
        return await asyncio.shield(done)

    async def _through(
        self, call: ToolCall, tool: Tool, context: ToolContext, done: asyncio.Future[Outcome]
    ) -> None:
        """Run to the end, whatever becomes of the reply that began it."""
        try:
            done.set_result(await _perform(tool, call, context))
        finally:
            self._running.pop(_key(call), None)
            done.cancel()

    def _tell_late(self, call: ToolCall, ended: asyncio.Future[Outcome], began: float) -> None:
        if ended.cancelled():
            self._note(call, Outcome("given up: the call ended", True), began)
            return
        outcome = self._note(call, ended.result(), began)
        self.late(ToolResult(call, outcome.text, outcome.failed))


async def _perform(tool: Tool, call: ToolCall, context: ToolContext) -> Outcome:
    try:
        async with asyncio.timeout(tool.rules.seconds):
            text = await tool.run(call.arguments, context)
    except ToolError as error:
        return Outcome(_clean(_FAILED.format(reason=error.reason)), True)
    except TimeoutError:
        return Outcome(_TIMED_OUT.format(seconds=tool.rules.seconds), True)
    except Exception as error:
        _log.error("a tool has a fault", tool=tool.name, error=type(error).__name__)
        _log.debug("a tool has a fault", exc_info=True)
        return Outcome(_FAILED.format(reason="the tool has a fault"), True)
    return Outcome(_clean(text))


def _key(call: ToolCall) -> _Key:
    return call.name, json.dumps(call.arguments, sort_keys=True, ensure_ascii=False)


def _clean(text: str) -> str:
    """Printable text of bounded length; what was cut is said."""
    cut = text[:MAX_RESULT_CHARS]
    kept = "".join(c if c in "\n\t" or unicodedata.category(c) not in _UNPRINTABLE else " " for c in cut)
    return kept if len(text) <= MAX_RESULT_CHARS else f"{kept} … (cut)"


def _worded(call: ToolCall, confirm: str) -> str:
    """What the tool is about to do, to be said aloud."""
    values = {name: _plain(value) for name, value in call.arguments.items()}
    if confirm:
        for name, value in values.items():
            confirm = confirm.replace(f"{{{name}}}", value)
        return confirm
    listed = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in values.items())
    return f"{call.name.replace('_', ' ')}{', ' if listed else ''}{listed}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
