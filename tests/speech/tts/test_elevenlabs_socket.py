"""ElevenLabs' voices by WebSocket against a fake on a real socket: warm connections, contexts, faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.fakes.elevenlabs_speech import KEY, VOICE, FakeElevenLabsSocket, SocketFault
from tests.fakes.voice import encoded, seconds_for

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.tts import elevenlabs_wire
from offhook.speech.tts.elevenlabs_socket import ElevenLabsSocketTts
from offhook.speech.tts.http import Deadlines

PATIENT = Deadlines(connect=5.0, first_byte=5.0, progress=5.0)
HASTY = Deadlines(connect=5.0, first_byte=0.6, progress=0.4)


def voice(url: str, key: str = KEY, **options: Any) -> ElevenLabsSocketTts:
    return ElevenLabsSocketTts(key, url=url, **{"voice": VOICE, "deadlines": PATIENT, **options})


async def said(tts: ElevenLabsSocketTts, text: str, format: AudioFormat = PHONE) -> bytes:
    return b"".join([piece async for piece in tts.speak(text, "", "en", format)])


async def fails(tts: ElevenLabsSocketTts, text: str = "Hello there.") -> tuple[ProviderError, bytes]:
    heard = b""
    try:
        async for piece in tts.speak(text, "", "en", PHONE):
            heard += piece
    except ProviderError as error:
        return error, heard
    pytest.fail("it did not fail")


def sound(text: str, name: str = "ulaw_8000") -> bytes:
    return encoded(name, seconds_for(text))


async def test_clauses_share_a_warm_connection() -> None:
    async with FakeElevenLabsSocket().serving() as fake:
        tts = voice(fake.url)
        for text in ("Hello there.", "How are you?", "Goodbye."):
            assert await said(tts, text) == sound(text)
        assert len(fake.dialed) == 1
        assert fake.dialed[0]["output_format"] == "ulaw_8000"
        assert fake.dialed[0]["language_code"] == "en"
        assert await said(tts, "Wider.", WIDEBAND) == sound("Wider.", "pcm_16000")
        assert await said(tts, "…") == b""
        assert len(fake.dialed) == 2
        assert fake.refused == []
        await tts.close()


async def test_clauses_at_once_each_get_their_own_sound() -> None:
    texts = [f"This is line {'very ' * number}long." for number in range(8)]
    for text in texts:
        sound(text)
    async with FakeElevenLabsSocket(longest=200).serving() as fake:
        tts = voice(fake.url)
        await said(tts, "First.")
        assert await asyncio.gather(*(said(tts, text) for text in texts)) == [sound(text) for text in texts]
        assert fake.at_once == 5
        assert 2 <= len(fake.dialed) <= 4
        assert fake.refused == []
        await tts.close()


async def test_mp3_by_socket() -> None:
    async with FakeElevenLabsSocket().serving() as fake:
        tts = voice(fake.url, output_format="mp3_44100_64")
        assert len(await said(tts, "Hello there.")) >= len(sound("Hello there."))
        await tts.close()


async def test_a_listener_who_leaves_does_not_hurt_the_others() -> None:
    async with FakeElevenLabsSocket(longest=100).serving() as fake:
        tts = voice(fake.url)
        stream = tts.speak("A sentence that is interrupted.", "", "en", PHONE)
        await anext(stream)
        other = asyncio.create_task(said(tts, "Hello there."))
        await stream.aclose()
        assert await other == sound("Hello there.")
        assert await said(tts, "Again.") == sound("Again.")
        assert len(fake.dialed) == 1
        await tts.close()


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (SocketFault(drop=True), ProviderError, "lost the connection"),
        (SocketFault(drop=True, close="quota_exceeded"), DeniedError, "spending limit"),
        (SocketFault(drop=True, close="Wrong, sk_123"), ProviderError, r"closed the .* \(1008\)"),
        (SocketFault(stall=30.0), ProviderError, "too long"),
        (SocketFault(raw="not json"), ProviderError, "not JSON"),
        (SocketFault(raw="[1]"), ProviderError, "not a message"),
        (SocketFault(raw=b"\xff\xfe"), ProviderError, "not JSON"),
        (SocketFault(raw="x" * 2_000_000), ProviderError, "lost|too much"),
        (SocketFault(raw=json.dumps({"audio": "!!", "contextId": "c1"})), ProviderError, "base64"),
        (SocketFault(raw=json.dumps({"isFinal": True, "contextId": "c1"})), ProviderError, "no sound"),
        (SocketFault(raw=json.dumps({"error": "voice_id_does_not_exist"})), UnfitError, VOICE),
        (SocketFault(raw=json.dumps({"error": "system_busy"})), BusyError, "rate limit"),
        (SocketFault(raw=json.dumps({"error": {"key": "sk_1"}})), ProviderError, "reported an error$"),
    ],
)  # fmt: skip
async def test_faults_are_told(fault: SocketFault, kind: type[ProviderError], reason: str) -> None:
    async with FakeElevenLabsSocket(faults=[fault]).serving() as fake:
        tts = voice(fake.url, deadlines=HASTY if fault.stall else PATIENT)
        error, heard = await fails(tts)
        assert type(error) is kind
        with pytest.raises(ProviderError, match=reason):
            raise error
        assert "sk_1" not in error.reason
        assert heard == b""
        tts.deadlines = PATIENT
        assert await said(tts, "Again.") == sound("Again.")
        await tts.close()


async def test_sound_that_was_heard_stays_valid() -> None:
    fault = SocketFault(drop=True, after=2_000)
    async with FakeElevenLabsSocket(faults=[fault], longest=500).serving() as fake:
        tts = voice(fake.url)
        error, heard = await fails(tts, "A sentence that breaks off.")
        assert "lost the connection" in error.reason
        assert len(heard) >= 1_600
        assert sound("A sentence that breaks off.").startswith(heard)
        await tts.close()


async def test_a_warm_connection_that_dies_at_the_first_word_is_replaced() -> None:
    async with FakeElevenLabsSocket().serving() as fake:
        tts = voice(fake.url)
        await said(tts, "First.")
        fake.faults.append(SocketFault(drop=True))
        assert await said(tts, "Second.") == sound("Second.")
        assert len(fake.dialed) == 2
        for connection in fake.connections:
            await connection.close()
        assert await said(tts, "Third.") == sound("Third.")
        assert len(fake.dialed) == 3
        await tts.close()


async def test_a_connection_with_a_clause_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elevenlabs_wire, "_OVERDUE_SECONDS", 0.05)
    async with FakeElevenLabsSocket(faults=[SocketFault(stall=30.0)]).serving() as fake:
        tts = voice(fake.url, deadlines=HASTY)
        await fails(tts)
        tts.deadlines = PATIENT
        await asyncio.sleep(0.1)
        assert await said(tts, "Again.") == sound("Again.")
        assert len(fake.dialed) == 2
        await tts.close()


async def test_handshakes_that_fail() -> None:
    async with FakeElevenLabsSocket().serving() as fake:
        for tts, kind, reason in (
            (voice(fake.url, "wrong"), DeniedError, "refused the key"),
            (voice(fake.url, voice="nobody"), UnfitError, "'nobody'"),
            (voice(fake.url, model="nothing"), UnfitError, "'nothing'"),
            (voice(fake.url.replace("http:", "https:")), ProviderError, "cannot be reached|did not answer"),
        ):
            error, _ = await fails(tts)
            assert type(error) is kind
            with pytest.raises(ProviderError, match=reason):
                raise error
            await tts.close()
        fake.status = 429
        tts = voice(fake.url)
        error, _ = await fails(tts)
        assert isinstance(error, BusyError)
        assert error.after == 1.0
        await tts.close()
    nobody = voice("http://127.0.0.1:9")
    error, _ = await fails(nobody)
    assert "cannot be reached" in error.reason
    await nobody.close()
    error, _ = await fails(nobody)
    assert "is closed" in error.reason
