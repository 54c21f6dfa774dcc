"""Plays scripted scam calls to a real server by voice files, in English and in Arabic, with an operator who
has taken over; measures how soon a card and the coach's voice come, and whether cards are right.

    python bench/coached_calls.py [--languages en ar] [--cores 0] [--json FILE]

A turn's time begins when its last audible sample was sent. "voice" is the first sound in the operator's own
audio after that, while nobody else speaks; it is compared with the card's sound, to know that it is the
coach's. No package carries a recognizer of Arabic: there a stand-in (stand_in_house.py) tells the true words
after the time of the real English one. Turns after which the coach has nothing new to say get no card of
themselves; for the labels one is then asked for (`coach_now`), which counts in no time.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import sys
import time
import wave
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from coach import Turn, labelled
from coached_figures import Played, report
from coached_people import Headset, Telephone, alike, dial
from house import House, house
from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import PHONE, Encoding
from speech_corpus import trimmed
from stand_in_house import LINE_FILE, SPEECH_FILE

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench" / "coached"
SCRIPTS = "second"
CARD_S, VOICE_S, ASKED_S = 2.5, 2.0, 1.5
_BASE = """
[coach]
profile = "fraud"
[agents.default]
greeting = ""
"""
_ARABIC = """language = "ar"
voices = { ar = "ar" }
[speech]
llm = "scripted"
tts = ["espeak"]
[speech.languages.ar]
tts = ["espeak"]
"""
_TOML = {"en": _BASE, "ar": _BASE + _ARABIC}


# Voice files.


async def recorded(turns: Sequence[Turn]) -> dict[str, Path]:
    """A WAV file per text, 8 kHz, without silence around it; made once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    paths = {t.text: CACHE / f"{t.language}-{t.call}-{n}.wav" for n, t in enumerate(turns)}
    voices: dict[str, Any] = {}
    for turn in turns:
        if paths[turn.text].exists():
            continue
        if turn.language not in voices:
            voices[turn.language] = _voice(turn.language)
        speak = voices[turn.language].speak(turn.text, "", turn.language, PHONE)
        audio = b"".join([piece async for piece in speak])
        with wave.open(str(paths[turn.text]), "wb") as file:
            file.setparams((1, 2, PHONE.rate, 0, "NONE", ""))
            file.writeframes(trimmed(to_samples(audio, PHONE.encoding)).tobytes())
    for voice in voices.values():
        await voice.close()
    return paths


async def english_speech() -> None:
    """What the real recognizer is given in place of Arabic."""
    files = await recorded([turn for turn in labelled(SCRIPTS) if turn.language == "en"])
    speech = b"".join(_file(path) for path in files.values())
    await asyncio.to_thread(Path(os.environ[SPEECH_FILE]).write_bytes, speech)


def _voice(language: str) -> Any:
    if language == "en":
        from offhook.speech.tts.hibari import HibariTts

        return HibariTts()
    from offhook.speech.tts.espeak import EspeakTts

    return EspeakTts()


