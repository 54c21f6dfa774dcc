"""`offhook call`: calls a server as Twilio would, plays speech, measures the answers. Flags and files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offhook.foundation.errors import OffhookError

if TYPE_CHECKING:
    from offhook.cli.caller.clips import Clip
    from offhook.cli.caller.line import Line
    from offhook.cli.caller.report import Tracks
    from offhook.cli.caller.script import Conversation, Manner


_WIDTH = 140
"""Columns where there is no terminal to ask."""


class UsageError(OffhookError):
    """The flags make no sense."""


def call(
    url: Annotated[str, typer.Argument(help="ws:// or wss:// address of a media socket.")],
    play: Annotated[list[Path] | None, typer.Option(help="A sound file: one turn. Repeatable.")] = None,
    save: Annotated[Path | None, typer.Option(help="Stereo WAV: caller left, agent right.")] = None,
    json: Annotated[Path | None, typer.Option(help="All figures and transcripts, as JSON.")] = None,
    pause: Annotated[float, typer.Option(min=0.1, max=30, help="Agent's silence that ends a turn, s.")] = 0.7,
    agent: Annotated[str, typer.Option(help="Which agent to ask for.")] = "",
    token: Annotated[str, typer.Option(help="The call's token, where the server wants one.")] = "",
    interrupt_after: Annotated[
        float | None, typer.Option(min=0, max=60, help="Talk over each answer after so many seconds.")
    ] = None,
    dtmf: Annotated[str, typer.Option(metavar="DIGITS@S", help="Press keys at a second of the call.")] = "",
    hang_up_after: Annotated[
        float | None, typer.Option(min=0.1, help="Hang up at this second, whatever happens.")
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Talk through this machine's sound card.")] = False,
    transcribe: Annotated[bool, typer.Option(help="Write down both sides with the local model.")] = True,
) -> None:
    """Call a server as Twilio would: play speech, record the answers, measure the gaps from the audio."""
    import asyncio

    from offhook.cli.caller.clips import read_clip
    from offhook.cli.caller.script import Manner

    for path in (save, json):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    keys = _parse_dtmf(dtmf)
    clips = [read_clip(path) for path in play or ()]
    parameters = {name: value for name, value in (("agent", agent), ("token", token)) if value}
    manner = Manner(pause=pause, interrupt_after=interrupt_after, hang_up_after=hang_up_after)
    if mic:
        manner = Manner(pause=pause, hang_up_after=hang_up_after or 3600.0)
    tracks, figures, failure = asyncio.run(
        _call(url, parameters, clips, manner, keys, mic=mic, words=transcribe)
    )
    if save is not None:
        save.write_bytes(tracks.wav())
    _write(figures, json)
    if failure:
        raise OffhookError(failure)


def _parse_dtmf(text: str) -> tuple[str, float]:
    match = re.fullmatch(r"([0-9*#A-Da-d]{1,32})@(\d+(?:\.\d+)?)", text)
    if text and match is None:
        raise UsageError(f"--dtmf {text} is not allowed: digits 0-9 * # A-D, @ and a second, like 123#@4.5")
    return (match.group(1).upper(), float(match.group(2))) if match else ("", 0.0)


async def _call(
    url: str,
    parameters: dict[str, str],
    clips: list[Clip],
    manner: Manner,
    keys: tuple[str, float],
    *,
    mic: bool,
    words: bool,
) -> tuple[Tracks, dict[str, Any], str]:
    """The call's sound and figures, and one sentence when it failed. Ctrl-C hangs up."""
    import asyncio
    import signal

    from offhook.audio.frame import PHONE
    from offhook.cli.caller.line import connect
    from offhook.cli.caller.microphone import speak
    from offhook.cli.caller.report import Tracks, add_words, report
    from offhook.cli.caller.script import Conversation, converse
    from offhook.cli.caller.transcribe import transcribe

    line, conversation = await connect(url, parameters), Conversation()
    line.press(keys[0], PHONE.samples(keys[1] * 1000))
    running = asyncio.create_task(line.run(), name="line")
    talk = speak(line, manner) if mic else converse(line, clips, manner, conversation)
    talking = asyncio.create_task(talk, name="conversation")
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, talking.cancel)
    await asyncio.wait((talking,))
    if not line.closed.is_set():
        await line.hang_up()
    await running
    if not talking.cancelled():
        talking.result()
    conversation.complete = conversation.complete or mic or talking.cancelled()
    tracks = Tracks.of(line)
    figures = {"url": url, **report(line, tracks, conversation.spoken)}
    if words:
        sounds = tracks.answers(conversation.spoken)
        texts, why = await transcribe([*sounds, *(turn.clip.audio for turn in conversation.spoken)])
        figures["transcripts"] = why
        add_words(figures, texts[: len(sounds)], texts[len(sounds) :])
    return tracks, figures, _failure(line, conversation, len(clips))


def _failure(line: Line, conversation: Conversation, clips: int) -> str:
    heard = line.playout.counts.messages > 0
    if line.close_code in (None, 1000, 1001, 1005) and conversation.complete and heard:
        return ""
    code = f"code {line.close_code}" if line.close_code is not None else "without a close code"
    why = f"{code}: {line.close_reason}" if line.close_reason else code
    if not line.hung_up or line.close_code not in (None, 1000, 1001, 1005):
        done = f"after {len(conversation.spoken)} of {clips} turns"
        return f"the server ended the call {done} ({why})"
    return "the server sent no audio" if not heard else ""


def _write(figures: dict[str, Any], path: Path | None) -> None:
    import json

    from rich.console import Console

    from offhook.cli.caller.show import show

    if path is not None:
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console = Console()
    show(figures, console if console.is_terminal else Console(width=_WIDTH))
