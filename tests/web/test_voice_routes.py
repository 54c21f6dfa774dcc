"""Voices, playground, cloning, clips and desk settings over HTTP, with vendors that are fakes on loopback."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.fakes.elevenlabs_speech import KEY, VOICE, FakeElevenLabs
from tests.fakes.http_vendor import Fault
from tests.fakes.voice import encoded

from offhook.audio import g711
from offhook.audio.wav import read_wav
from offhook.desk.clips import ClipShelf
from offhook.desk.ear import EarMemory
from offhook.desk.narration import Narrator
from offhook.desk.studio import Studio
from offhook.desk.voices import VoiceBook
from offhook.speech.tts.elevenlabs import ElevenLabsTts
from offhook.speech.tts.fake import ScriptedTts

SAY = "/api/playground/speech"
LOCAL = frozenset({"scripted"})


class House:
    """A site with a local voice and a vendor's."""

    def __init__(self, make_stage: Callable[..., Any], vendor: FakeElevenLabs, folder: Path) -> None:
        self.vendor = vendor
        self.local = ScriptedTts(1.0)
        self.eleven = ElevenLabsTts(KEY, url=vendor.url, voice=VOICE)
        book = VoiceBook(self.local, ["scripted", "elevenlabs"], LOCAL, lambda name: self.eleven)
        self.studio = Studio(book, Narrator(book), EarMemory(), ClipShelf(folder / "clips"))
        self.stage = make_stage(studio=self.studio)

    def client(self, **options: Any) -> httpx.AsyncClient:
        client: httpx.AsyncClient = self.stage.client(**options)
        return client


@pytest.fixture
async def house(make_stage: Callable[..., Any], tmp_path: Path) -> AsyncIterator[House]:
    vendor = FakeElevenLabs()
    async with vendor.serving():
        made = House(make_stage, vendor, tmp_path)
        yield made
        await made.studio.close()


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as client:
        yield client


def error(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


# Voices.


async def test_voices_of_all_providers_are_listed(house: House, web: httpx.AsyncClient) -> None:
    found = (await web.get("/api/voices")).json()
    assert found["voices"] == [
        {"id": "hum", "name": "hum", "language": "", "provider": "scripted", "local": True, "cloned": False},
        {
            "id": VOICE,
            "name": "George",
            "language": "en",
            "provider": "elevenlabs",
            "local": False,
            "cloned": False,
        },
    ]
    assert [(p["name"], p["local"], p["clones"], p["reason"]) for p in found["providers"]] == [
        ("scripted", True, False, ""),
        ("elevenlabs", False, True, ""),
    ]


async def test_a_vendor_that_does_not_list_is_named_with_the_reason(
    house: House, web: httpx.AsyncClient
) -> None:
    house.vendor.faults.append(Fault(status=401, body={"detail": {"status": "invalid_api_key"}}))
    found = (await web.get("/api/voices")).json()
    assert [voice["id"] for voice in found["voices"]] == ["hum", VOICE]
    assert found["providers"][1]["reason"] == "elevenlabs: refused the key (invalid_api_key)"


# The playground.


async def test_a_voice_as_a_browser_hears_it(web: httpx.AsyncClient) -> None:
    answer = await web.post(SAY, json={"text": "Hello there."})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    samples, rate = read_wav(answer.content)
    head = {name[10:]: value for name, value in answer.headers.items() if name.startswith("x-offhook-")}
    assert head["provider"] == "scripted"
    assert (head["sample-rate"], head["seconds"]) == (str(rate), "1.0") == ("24000", "1.0")
    assert head["bytes"] == str(2 * len(samples))
    assert {"first-audio-ms", "total-ms", "real-time-factor"} <= set(head)


async def test_a_voice_as_a_phone_hears_it_in_one_object(house: House, web: httpx.AsyncClient) -> None:
    wish = {"text": "Hello there.", "provider": "elevenlabs", "voice": VOICE, "as": "phone"}
    answer = await web.post(SAY, json=wish, headers={"Accept": "application/json"})
    found = answer.json()
    samples, rate = read_wav(b64decode(found["audio"]))
    assert (rate, found["sample_rate"], found["format"], found["provider"]) == (
        8_000,
        8_000,
        "wav",
        "elevenlabs",
    )
    assert found["bytes"] == len(samples)
    assert found["seconds"] == pytest.approx(len(samples) / 8_000, abs=0.001)
    assert np.array_equal(g711.decode_ulaw(g711.encode_ulaw(samples[:, 0]).tobytes()), samples[:, 0])
    assert house.vendor.asked[-1].query["output_format"] == "ulaw_8000"


BAD_TRIALS: list[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "text"),
    ({"text": ""}, 422, "text"),
    ({"text": "a" * 1_001}, 422, "text"),
    ({"text": "…"}, 400, "nothing to say"),
    ({"text": "Hi.", "as": "fax"}, 422, "as"),
    ({"text": "Hi.", "speed": 3}, 422, "speed"),
    ({"text": "Hi.", "language": "../x"}, 422, "language"),
    ({"text": "Hi.", "odd": 1}, 422, "odd"),
    ({"text": "Hi.", "provider": "acme"}, 404, "no voice provider 'acme' here; there are scripted"),
    ({"text": "Hi.", "provider": "scripted", "voice": "x"}, 400, "no voice 'x' of scripted"),
    ({"text": "Hi.", "provider": "elevenlabs", "voice": "x"}, 400, "does not know voice 'x'"),
]


