"""One language model made of several: a stalled one is excused with a phrase and the next one answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import Chat, ChatRequest, Llm, TextDelta, ToolCall
from offhook.speech.fallback import Lineup, Place, absorbed, now, served_by_none
from offhook.speech.reader import Reader

FIRST_TOKEN_S = 1.5
SECOND_FIRST_TOKEN_S = 3.0
LAST_FIRST_TOKEN_S = 5.0
"""How long the last model of several may take to its first word, and how long a single one."""
CHAR_S = 0.06
"""How long a character takes to be spoken, at least."""
PROGRESS_S = 5.0
MAX_CHARS = 600
MAX_CALLS = 8
HELD_CHARS = 120
"""Longer text without a stop or a comma is given on all the same."""
_BOUNDARY = re.compile(r"[.!?؟…,;:،؛—–]['\")\]]*\s")
_ENDED = re.compile(r"[.!?؟…]['\")\]]*\s*\Z")
_GO_ON = (
    "\n\nYou have just begun your answer with the words between the marks and were cut off there:\n"
    "<<<{said}>>>\nGo on right after them. Do not repeat them, and do not mention that you were cut off."
)
_log = structlog.get_logger(__name__)


class FallbackLlm:
    """Models in an order per language. `first_token_s` is how long the caller waits before the agent's
    `one_moment` phrase is said; then the next model is asked, or, where there is none, this one is given
    a while longer."""

    def __init__(self, lineup: Lineup[Llm], first_token_s: float = FIRST_TOKEN_S) -> None:
        self.name = "model"
        self.lineup = lineup
        self.first_token_s = first_token_s

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Raises ProviderError when no model could be prepared."""
        agents, errors = list(agents), []
        for place in self.lineup.places:
            try:
                await place.provider.prepare(agents)
            except ProviderError as error:
                self.lineup.failed(place, error)
                errors.append(error)
        if errors and len(errors) == len(self.lineup.places):
            raise errors[0]

    def open(self, agent: Agent) -> FallbackChat:
        return FallbackChat(self, agent)

    async def close(self) -> None:
        await self.lineup.close()


@dataclass(slots=True)
class Answer:
    """One reply so far: words given, tools called, and since when nothing came."""

    quiet_since: float
    said: str = ""
    calls: int = 0
    excused: bool = False

    @property
    def full(self) -> bool:
        """Whether the caller cannot be told more in one turn."""
        return len(self.said) >= MAX_CHARS or self.calls >= MAX_CALLS

    def give(self, text: str) -> TextDelta:
        """Words on their way to the caller, no more of them than fit."""
        text = text[: MAX_CHARS - len(self.said)]
        self.said += text
        return TextDelta(text)


@dataclass(frozen=True, slots=True)
class Excuse:
    """A phrase that fills a silence; no part of the answer."""

    text: str


