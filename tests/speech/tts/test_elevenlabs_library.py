"""Voices of an ElevenLabs account, listed and cloned, against a fake that knows the SDK's own types."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.fakes.elevenlabs_speech import KEY, VOICE, FakeElevenLabs
from tests.fakes.http_vendor import Fault

from offhook.audio.frame import PHONE
from offhook.foundation.errors import BusyError, DeniedError, ProviderError
from offhook.speech.library import Clone, Library, Voice
from offhook.speech.tts.elevenlabs import ElevenLabsTts
from offhook.speech.tts.elevenlabs_socket import ElevenLabsSocketTts

SAMPLES = [("sample-1.wav", b"RIFF" + bytes(range(256))), ("sample-2.mp3", b"ID3\r\n--\r\n\x00")]


@pytest.fixture
async def vendor() -> AsyncIterator[FakeElevenLabs]:
    fake = FakeElevenLabs()
    async with fake.serving():
        yield fake


@pytest.fixture(params=[ElevenLabsTts, ElevenLabsSocketTts])
async def tts(request: pytest.FixtureRequest, vendor: FakeElevenLabs) -> AsyncIterator[ElevenLabsTts]:
    made = request.param(KEY, url=vendor.url)
    assert isinstance(made, Library)
    yield made
    await made.close()


async def test_all_pages_of_the_account_are_listed(tts: ElevenLabsTts, vendor: FakeElevenLabs) -> None:
    vendor.account |= {f"Voice{n:015d}": (f"Voice {n}", "professional") for n in range(120)}
    found = await tts.library()
    assert len(found) == 121
    assert found[0] == Voice(VOICE, "George", "en", "elevenlabs", cloned=False)
    assert found[120] == Voice("Voice000000000000119", "Voice 119", "en", "elevenlabs", cloned=True)
    assert len(vendor.asked) == 3


async def test_a_clone_is_made_of_the_very_bytes_and_is_listed(
    tts: ElevenLabsTts, vendor: FakeElevenLabs
) -> None:
    made = await tts.clone("Nadia (ops)", SAMPLES, "calm")
    assert made == Clone("Clone000000000000001", requires_verification=False)
    ((texts, files),) = vendor.clones
    assert texts == {"name": "Nadia (ops)", "description": "calm", "remove_background_noise": "false"}
    assert files == SAMPLES
    assert Voice(made.id, "Nadia (ops)", "en", "elevenlabs", cloned=True) in await tts.library()


async def test_a_clone_speaks(vendor: FakeElevenLabs) -> None:
    tts = ElevenLabsTts(KEY, url=vendor.url)
    made = await tts.clone("Nadia", SAMPLES, "")
    audio = b"".join([piece async for piece in tts.speak("Hello there.", made.id, "en", PHONE)])
    assert len(audio) > PHONE.size(300)
    await tts.close()


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (Fault(status=401, body={"detail": {"status": "invalid_api_key"}}), DeniedError, "refused the key"),
        (Fault(status=429, body={}), BusyError, "elevenlabs: "),
        (Fault(status=422, body={"detail": {"status": "bad_sample"}}), ProviderError, "bad_sample"),
        (Fault(hang_up=True), ProviderError, "closed the connection"),
        (Fault(replace=b"<html>"), ProviderError, "JSON"),
        (Fault(replace=b"[]"), ProviderError, "JSON object"),
        (Fault(replace=b"{}"), ProviderError, "did not name the new voice"),
        (Fault(cut=True, after=5), ProviderError, "closed the connection"),
    ],
)
async def test_a_clone_that_fails_is_asked_for_once(
    tts: ElevenLabsTts, vendor: FakeElevenLabs, fault: Fault, error: type[ProviderError], reason: str
) -> None:
    vendor.faults.append(fault)
    with pytest.raises(error, match=reason):
        await tts.clone("Nadia", SAMPLES, "")
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"voices": 3}', b"not json"])
async def test_a_list_that_is_none_is_an_error(
    tts: ElevenLabsTts, vendor: FakeElevenLabs, body: bytes
) -> None:
    vendor.faults.append(Fault(replace=body))
    with pytest.raises(ProviderError, match="did not answer with"):
        await tts.library()


async def test_odd_entries_are_passed_over(tts: ElevenLabsTts, vendor: FakeElevenLabs) -> None:
    odd = b'{"voices": [3, {}, {"voice_id": 4}, {"voice_id": "a", "labels": 3}], "has_more": true}'
    vendor.faults.append(Fault(replace=odd))
    assert await tts.library() == [Voice("a", "a", "", "elevenlabs")]


async def test_a_list_without_end_ends(tts: ElevenLabsTts, vendor: FakeElevenLabs) -> None:
    endless = b'{"voices": [], "has_more": true, "next_page_token": "0"}'
    vendor.faults.extend([Fault(replace=endless)] * 20)
    assert await tts.library() == []
    assert len(vendor.asked) == 10
