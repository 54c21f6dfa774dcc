"""The audio interfaces of elevenlabs_audio.py for the SDK's `AsyncConversation`. No threads, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival
from offhook.foundation.events import LegKind
from offhook.integrations.elevenlabs_audio import CHUNK_MS, MAX_PIECES, SILENCE_MS, CallerHungUp, Post
from offhook.integrations.elevenlabs_line import Line

if TYPE_CHECKING:
    from elevenlabs.conversational_ai.conversation import AsyncAudioInterface
else:
    AsyncAudioInterface = object

Input = Callable[[bytes], Awaitable[None]]

_log = structlog.get_logger(__name__)


class AsyncCallerAudioInterface(AsyncAudioInterface):
    """One caller, as CallerAudioInterface; used on the event loop on which `start` is awaited."""

    def __init__(self, line: Line, post: Post, format: AudioFormat) -> None:
        self._line = line
        self._post = post
        self._chunk = format.size(CHUNK_MS)
        self._ears = _Ears(asyncio.get_running_loop())
        self._task: asyncio.Task[None] | None = None
        post(line.listen, self._ears)

    # What the SDK calls.

    async def start(self, input_callback: Input) -> None:
        self._ears.open = True
        self._task = asyncio.create_task(self._run(input_callback), name="offhook-caller")

    async def stop(self) -> None:
        """Nothing more is heard; the caller hears the rest of what was said, then the line is let go."""
        self._post(self._line.finish)
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def output(self, audio: bytes) -> None:
        self._post(self._line.play, audio)

    async def interrupt(self) -> None:
        self._post(self._line.clear)

    # What a program may want besides.

    @property
    def arrival(self) -> Arrival:
        """The caller's number and what else came with the call."""
        return self._line.arrival

    def when_hung_up(self, do: Callable[[], Awaitable[object]]) -> None:
        """Await `do` when the caller is gone: `conversation.end_session`. Without it the SDK's session ends
        by an error that says so."""
        self._ears.when_gone = do

    def when_typed(self, do: Callable[[str], Awaitable[object]]) -> None:
        """Await `do` with lines that the caller types and keys that are pressed."""
        self._ears.when_typed = do

    async def agent_said(self, text: str) -> None:
        """Show the agent's words on the caller's page: `callback_agent_response`."""
        self._post(self._line.show, LegKind.AGENT, text)

    async def caller_said(self, text: str) -> None:
        """Show the caller's own words: `callback_user_transcript`."""
        self._post(self._line.show, LegKind.CALLER, text)

    def hang_up(self) -> None:
        """Let the caller go, now."""
        self._post(self._line.hang_up)

    async def wait(self) -> None:
        """Wait until the caller is gone."""
        await self._ears.is_gone.wait()

    async def _run(self, input_callback: Input) -> None:
        sound = bytearray()
        while (item := await self._ears.queue.get()) is not None:
            if isinstance(item, str):
                await self._call(self._ears.when_typed, item)
                continue
            sound += item
            if len(sound) >= self._chunk:
                await self._call(input_callback, bytes(sound))
                sound.clear()
        if self._ears.when_gone is not None:
            await self._call(self._ears.when_gone)
        else:
            await self._call(input_callback, CallerHungUp())

    async def _call(self, do: Callable[..., Awaitable[object]] | None, *what: object) -> None:
        """A program's own function may raise; the line lives on."""
        try:
            if do is not None:
                await do(*what)
        except Exception:
            _log.exception("a program failed on what a caller did", call_id=self._line.id)


class _Ears:
    """Hears a line, on the door's loop, and keeps it for the program's loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.queue: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.open = False
        self.is_gone = asyncio.Event()
        self.when_gone: Callable[[], Awaitable[object]] | None = None
        self.when_typed: Callable[[str], Awaitable[object]] | None = None

    def heard(self, sound: bytes) -> None:
        if self.open:
            self._pass(self._keep, sound)

    def typed(self, text: str) -> None:
        self._pass(self._keep, text)

    def gone(self) -> None:
        self._pass(self._end)

    def _pass(self, do: Callable[..., None], *what: object) -> None:
        try:
            self._loop.call_soon_threadsafe(do, *what)
        except RuntimeError:
            return  # the program is over

    def _keep(self, item: bytes | str) -> None:
        if self.queue.qsize() >= MAX_PIECES:
            self.queue.get_nowait()
        self.queue.put_nowait(item)

    def _end(self) -> None:
        self.is_gone.set()
        self.queue.put_nowait(None)


class AsyncSilentAudioInterface(AsyncAudioInterface):
    """Nobody is there, as SilentAudioInterface."""

    def __init__(self, format: AudioFormat = WIDEBAND) -> None:
        self._silence = format.silence(format.samples(SILENCE_MS))
        self._task: asyncio.Task[None] | None = None

    async def start(self, input_callback: Input) -> None:
        self._task = asyncio.create_task(self._run(input_callback), name="offhook-silence")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def output(self, audio: bytes) -> None:
        """Nobody hears it."""

    async def interrupt(self) -> None:
        """There is nothing to take back."""

    async def _run(self, input_callback: Input) -> None:
        while True:
            await asyncio.sleep(SILENCE_MS / 1000)
            await input_callback(self._silence)
