"""The caller end to end, against a scripted server on loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from twilio_server import Script, running, tone

from offhook.audio.wav import read_wav
from offhook.cli import call as command
from offhook.cli.caller.clips import ClipError, read_clip
from offhook.cli.caller.line import CallError, connect
from offhook.cli.caller.place import Order, place
from offhook.cli.caller.script import Manner
from offhook.foundation.errors import OffhookError
from offhook.protocols.signatures import SIGNATURE_HEADER, TwilioSignatures


async def _call(
    script: Script, files: list[Path], manner: Manner, keys: tuple[str, float] = ("", 0.0)
) -> Any:
    async with running(script) as url:
        clips = [read_clip(path) for path in files]
        order = Order(url, {"agent": "salon"}, clips, manner, *keys, words=False)
        placed = await place(order)
        return placed.tracks, placed.figures, placed.failure


def _events(script: Script, kind: str) -> list[dict[str, Any]]:
    return [event for event in script.events if event["event"] == kind]


async def test_a_call_is_greeted_answered_and_measured(clip_file: Path) -> None:
    script = Script(mark="greeted")
    tracks, figures, failure = await _call(script, [clip_file], Manner(pause=0.15), ("5#", 0.1))
    assert failure == ""
    assert script.events[0]["event"] == "connected"
    assert script.events[1]["start"]["customParameters"] == {"agent": "salon"}
    assert [event["dtmf"]["digit"] for event in _events(script, "dtmf")] == ["5", "#"]
    assert {event["mark"]["name"] for event in _events(script, "mark")} == {"greeted"}
    assert script.events[-1]["event"] == "stop"
    (turn,) = figures["turns"]
    # Endpoint 100 ms after the last loud frame, plus framing, scheduling and the clip's own end in its frame.
    assert 90 <= turn["gap_ms"] <= 220
    assert turn["caller_ended_ms"] - turn["caller_started_ms"] == pytest.approx(200, abs=15)
    assert turn["answer_ended_ms"] - turn["answer_started_ms"] == pytest.approx(200, abs=15)
    assert figures["totals"]["gap_p50_ms"] == figures["totals"]["gap_p95_ms"] == turn["gap_ms"]
    assert figures["greeting"]["first_audio_ms"] < 100
    assert figures["media"]["messages"] == 10
    assert figures["media"]["wrong_messages"] == 0
    assert len(tracks.caller) == len(tracks.agent) == len(_events(script, "media")) * 160
    samples, rate = read_wav(tracks.wav())
    assert (samples.shape[1], rate) == (2, 8000)


async def test_audio_goes_out_in_real_time() -> None:
    script = Script(greeting_ms=100)
    began = asyncio.get_running_loop().time()
    await _call(script, [], Manner(hang_up_after=0.3))
    seconds = asyncio.get_running_loop().time() - began
    media = _events(script, "media")
    assert len(media) * 0.02 == pytest.approx(seconds, abs=0.15)
    assert [int(event["media"]["timestamp"]) for event in media] == [20 * i for i in range(len(media))]


async def test_an_interruption_is_timed_from_the_callers_onset(clip_file: Path) -> None:
    script = Script(answer_ms=800, interrupt_ms=100)
    manner = Manner(pause=0.15, interrupt_after=0.1)
    _, figures, failure = await _call(script, [clip_file, clip_file], manner)
    assert failure == ""
    first, second = figures["turns"]
    assert (first["interrupted"], second["interrupted"]) == (False, True)
    assert 80 <= second["clear_after_ms"] <= 220
    assert second["stopped_after_ms"] == pytest.approx(second["clear_after_ms"], abs=30)
    assert figures["media"]["clears"] == 1
    assert figures["media"]["cleared_ms"] > 300


async def test_a_server_that_breaks_off_is_a_failed_call(clip_file: Path) -> None:
    _, figures, failure = await _call(Script(close_after=20), [clip_file], Manner(pause=0.15))
    assert (figures["ended_by"], figures["close_code"]) == ("server", 1011)
    assert failure == "the server ended the call after 1 of 1 turns (code 1011: out of order)"


async def test_wrong_messages_are_counted_not_fatal(clip_file: Path) -> None:
    script = Script(garbage=b'{"event":"media","streamSid":"MZother","media":{"payload":""}}')
    _, figures, failure = await _call(script, [clip_file], Manner(pause=0.15))
    assert failure == ""
    assert figures["media"]["wrong_message"] == "a message belongs to another stream"


async def test_hanging_up_at_a_second() -> None:
    tracks, figures, failure = await _call(Script(greeting_ms=100), [], Manner(hang_up_after=0.3))
    assert failure == ""
    assert figures["ended_by"] == "caller"
    assert len(tracks.caller) / 8 == pytest.approx(300, abs=60)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x", "is no call address"),
        ("ws://127.0.0.1:1/x", "nothing is listening there"),
    ],
)
async def test_a_call_that_cannot_be_placed(url: str, reason: str) -> None:
    with pytest.raises(CallError, match=reason):
        await connect(url, {})


async def test_an_http_refusal_is_named() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(CallError, match="refused the call with HTTP 403"):
        await connect(f"ws://127.0.0.1:{port}/media/twilio", {})
    server.close()
    await server.wait_closed()


async def test_the_upgrade_is_signed_where_a_token_is_given() -> None:
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/media/twilio"
    for token in ("", "0b" * 16):
        with pytest.raises(CallError, match="HTTP 403"):
            await place(Order(url, auth_token=token))
    server.close()
    await server.wait_closed()
    unsigned, signed = (head.decode() for head in heads)
    assert SIGNATURE_HEADER not in unsigned
    (signature,) = (
        line.partition(": ")[2] for line in signed.splitlines() if line.startswith(SIGNATURE_HEADER)
    )
    assert TwilioSignatures("0b" * 16).verify_upgrade(url, signature)


def test_files_of_any_kind_become_phone_audio(clip_file: Path, tmp_path: Path) -> None:
    clip = read_clip(clip_file)
    assert len(clip.audio) == pytest.approx(2800, abs=2)
    assert clip.onset == pytest.approx(800, abs=80)
    assert clip.offset == pytest.approx(2400, abs=80)
    raw = tmp_path / "raw.ulaw"
    raw.write_bytes(tone(100))
    assert read_clip(raw).audio == tone(100)


def test_files_that_cannot_be_played(tmp_path: Path) -> None:
    silent = tmp_path / "silent.ulaw"
    silent.write_bytes(b"\xff" * 800)
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for path, reason in (
        (silent, "loud enough"),
        (text, "no sound file"),
        (tmp_path / "gone", "no such file"),
    ):
        with pytest.raises(ClipError, match=reason):
            read_clip(path)


@pytest.mark.parametrize("text", ["12", "x@3", "1@", "@3", "1" * 40 + "@1"])
def test_wrong_keys_are_refused(text: str) -> None:
    with pytest.raises(OffhookError, match="--dtmf"):
        command._parse_dtmf(text)


def test_figures_are_written_for_programs_and_people(
    tmp_path: Path, clip_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(greeting_ms=60, answer_ms=60, endpoint_ms=40)
    _, figures, _ = asyncio.run(_call(script, [clip_file], Manner(pause=0.1)))
    command._write(figures, tmp_path / "call.json")
    kept = json.loads((tmp_path / "call.json").read_text())
    assert kept["turns"][0]["file"] == "question.wav"
    assert "answered 1 of 1" in capsys.readouterr().out
