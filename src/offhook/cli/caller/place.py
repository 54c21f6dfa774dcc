"""Places one call from dialling to figures: connects, talks, hangs up, measures. Writes no files."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offhook.audio.frame import PHONE
from offhook.cli.caller.clips import Clip
from offhook.cli.caller.line import Line, connect
from offhook.cli.caller.microphone import speak
from offhook.cli.caller.report import Tracks, add_words, report
from offhook.cli.caller.script import Conversation, Manner, converse
from offhook.cli.caller.transcribe import transcribe

_GOOD_CODES = (None, 1000, 1001, 1005)


@dataclass(frozen=True, slots=True)
class Order:
    """What to call and how; `digits` are pressed from second `digits_at` on."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    clips: Sequence[Clip] = ()
    manner: Manner = field(default_factory=Manner)
    digits: str = ""
    digits_at: float = 0.0
    microphone: bool = False
    words: bool = True
    auth_token: str = ""
    """Signs the socket's upgrade; empty for none."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A finished call; `failure` is one sentence, or empty."""

    tracks: Tracks
    figures: dict[str, Any]
    failure: str


async def place(order: Order) -> Placed:
    """The whole call. Raises CallError when it cannot be placed. Ctrl-C hangs up."""
    line = await connect(order.url, dict(order.parameters), order.auth_token)
    conversation = Conversation()
    line.press(order.digits, PHONE.samples(order.digits_at * 1000))
    await _talk(line, order, conversation)
    tracks = Tracks.of(line)
    figures = {"url": order.url, **report(line, tracks, conversation.spoken)}
    if order.words:
        answers = tracks.answers(conversation.spoken)
        texts, why = await transcribe([*answers, *(turn.clip.audio for turn in conversation.spoken)])
        figures["transcripts"] = why
        add_words(figures, texts[: len(answers)], texts[len(answers) :])
    return Placed(tracks, figures, _failure(line, conversation, len(order.clips)))


async def _talk(line: Line, order: Order, conversation: Conversation) -> None:
    """Both halves of the line until the call is over, and the connection with it."""
    running = asyncio.create_task(line.run(), name="line")
    part = (
        speak(line, order.manner)
        if order.microphone
        else converse(line, order.clips, order.manner, conversation)
    )
    talking = asyncio.create_task(part, name="conversation")
    loop = asyncio.get_running_loop()
    with contextlib.suppress(RuntimeError, ValueError):  # only the main thread gets signals
        loop.add_signal_handler(signal.SIGINT, talking.cancel)
    try:
        await asyncio.wait((talking,))
        if not line.closed.is_set():
            await line.hang_up()
        await running
    finally:
        with contextlib.suppress(RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)
    if not talking.cancelled():
        talking.result()
    conversation.complete = conversation.complete or order.microphone or talking.cancelled()


def _failure(line: Line, conversation: Conversation, clips: int) -> str:
    heard = line.playout.counts.messages > 0
    good = line.close_code in _GOOD_CODES and (line.hung_up or line.close_code is not None)
    if good and conversation.complete:
        return "" if heard else "the server sent no audio"
    code = f"code {line.close_code}" if line.close_code is not None else "without a close code"
    why = f"{code}: {line.close_reason}" if line.close_reason else code
    return f"the server ended the call after {len(conversation.spoken)} of {clips} turns ({why})"
