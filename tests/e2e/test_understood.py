"""The agent's voice in a browser call, listened to by a recognizer from the kept recording."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import call_page
import httpx
import numpy as np
import pytest
from playwright.sync_api import expect
from served import Open, Server

from offhook.audio.frame import WIDEBAND
from offhook.audio.level import peak_db
from offhook.audio.resample import resample_clip
from offhook.audio.wav import read_wav
from offhook.speech.stt.moonshine import MoonshineStt

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_a_recognizer_understands_the_agent(
    server: Server, open_page: Open, speech: Callable[..., Path]
) -> None:
    page = open_page(f"{server.url}/call", speech((6.0, "How much is a haircut?"), tail=14.0))
    call_page.start(page)
    expect(page.locator(".line.agent:not(.partial)").nth(1)).to_contain_text("35", timeout=30_000)
    call_id = call_page.figures(page)["callId"]
    page.keyboard.press("Escape")
    samples, rate = read_wav(_recording(server, call_id))
    agent = resample_clip(np.ascontiguousarray(samples[:, 1]), rate, WIDEBAND.rate)
    assert peak_db(agent.astype("<i2").tobytes()) < -1.0, "the voice clips"
    assert -30 < _speech_level(agent) < -10
    words = _words(agent)
    assert "how can i help" in words
    assert "haircut" in words
    assert "35" in words or "thirty five" in words


def _recording(server: Server, call_id: str) -> bytes:
    """The sealed recording as WAV, once it is there."""
    url = f"{server.url}/api/calls/{call_id}/recording?format=wav"
    for _ in range(100):
        answer = httpx.get(url)
        if answer.status_code == 200:
            return answer.content
        time.sleep(0.1)
    raise AssertionError("the recording was not sealed in time")


def _speech_level(samples: np.ndarray) -> float:
    """RMS in dBFS of the 20 ms frames that are not silence."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float64)
    loud = frames[np.abs(frames).max(axis=1) > 500]
    return float(20 * np.log10(np.sqrt((loud**2).mean()) / 32768))


def _words(samples: np.ndarray) -> str:
    """What the local recognizer hears, in plain lower case; one utterance per stretch of speech."""

    async def hear() -> str:
        stt = MoonshineStt()
        try:
            recognizer, said = stt.open(WIDEBAND, "en"), []
            for start in range(0, len(samples), WIDEBAND.samples(6_000)):
                recognizer.begin()
                recognizer.push(samples[start : start + WIDEBAND.samples(6_000)].astype("<i2").tobytes())
                said.append((await recognizer.finish()).text)
            return " ".join(said).lower()
        finally:
            await stt.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, hear()).result(60)
