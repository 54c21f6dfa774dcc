"""A GGUF model on this machine by the optional package xllamacpp, in worker threads. No prompt of its own."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any, Protocol

from offhook.foundation.agent import Agent
from offhook.foundation.errors import MissingExtraError, MissingModelError, ProviderError
from offhook.speech.base import ChatRequest, TextDelta, ToolCall
from offhook.speech.llm import prompt
from offhook.speech.llm.chunks import Completion

_MAX_TOKENS = 120
Take = Callable[[Any], bool]


class Completer(Protocol):
    """The part of xllamacpp's Server that is used: `take` gets each chunk and returns True to stop."""

    def handle_chat_completions(self, body: dict[str, Any], take: Take) -> Any: ...


def load(path: Path, threads: int, context: int, parallel: int) -> Completer:
    """The model in memory. Raises MissingExtraError, MissingModelError or ProviderError. Takes seconds."""
    if not path.is_file():
        raise MissingModelError(Llama.name, "offhook models pull")
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError(Llama.name, "llama")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context * parallel
    params.n_parallel = parallel
    params.n_predict = _MAX_TOKENS
    params.n_gpu_layers = 0
    params.cache_prompt = True
    params.verbosity = -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    try:
        server: Completer = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ProviderError(Llama.name, "its model file could not be loaded", retryable=False) from error
    return server


class Llama:
    """A local model shared by all calls; `parallel` of them are answered at a time, the others wait."""

    name = "llama"

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 2,
        context: int = 4096,
        parallel: int = 1,
        first_token_seconds: float = 8.0,
        stall_seconds: float = 5.0,
        max_chars: int = 600,
        temperature: float = 0.3,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        loader: Callable[[Path, int, int, int], Completer] = load,
    ) -> None:
        """Loads nothing yet; the first reply or `prepare` does."""
        self.first_token_seconds = first_token_seconds
        self.stall_seconds = stall_seconds
        self.max_chars = max_chars
        self.temperature = temperature
        self.now = now
        self._load: Callable[[], Completer] = lambda: loader(path, threads, context, parallel)
        self._server: Completer | None = None
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="llama")

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Load the model and put each agent's prompt into the cache. Raises ProviderError."""
        loop = asyncio.get_running_loop()
        for agent in agents:
            body = self.body(prompt.messages(agent, ()), [])
            await loop.run_in_executor(
                self._threads, self._complete, body | {"max_tokens": 1}, lambda _: False
            )

    def open(self, agent: Agent) -> LlamaChat:
        return LlamaChat(self)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._server = None

    def body(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
        """The request of one completion."""
        body: dict[str, Any] = {
            "messages": messages,
            "stream": True,
            "max_tokens": _MAX_TOKENS,
            "temperature": self.temperature,
            "cache_prompt": True,
        }
        return body | {"tools": tools} if tools else body

    def start(self, body: dict[str, Any], take: Take) -> asyncio.Future[None]:
        """Run a completion in a worker thread; `take` is called there. Raises ProviderError after close."""
        loop = asyncio.get_running_loop()
        try:
            return loop.run_in_executor(self._threads, self._complete, body, take)
        except RuntimeError as error:
            raise ProviderError(self.name, "is closed", retryable=False) from error

    def _complete(self, body: dict[str, Any], take: Take) -> None:
        with self._lock:
            if self._server is None:
                self._server = self._load()
            server = self._server
        try:
            server.handle_chat_completions(body, take)
        except (RuntimeError, ValueError) as error:
            raise ProviderError(self.name, "could not answer") from error


class LlamaChat:
    """One call's use of the model."""

    def __init__(self, llm: Llama) -> None:
        self._llm = llm
        self._answered = llm.now()

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Text as it comes, at most `max_chars`, then tool calls."""
        messages = prompt.messages(request.agent, request.messages, self._answered, request.language)
        body = self._llm.body(messages, prompt.tools(request.tools))
        completion, left = Completion(self._llm.name), self._llm.max_chars
        chunks = self._chunks(body)
        async with aclosing(chunks):
            async for chunk in chunks:
                if text := completion.take(chunk)[:left]:
                    left -= len(text)
                    yield TextDelta(text)
                if left <= 0:
                    break
        for call in completion.calls() if left > 0 else ():
            yield call

    async def _chunks(self, body: dict[str, Any]) -> AsyncGenerator[Any]:
        """Chunks from the worker thread, under the deadlines. Closing it stops the model."""
        llm, loop = self._llm, asyncio.get_running_loop()
        queue: asyncio.Queue[Any] = asyncio.Queue()
        stopped = Event()

        def take(chunk: Any) -> bool:
            if not stopped.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, chunk)
            return stopped.is_set()

        work = llm.start(body, take)
        work.add_done_callback(lambda done: queue.put_nowait(None))
        wait = llm.first_token_seconds
        try:
            while True:
                try:
                    chunk = await asyncio.wait_for(queue.get(), wait)
                except TimeoutError as error:
                    raise ProviderError(llm.name, "took too long to answer") from error
                if chunk is None:
                    break
                wait = llm.stall_seconds
                yield chunk
            await work
        finally:
            stopped.set()
            if not work.done():
                work.add_done_callback(_swallow)

    async def close(self) -> None: ...


def _swallow(work: asyncio.Future[None]) -> None:
    """Read the outcome of a reply that nobody waits for any more."""
    if not work.cancelled():
        work.exception()
