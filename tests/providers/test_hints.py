"""Words to expect, and Flux's thresholds: from the settings to what each vendor is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes import whisper
from tests.fakes.stt_vendor import Visit
from tests.fakes.tone_words import speak
from tests.speech.stt.hosted_vendors import CASES

from offhook.audio.frame import PHONE
from offhook.foundation.errors import SettingsError
from offhook.providers import vendors
from offhook.settings import Settings, load
from offhook.speech.stt.whisper import WhisperStt

ORDER = "i would like to book a table"
TERMS = ["Offhook", "Al-Khwarizmi"]


async def told(case: str, section: str, languages: tuple[str, ...] = ("en",), **own: Any) -> Visit:
    """What the vendor was told by a recognizer that the settings make."""
    fake = CASES[case].fake()
    async with fake.served() as url:
        vendor = {"api_key": CASES[case].key, "url": url + CASES[case].path, **own}
        settings = Settings.model_validate({"speech": {"keyterms": TERMS}, section: vendor})
        stt = vendors.stt(section, settings, True)
        recognizer = stt.open(PHONE, languages[0] if len(languages) == 1 else "", None, languages)
        recognizer.begin()
        recognizer.push(speak(ORDER, PHONE, 160))
        assert (await recognizer.finish()).text == ORDER
        await recognizer.close()
        await stt.close()
    assert fake.faults == []
    return fake.visits[0]


async def test_deepgram() -> None:
    assert (await told("deepgram", "deepgram")).all("keyterm") == TERMS


async def test_flux() -> None:
    thresholds = {"eot_threshold": "0.8", "eager_eot_threshold": "0.5", "eot_timeout_ms": "3000"}
    visit = await told("flux", "deepgram", stt_model="flux-general-en", **thresholds)
    assert visit.all("keyterm") == TERMS
    assert {name: visit.get(name) for name in thresholds} == thresholds


async def test_scribe() -> None:
    assert (await told("scribe", "elevenlabs")).all("keyterms") == TERMS


@pytest.mark.parametrize(
    ("languages", "own", "model"),
    [
        (("en",), {}, "gpt-live-transcribe"),
        (("en", "ar"), {}, "gpt-transcribe"),
        (("en", "ar"), {"stt_model": "gpt-live-transcribe"}, "gpt-live-transcribe"),
    ],
)
async def test_openai(languages: tuple[str, ...], own: dict[str, str], model: str) -> None:
    visit = await told("openai", "openai", languages, stt_prompt="A restaurant.", **own)
    transcription = visit.texts[0]["session"]["audio"]["input"]["transcription"]
    assert (transcription["model"], transcription["prompt"]) == (model, "A restaurant.")
    assert transcription["keywords"] == TERMS


async def test_whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("model.bin", "tokenizer.json"):
        (tmp_path / file).touch()
    hotwords = []

    class Model(whisper.WhisperModel):
        def transcribe(self, *arguments: Any, **options: Any) -> Any:
            hotwords.append(options["hotwords"])
            return super().transcribe(*arguments, **options)

    monkeypatch.setitem(sys.modules, "faster_whisper", whisper.module(Model))
    settings = Settings.model_validate({"speech": {"keyterms": TERMS}, "whisper": {"weights": tmp_path}})
    stt = vendors.stt("whisper", settings, True)
    assert isinstance(stt, WhisperStt)
    stt._model.words(np.zeros(16_000, np.float32), ("en",), lambda: True)
    await stt.close()
    assert hotwords == ["Offhook, Al-Khwarizmi"]


def test_by_the_environment(tmp_path: Path) -> None:
    environ = {"OFFHOOK_SPEECH__KEYTERMS": " Offhook , Al-Khwarizmi"}
    assert load(cwd=tmp_path, environ=environ).speech.keyterms == TERMS


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[speech]\nkeyterms = ['']", "speech.keyterms[0]"),
        (f"[speech]\nkeyterms = ['{'x' * 51}']", "speech.keyterms[0]"),
        (f"[speech]\nkeyterms = {['x'] * 101}", "speech.keyterms"),
        ("[deepgram]\neot_threshold = 0.4", "deepgram.eot_threshold"),
        ("[deepgram]\neager_eot_threshold = 0.2", "from 0.3 to eot_threshold"),
        ("[deepgram]\neot_threshold = 0.6\neager_eot_threshold = 0.7", "from 0.3 to eot_threshold"),
        ("[deepgram]\neot_timeout_ms = 100", "deepgram.eot_timeout_ms"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, reason: str) -> None:
    (tmp_path / "offhook.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(cwd=tmp_path, environ={})
    assert reason in caught.value.reason
