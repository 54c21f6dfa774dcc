"""The receptionist as a language-model provider: one model for all calls, one dialogue per call."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Lock
from zoneinfo import ZoneInfo

from offhook.foundation.agent import Agent, Facts
from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Llm, TextDelta, ToolCall
from offhook.speech.language import base
from offhook.speech.llm.receptionist import colleague
from offhook.speech.llm.receptionist.classify import Classifier, Meaning, most_important
from offhook.speech.llm.receptionist.dialogue import respond
from offhook.speech.llm.receptionist.fallback import Fallback
from offhook.speech.llm.receptionist.hours import Hours
from offhook.speech.llm.receptionist.scene import LANGUAGES, Scene
from offhook.speech.llm.receptionist.similarity import Embedding, Letters, Similarity
from offhook.speech.llm.receptionist.state import Reply, State, Step
from offhook.speech.llm.receptionist.words import MAX_CHARS

_AGENTS = 32


def _reference() -> str:
    return f"{secrets.randbelow(90_000) + 10_000}"


def _local_now() -> datetime:
    return datetime.now().astimezone()


class Receptionist:
    """Answers from an agent's facts. `fallback` speaks where there is no answer in them."""

    name = "receptionist"

    def __init__(
        self,
        *,
        fallback: Llm | None = None,
        now: Callable[[], datetime] = _local_now,
        reference: Callable[[], str] = _reference,
        similarity: Similarity | None = None,
    ) -> None:
        """Loads nothing yet. `now` is the business's wall time, `reference` a new booking's code."""
        self._fallback = fallback
        self._now = now
        self._reference = reference
        self._similarity = similarity
        self._classifiers: OrderedDict[str, Classifier] = OrderedDict()
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="receptionist")

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks by itself; a model behind it may speak any."""
        return () if self._fallback else tuple(LANGUAGES)

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Load the model and embed the agents' questions ahead of the first call (about half a second)."""
        loop = asyncio.get_running_loop()
        for agent in agents:
            await loop.run_in_executor(self._threads, self._classifier, agent.facts)

    def open(self, agent: Agent) -> ReceptionistChat:
        fallback = Fallback(self._fallback.open(agent)) if self._fallback else None
        return ReceptionistChat(self, agent, fallback)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._fallback:
            await self._fallback.close()

    async def meanings(self, facts: Facts, text: str) -> list[Meaning]:
        """What the sentences of `text` mean, computed in a worker thread."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._understand, facts, text)
        except RuntimeError as error:
            raise ProviderError(self.name, "is closed", retryable=False) from error

    def scene(self, agent: Agent, state: State, meanings: list[Meaning], text: str, heard: str) -> Scene:
        """Everything that the dialogue needs for one reply."""
        return Scene(
            agent=agent,
            hours=Hours(agent.facts.hours),
            state=state,
            text=text,
            meaning=most_important(meanings),
            meanings=tuple(meanings),
            now=_local(self._now(), agent.facts.timezone),
            reference=self._reference(),
            heard=heard,
        )

    def _understand(self, facts: Facts, text: str) -> list[Meaning]:
        return self._classifier(facts).meanings(text)

    def _classifier(self, facts: Facts) -> Classifier:
        key = repr((facts.questions, facts.services))
        with self._lock:
            if key not in self._classifiers:
                self._classifiers[key] = Classifier(self._loaded(), facts)
                while len(self._classifiers) > _AGENTS:
                    self._classifiers.popitem(last=False)
            self._classifiers.move_to_end(key)
            return self._classifiers[key]

    def _loaded(self) -> Similarity:
        if self._similarity is None:
            try:
                self._similarity = Embedding()
            except MissingModelError:
                self._similarity = Letters()
        return self._similarity


def _local(now: datetime, timezone: str) -> datetime:
    """`now` where the business is."""
    return now.astimezone(ZoneInfo(timezone)) if timezone else now


class ReceptionistChat:
    """The dialogue of one call."""

    def __init__(self, desk: Receptionist, agent: Agent, fallback: Fallback | None) -> None:
        self._desk = desk
        self._agent = agent
        self._fallback = fallback
        self._state = State(Step.NOTE_NAME) if agent.takes_message else State()
        self._obeyed: list[str] = []

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Answer the last message; the dialogue moves on when the stream was read to its end."""
        last = next((message for message in reversed(request.messages) if not message.hidden), None)
        if last is not None and last.tools:
            return  # it said what there was to say when it called them
        if self._fallback and base(request.language) not in LANGUAGES:
            async for words in self._elsewhere(request, self._fallback):
                yield words
            return
        text = last.text[:MAX_CHARS] if last and last.leg is LegKind.CALLER else ""
        said_before = (m.text for m in reversed(request.messages) if m.leg is LegKind.AGENT and m.text)
        heard = next(said_before, "")
        agent = request.agent
        meanings = await self._desk.meanings(agent.facts, text)
        reply = respond(self._desk.scene(agent, self._state, meanings, text, heard))
        reply, obeyed = self._with_colleagues(request, text, reply, sure=most_important(meanings).sure)
        state = reply.state
        if not reply.known and self._fallback:
            said = []
            async for sentence in self._fallback.speak(request):
                said.append(sentence)
                yield TextDelta(sentence)
            if said:
                self._state = Fallback.after(self._state, said)
                return
        for delta in deltas(reply):
            yield delta
        self._state = state
        self._obeyed += obeyed

    def _with_colleagues(
        self, request: ChatRequest, text: str, reply: Reply, *, sure: bool
    ) -> tuple[Reply, list[str]]:
        """The reply with what human colleagues promised, where the caller asks for that, and with what they
        want said; and which of their instructions it obeys."""
        said = colleague.quote(request.messages, text, understood=sure and reply.known)
        if said:
            line = LANGUAGES["en"].PHRASES["colleague"][0].format(said=said)
            reply = Reply(replace(self._state, misses=0, said=(line,)), (line,))
        orders = colleague.orders(request.messages, self._obeyed)
        if orders:
            lines = tuple(line for _, line in orders)
            parts = (*reply.parts, *lines) if reply.known else lines
            reply = replace(reply, parts=parts, known=True)
        return reply, [order for order, _ in orders]

    async def _elsewhere(self, request: ChatRequest, fallback: Fallback) -> AsyncIterator[TextDelta]:
        """A reply in a language that only the model speaks. Raises ProviderError when it says nothing."""
        said = []
        async for sentence in fallback.speak(request):
            said.append(sentence)
            yield TextDelta(sentence)
        if not said:
            raise ProviderError(self._desk.name, f"has no words in {request.language!r}")
        self._state = Fallback.after(self._state, said)

    async def close(self) -> None:
        if self._fallback:
            await self._fallback.close()


def deltas(reply: Reply) -> Iterable[TextDelta | ToolCall]:
    """A reply as a stream: its parts one by one, then its tool calls."""
    for index, part in enumerate(reply.parts):
        yield TextDelta(f" {part}" if index else part)
    yield from reply.calls
