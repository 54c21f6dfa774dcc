"""`offhook call`: calls a server as Twilio would, plays speech, measures the answers. Flags and files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.foundation.errors import OffhookError

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
    sign: Annotated[str, typer.Option(metavar="TOKEN", help="Sign with this Twilio auth token.")] = "",
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
    from offhook.cli.caller.place import Order, place
    from offhook.cli.caller.script import Manner

    _check_folders(save, json)
    digits, digits_at = _parse_dtmf(dtmf)
    clips = [read_clip(path) for path in play or ()]
    parameters = {name: value for name, value in (("agent", agent), ("token", token)) if value}
    manner = Manner(pause=pause, interrupt_after=interrupt_after, hang_up_after=hang_up_after)
    order = Order(url, parameters, clips, manner, digits, digits_at, mic, transcribe, auth_token=sign)
    placed = asyncio.run(place(order))
    if save is not None:
        save.write_bytes(placed.tracks.wav())
    _write(placed.figures, json)
    if placed.failure:
        raise OffhookError(placed.failure)


def _check_folders(*paths: Path | None) -> None:
    """Before the call, not after it."""
    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")


def _parse_dtmf(text: str) -> tuple[str, float]:
    match = re.fullmatch(r"([0-9*#A-Da-d]{1,32})@(\d+(?:\.\d+)?)", text)
    if text and match is None:
        raise UsageError(f"--dtmf {text} is not allowed: digits 0-9 * # A-D, @ and a second, like 123#@4.5")
    return (match.group(1).upper(), float(match.group(2))) if match else ("", 0.0)


def _write(figures: dict[str, Any], path: Path | None) -> None:
    import json

    from rich.console import Console

    from offhook.cli.caller.show import show

    if path is not None:
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console = Console()
    show(figures, console if console.is_terminal else Console(width=_WIDTH))