def _file(path: Path) -> bytes:
    """A voice file as a telephone sends it."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return to_bytes(samples, PHONE.encoding)


# Calls.


async def play(server: House, turns: Sequence[Turn], files: dict[str, Path], number: int) -> list[Played]:
    """One call, turn by turn."""
    phone = Telephone(await dial(server.media), number)
    ringing = asyncio.create_task(phone.live())
    async with httpx.AsyncClient(base_url=server.base) as client:
        query = f"call_id={await _call_id(client)}&role=operator&stance=take_over"
    headset = Headset(await dial(f"{server.base.replace('http', 'ws')}/ws/live?{query}"))
    sitting = asyncio.create_task(headset.live())
    await headset.wait(lambda: _said(headset, 0, "joined"), 10)
    await asyncio.sleep(1.0)
    played = [await one(headset, phone, turn, _file(files[turn.text])) for turn in turns]
    await headset.send(type="end")
    await headset.wait(lambda: _said(headset, 0, "ended"), 10)
    for task in (ringing, sitting):
        task.cancel()
    await asyncio.gather(ringing, sitting, return_exceptions=True)
    await asyncio.sleep(1.0)
    return played


async def _call_id(client: httpx.AsyncClient) -> str:
    """The call that has just begun."""
    async with asyncio.timeout(20):
        while True:
            if calls := (await client.get("/api/live")).json()["calls"]:
                return str(calls[0]["call_id"])
            await asyncio.sleep(0.05)


async def one(headset: Headset, phone: Telephone, turn: Turn, audio: bytes) -> Played:
    await headset.silence(0.8)
    await asyncio.sleep(0.4)
    mark = len(headset.messages)
    result = Played(turn.call, turn.text, intents=turn.intents, levels=[each.value for each in turn.levels])
    _tell(turn.text, len(audio) / PHONE.rate)
    ended = await phone.say(audio)
    found = await headset.wait(lambda: _said(headset, mark, "ai_coaching", after=ended), CARD_S)
    if found is not None:
        result.card_ms = 1000 * (found[0] - ended)
        voice = await headset.wait(lambda: headset.first_audible(found[0]), VOICE_S)
        if voice is not None:
            result.voice_ms = 1000 * (voice - ended)
            await headset.silence(0.3)
            result.likeness = _likeness(headset, mark, found[1]["id"], voice)
    elif (early := _said(headset, mark, "ai_coaching")) is not None:
        found = early  # it came on a pause before the end
    else:
        await headset.send(type="coach_now")
        result.asked = True
        found = await headset.wait(lambda: _said(headset, mark, "ai_coaching"), ASKED_S)
    if found is not None:
        last = [m for _, m in headset.messages[mark:] if m["type"] == "ai_coaching"][-1]
        result.intent, result.level = last["intent"], last["warning_level"]
        result.suggestions, result.card = len(last["suggestions"]), _short(last)
    finals = [(at, m) for at, m in headset.messages[mark:] if m["type"] == "transcript" and _final(m)]
    result.heard, result.pieces = " ".join(m["text"] for _, m in finals), len(finals)
    if finals:
        result.words_ms = 1000 * (finals[-1][0] - ended)
    result.events = [
        (round(1000 * (at - ended)), _told(m)) for at, m in headset.messages[mark:] if m["type"] == "event"
    ]
    return result


def _told(message: dict[str, Any]) -> str:
    entry = message["entry"]
    rest = {name: value for name, value in entry.items() if name not in ("kind", "seq", "media_ms")}
    return f"{entry['kind']} {rest}"[:120]


def _final(message: dict[str, Any]) -> bool:
    return bool(message["final"]) and message["speaker"] == "caller"


def _said(headset: Headset, mark: int, kind: str, after: float = 0.0) -> tuple[float, dict[str, Any]] | None:
    return next((m for m in headset.messages[mark:] if m[1]["type"] == kind and m[0] >= after), None)


def _short(card: dict[str, Any]) -> dict[str, Any]:
    names = ("intent", "confidence", "warning_level", "warning", "strategy", "recommended_response", "text")
    return {name: card[name] for name in names}


def _likeness(headset: Headset, mark: int, card_id: str, voice: float) -> float:
    """Whether what was heard is this card's sound."""
    for _, message in headset.messages[mark:]:
        if message["type"] == "ai_coaching" and message["id"] == card_id and message["audio"]:
            with wave.open(io.BytesIO(base64.b64decode(message["audio"]))) as file:
                said = to_samples(file.readframes(file.getnframes()), Encoding.PCM16)
            return round(alike(headset.stretch(voice - 0.1, 1.2), said), 2)
    return 0.0


def _tell(text: str, seconds: float) -> None:
    """The stand-in's line."""
    path = Path(os.environ[LINE_FILE])
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"text": text, "began": time.monotonic(), "seconds": seconds}), "utf-8")
    fresh.replace(path)


# All of it.


async def calls(language: str, cores: Sequence[int]) -> list[Played]:
    turns = [turn for turn in labelled(SCRIPTS) if turn.language == language]
    files = await recorded(turns)
    if language == "ar":
        await english_speech()
    names = list(dict.fromkeys(turn.call for turn in turns))
    program = ("-m", "offhook") if language == "en" else (str(Path(__file__).with_name("stand_in_house.py")),)
    played: list[Played] = []
    limits = {"OFFHOOK_LIMITS__MAX_LOAD": "0"}
    with house(cores=cores, program=program, toml=_TOML[language], settings=limits) as server:
        for number, name in enumerate(names, 1):
            played += await play(server, [turn for turn in turns if turn.call == name], files, number)
    return played


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["en", "ar"], choices=["en", "ar"])
    parser.add_argument("--cores", type=int, nargs="*", default=[], help="of the server; all when not given")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    os.environ[LINE_FILE] = str(CACHE / "line.json")
    os.environ[SPEECH_FILE] = str(CACHE / "speech.ulaw")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    kept = {}
    for language in given.languages:
        played = asyncio.run(calls(language, given.cores))
        report(language, played)
        kept[language] = [asdict(each) for each in played]
    if given.json:
        given.json.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
