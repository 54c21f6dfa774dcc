"""The caller's part in the conversation: waits for the greeting, speaks clips, waits for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offhook.audio.frame import PHONE
from offhook.cli.caller.clips import Clip
from offhook.cli.caller.line import Line

_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Manner:
    """How the caller behaves, in seconds."""

    pause: float = 0.7
    """Silence of the agent that ends its greeting or answer."""
    interrupt_after: float | None = None
    """Speak the next clip this long after an answer became audible, instead of waiting for its end."""
    hang_up_after: float | None = None
    greeting_wait: float = 10.0
    answer_wait: float = 15.0
    longest_answer: float = 60.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip that was played: the samples at which it, and its audible part, began and ended."""

    clip: Clip
    at: int

    @property
    def onset(self) -> int:
        return self.at + self.clip.onset

    @property
    def offset(self) -> int:
        return self.at + self.clip.offset


@dataclass(slots=True)
class Conversation:
    """What was said so far, kept also when the call breaks off."""

    spoken: list[Spoken] = field(default_factory=list)
    complete: bool = False


async def converse(line: Line, clips: Sequence[Clip], manner: Manner, conversation: Conversation) -> None:
    """Play the call to its end; returns when everything was said, or the line is gone, or time is up."""
    try:
        async with asyncio.timeout(manner.hang_up_after):
            await _greeting(line, manner)
            for index, clip in enumerate(clips):
                if line.closed.is_set():
                    return
                conversation.spoken.append(Spoken(clip, line.say(clip.audio)))
                await _until(line, lambda: not line.saying, len(clip.audio) / PHONE.rate + 5.0)
                last = index == len(clips) - 1
                await _answer(line, conversation.spoken[-1], manner, manner.interrupt_after, last)
            conversation.complete = len(conversation.spoken) == len(clips)
            if manner.hang_up_after is not None:
                await line.closed.wait()
    except TimeoutError:
        conversation.complete = True  # the caller wanted to hang up at this moment


async def _greeting(line: Line, manner: Manner) -> None:
    """Until the agent has spoken and been silent; a server that never greets is given its time."""
    if await _until(line, lambda: line.playout.first_audible(0) is not None, manner.greeting_wait):
        await _silence(line, manner)


async def _answer(
    line: Line, spoken: Spoken, manner: Manner, interrupt_after: float | None, last: bool
) -> None:
    def begun() -> bool:
        first = line.playout.first_audible(spoken.offset)
        return first is not None and first <= line.now

    if not await _until(line, begun, manner.answer_wait):
        return
    first = line.playout.first_audible(spoken.offset)
    if interrupt_after is None or last or first is None:
        await _silence(line, manner)
        return
    moment = first + PHONE.samples(interrupt_after * 1000)
    await _until(line, lambda: line.now >= moment, interrupt_after + 5.0)


async def _silence(line: Line, manner: Manner) -> None:
    """Until the agent was silent for the pause, and nothing is queued."""
    pause = PHONE.samples(manner.pause * 1000)
    await _until(line, lambda: line.playout.quiet_for(line.now) >= pause, manner.longest_answer)


async def _until(line: Line, reached: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, `seconds` at most; False when it was not reached, or the line is gone."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not reached():
        if line.closed.is_set() or loop.time() >= end:
            return False
        await asyncio.sleep(_POLL)
    return True
