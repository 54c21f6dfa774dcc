"""Finds what callers say: given files, the corpus beside the checkout, Debian's prompts, or our own voice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "bench" / "speech"
ONE_BREATH = (
    "conf-placeintoconf",
    "feature-not-avail-line",
    "vm-nobodyavail",
    "vm-msgforwarded",
    "please-try-call-later",
)
"""Prompts of Debian's corpus without a pause inside: each is one turn for any detector."""
LINES = (
    "What are your opening hours on Saturday?",
    "How much is a haircut for a child?",
    "Where can I park my car when I come?",
    "Can I pay by card or only in cash?",
)


def find_speech(given: list[Path] | None, cache: Path) -> list[Path]:
    """Sound files, one utterance each. What must be made is made once, in `cache`."""
    if given:
        return given
    if found := sorted(SHARED.glob("*.ulaw")):
        return found
    return _human(cache / "human") or own_voice(cache / "own")


def _human(folder: Path) -> list[Path]:
    """From the Debian package; empty where that cannot be had."""
    from speech_corpus import build

    if not (folder / "texts.json").exists():
        try:
            build(folder)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"no human speech ({error}); the callers use Offhook's own voice", file=sys.stderr)
            return []
    return [folder / f"{name}.wav" for name in ONE_BREATH]


def own_voice(folder: Path) -> list[Path]:
    """From the local voice that Offhook itself speaks with."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"line{number}.wav" for number in range(len(LINES))]
    if not all(path.exists() for path in paths):
        asyncio.run(_speak(paths))
    return paths


async def _speak(paths: list[Path]) -> None:
    from offhook.audio.frame import WIDEBAND
    from offhook.speech.tts.hibari import HibariTts

    voice = HibariTts()
    for path, text in zip(paths, LINES, strict=True):
        audio = b"".join([piece async for piece in voice.speak(text, "", "en", WIDEBAND)])
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(WIDEBAND.rate)
            file.writeframes(audio)
    await voice.close()