class FallbackChat:
    """One call's models; each is opened when it is first needed."""

    def __init__(self, llm: FallbackLlm, agent: Agent) -> None:
        self._llm = llm
        self._lineup = llm.lineup
        self._agent = agent
        self._chats: dict[str, Chat] = {}

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """At most 600 characters. Raises ProviderError when no model answers, after an apology where the
        caller has heard something already; a caller who can be transferred is, instead."""
        answer = Answer(now())
        last: ProviderError | None = None
        for place, is_last in self._candidates(request.language):
            if last is not None:
                absorbed(last)
            if last is not None and (excuse := self._excuse(answer, request)):
                yield TextDelta(excuse.text)
            stream = self._from(place, is_last, _continued(request, answer.said), answer)
            try:
                async with aclosing(stream):
                    async for delta in stream:
                        yield delta
            except ProviderError as error:
                last = error
                self._lineup.failed(place, error, request.language)
                if answer.calls:
                    absorbed(error)
                    return  # what it wanted done is under way: another model would want it again
            else:
                self._lineup.worked(place, request.language)
                return
        async for delta in self._surrender(request, answer, served_by_none("model", last)):
            yield delta

    async def _surrender(
        self, request: ChatRequest, answer: Answer, error: ProviderError
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """No model answers: transfer the caller where that can be done, else apologize and raise `error`."""
        transfers = bool(request.agent.facts.transfer_to)
        if transfers or answer.excused or answer.said:
            yield TextDelta(f" {request.agent.line('apology', request.language)} ")
        if not transfers:
            raise error
        _log.error("no language model answers; the caller is transferred", reason=error.reason)
        yield ToolCall("transfer", {"reason": "no language model answers"}, id="transfer-without-model")

    async def close(self) -> None:
        await asyncio.gather(*(chat.close() for chat in self._chats.values()), return_exceptions=True)

    def _candidates(self, language: str) -> list[tuple[Place[Llm], bool]]:
        found = self._lineup.candidates(language)
        return [(place, place is found[-1]) for place in found]

    def _excuse_at(self, answer: Answer) -> float:
        """When the caller will have waited long enough: what was given takes its time to be spoken."""
        return answer.quiet_since + self._llm.first_token_s + CHAR_S * len(answer.said)

    def _excuse(self, answer: Answer, request: ChatRequest) -> Excuse | None:
        """The phrase that fills a silence, once a reply and only when there is one."""
        line = request.agent.line("one_moment", request.language)
        recent = " ".join(message.text for message in request.messages[-1:] if message.leg is LegKind.AGENT)
        if answer.excused or now() < self._excuse_at(answer) or not line or line in recent:
            return None
        answer.excused = True
        stop = "" if not answer.said or _ENDED.search(answer.said) else "… "
        return Excuse(f"{stop}{line} ")

    def _is_alone(self, request: ChatRequest) -> bool:
        return len(self._lineup.order(request.language)) == 1

    async def _from(
        self, place: Place[Llm], is_last: bool, request: ChatRequest, answer: Answer
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """One model's reply. Its words are held back until they make a clause: until then another model can
        still answer from the beginning. Raises ProviderError."""
        self._lineup.asked(place)
        held, begun, calls = "", False, answer.calls
        deltas = self._deltas(place, is_last, request, answer)
        async with aclosing(deltas):
            async for delta in deltas:
                if isinstance(delta, Excuse):
                    yield TextDelta(delta.text)
                    continue
                if not begun:
                    begun = True
                    yield TextDelta("")  # the first token is there: its time is worth knowing
                if isinstance(delta, TextDelta):
                    held += delta.text
                end = len(held) if isinstance(delta, ToolCall) else speakable(held)
                if end:
                    yield answer.give(held[:end])
                    held = held[end:]
                if isinstance(delta, ToolCall):
                    answer.calls += 1
                    yield delta
                if answer.full:
                    return
        if held.strip():
            yield answer.give(held)
        elif not answer.said and answer.calls == calls and request.messages[-1].leg is LegKind.CALLER:
            raise ProviderError(place.name, "had nothing to say")

    async def _deltas(
        self, place: Place[Llm], is_last: bool, request: ChatRequest, answer: Answer
    ) -> AsyncGenerator[TextDelta | ToolCall | Excuse, None]:
        """What the model says, under deadlines, and an excuse where its first word is late."""
        first_s = self._llm.first_token_s
        if is_last:
            first_s = max(
                2 * first_s, LAST_FIRST_TOKEN_S if self._is_alone(request) else SECOND_FIRST_TOKEN_S
            )
        deadline = now() + first_s
        begun = False
        reader = Reader(self._chat(place).reply(request), place.name)
        try:
            while True:
                waiting = not answer.excused
                until = min(deadline, self._excuse_at(answer)) if waiting else deadline
                try:
                    delta = await reader.next(max(0.0, until - now()))
                except TimeoutError:
                    if waiting and (excuse := self._excuse(answer, request)):
                        yield excuse
                    elif waiting and now() >= self._excuse_at(answer):
                        answer.excused = True  # there is no phrase for it
                    if now() >= deadline:
                        late = "stopped in the middle of its answer" if begun else "is too slow"
                        raise ProviderError(place.name, late) from None
                    continue
                if delta is None:
                    return
                begun, answer.quiet_since, deadline = True, now(), now() + PROGRESS_S
                yield delta
        finally:
            await reader.close()

    def _chat(self, place: Place[Llm]) -> Chat:
        chat = self._chats.get(place.name)
        if chat is None:
            chat = self._chats[place.name] = place.provider.open(self._agent)
        return chat


def speakable(text: str) -> int:
    """How much of the text makes whole clauses; of a long one without a stop, whole words."""
    ends = [match.end() for match in _BOUNDARY.finditer(text)]
    if ends:
        return ends[-1]
    return text.rfind(" ") + 1 if len(text) > HELD_CHARS else 0


def _continued(request: ChatRequest, said: str) -> ChatRequest:
    """The request to the model that goes on where another one was cut off."""
    if not said.strip():
        return request
    persona = request.agent.persona + _GO_ON.format(said=said.strip())
    return replace(request, agent=replace(request.agent, persona=persona))