async def test_wishes_that_cannot_be(web: httpx.AsyncClient) -> None:
    for wish, status, reason in BAD_TRIALS:
        assert reason in error(await web.post(SAY, json=wish), status)


async def test_a_vendor_that_fails_is_told_in_words(house: House, web: httpx.AsyncClient) -> None:
    house.vendor.faults.append(Fault(status=401, body={"detail": {"status": "invalid_api_key"}}))
    wish = {"text": "Hello.", "provider": "elevenlabs"}
    assert error(await web.post(SAY, json=wish), 502) == "elevenlabs: refused the key (invalid_api_key)"


async def test_tries_are_bounded(house: House, web: httpx.AsyncClient) -> None:
    for _ in range(10):
        assert (await web.post(SAY, json={"text": "Hi."})).status_code == 200
    assert "wait a moment" in error(await web.post(SAY, json={"text": "Hi."}), 429)
    house.stage.clock.advance(2)
    assert (await web.post(SAY, json={"text": "Hi."})).status_code == 200


# Cloning.


def form(**more: Any) -> dict[str, Any]:
    return {"data": {"name": "Nadia", "consent": "true", **more}, "files": [("files", ("a.wav", WAV))]}


WAV = encoded("wav_8000", 1.0)


async def test_a_clone_is_made_noted_listed_and_speaks(house: House, web: httpx.AsyncClient) -> None:
    files = [("files", ("../../a.wav", WAV)), ("files", ("b", encoded("mp3_24000_48", 1.0)))]
    answer = await web.post("/api/voices", data=form(description="calm")["data"], files=files)
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
        "provider": "elevenlabs",
        "id": "Clone000000000000001",
        "name": "Nadia",
        "requires_verification": False,
    }
    ((texts, samples),) = house.vendor.clones
    assert (texts["name"], texts["description"]) == ("Nadia", "calm")
    assert [(name, data[:3]) for name, data in samples] == [
        ("sample-1.wav", b"RIF"),
        ("sample-2.mp3", samples[1][1][:3]),
    ]
    listed = (await web.get("/api/voices")).json()["voices"]
    assert {"id": made["id"], "name": "Nadia", "cloned": True}.items() <= listed[-1].items()
    wish = {"text": "Hello.", "provider": "elevenlabs", "voice": made["id"]}
    assert (await web.post(SAY, json=wish)).status_code == 200


BAD_CLONES: list[tuple[dict[str, Any], int, str]] = [
    (form(consent="false"), 400, "consent"),
    ({"data": {"name": "Nadia"}, "files": [("files", ("a.wav", WAV))]}, 400, "consent"),
    (form(name=" "), 400, "name"),
    (form(name="a" * 65), 400, "name"),
    (form(provider="scripted"), 404, "scripted does not clone"),
    (form(provider="acme"), 404, "no voice provider"),
    ({**form(), "files": [("files", ("a.exe", b"MZ"))]}, 400, "no WAV, MP3 or Ogg"),
    ({**form(), "files": [("other", ("a.wav", WAV))]}, 400, "no files"),
    ({**form(), "files": [("files", ("a.wav", WAV))] * 6}, 400, "cannot be read"),
    ({"json": {}}, 400, "multipart"),
    ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=a"}}, 400, "read|no"),
]


async def test_a_clone_without_consent_name_or_sound_is_none(house: House, web: httpx.AsyncClient) -> None:
    for wish, status, reason in BAD_CLONES:
        message = error(await web.post("/api/voices", **wish), status)
        assert any(part in message for part in reason.split("|"))
        assert house.vendor.clones == []


async def test_a_form_over_its_bound_is_refused(web: httpx.AsyncClient) -> None:
    big = [("files", ("a.wav", WAV + bytes(26 << 20)))]
    assert (await web.post("/api/voices", data=form()["data"], files=big)).status_code == 413


# Clips.


async def test_a_clip_is_kept_listed_heard_and_deleted(web: httpx.AsyncClient) -> None:
    answer = await web.post(
        "/api/clips", data={"name": "one-moment", "text": "One  moment."}, files={"file": ("a.wav", WAV)}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made | {"made_at": ""} == {
        "name": "one-moment",
        "seconds": 1.0,
        "sample_rate": 8_000,
        "text": "One moment.",
        "by": "local",
        "made_at": "",
    }
    assert (await web.get("/api/clips")).json() == {"clips": [made]}
    heard = await web.get("/api/clips/one-moment")
    assert heard.headers["content-type"] == "audio/wav"
    assert np.array_equal(read_wav(heard.content)[0], read_wav(WAV)[0])
    assert (await web.delete("/api/clips/one-moment")).status_code == 204
    for answer in (await web.delete("/api/clips/one-moment"), await web.get("/api/clips/one-moment")):
        assert "no such clip" in error(answer, 404)


async def test_a_voice_may_say_a_clip(web: httpx.AsyncClient) -> None:
    wish = {"name": "hold", "text": "Please hold.", "provider": "elevenlabs", "voice": VOICE}
    answer = await web.post("/api/clips", json=wish)
    assert answer.status_code == 201
    assert answer.json()["text"] == "Please hold."
    assert answer.json()["seconds"] > 0.3


BAD_CLIPS: list[tuple[dict[str, Any], int, str]] = [
    ({"data": {"name": "../x"}, "files": {"file": ("a.wav", WAV)}}, 400, "name"),
    ({"data": {"name": "x"}, "files": {"other": ("a.wav", WAV)}}, 400, "no file"),
    ({"data": {"name": "x"}, "files": {"file": ("a.wav", b"")}}, 400, "no WAV"),
    ({"data": {"name": "x"}, "files": {"file": ("a.wav", encoded("wav_8000", 61.0))}}, 400, "60 seconds"),
    ({"json": {"name": "X", "text": "Hi."}}, 400, "name"),
    ({"json": {"name": "x"}}, 400, "text"),
    ({"json": []}, 400, "body"),
    ({"content": b"{"}, 400, "body"),
    ({"json": {"name": "x", "text": "Hi.", "provider": "acme"}}, 404, "no voice provider"),
]


async def test_what_is_no_clip_is_refused(web: httpx.AsyncClient) -> None:
    for wish, status, reason in BAD_CLIPS:
        assert reason in error(await web.post("/api/clips", **wish), status)
        assert (await web.get("/api/clips")).json() == {"clips": []}


# Each person's own coach.


async def test_desk_settings_are_each_persons_own_and_partly_set(web: httpx.AsyncClient) -> None:
    usual = {
        "provider": "",
        "voice": "",
        "speed": 1.0,
        "volume": 1.0,
        "duck_db": -12.0,
        "auto_play": True,
        "mute": False,
    }
    assert (await web.get("/api/desk/settings")).json() == {"coach": usual}
    wish = {"coach": {"speed": 1.2, "mute": True, "provider": "elevenlabs"}}
    changed = {**usual, "speed": 1.2, "mute": True, "provider": "elevenlabs"}
    assert (await web.put("/api/desk/settings", json=wish)).json() == {"coach": changed}
    assert (await web.get("/api/desk/settings")).json() == {"coach": changed}


BAD_SETTINGS: list[tuple[dict[str, Any], int, str]] = [
    ({"coach": {"speed": 9}}, 400, "speed: a number between 0.5 and 2"),
    ({"coach": {"speed": True}}, 400, "speed"),
    ({"coach": {"volume": "loud"}}, 400, "volume"),
    ({"coach": {"duck_db": 3}}, 400, "duck_db"),
    ({"coach": {"mute": 1}}, 400, "mute: true or false"),
    ({"coach": {"voice": "a" * 129}}, 400, "voice"),
    ({"coach": {"pitch": 2}}, 400, "has no 'pitch'"),
    ({"coach": {"provider": "acme"}}, 404, "no voice provider 'acme'"),
    ({"coach": {"provider": 3}}, 404, "no voice provider"),
    ({"odd": 1}, 422, "odd"),
]


async def test_wrong_desk_settings_change_nothing(web: httpx.AsyncClient) -> None:
    for wish, status, reason in BAD_SETTINGS:
        before = (await web.get("/api/desk/settings")).json()
        assert reason in error(await web.put("/api/desk/settings", json=wish), status)
        assert (await web.get("/api/desk/settings")).json() == before
