"""Moonshine: its guards as pure functions, and the real model on speech, silence and noise."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, Encoding
from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech.stt import moonshine_model
from offhook.speech.stt.credible import audible, cut_points, plausible
from offhook.speech.stt.moonshine import MoonshineStt
from offhook.speech.stt.moonshine_model import MoonshineModel, Words

SECOND = 16_000
EVER_TRIED = "ever tried ever failed"


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ")


def hiss(seconds: float, db: float) -> np.ndarray:
    return (np.random.default_rng(2).standard_normal(int(seconds * SECOND)) * 10 ** (db / 20)).astype(
        np.float32
    )


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([5, 6, 7], [5, 6, 7]),
        ([9] * 11, [9] * 11),
        ([4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], [4, 9]),
        ([4, *[8, 9, 10] * 4], [4, 8, 9, 10]),
        ([*[1, 2, 3, 4, 5, 6] * 3], [1, 2, 3, 4, 5, 6] * 3),
        ([], []),
    ],
)
def test_a_loop_is_cut_to_one_round(tokens: list[int], expected: list[int]) -> None:
    assert moonshine_model._unlooped(tokens) == expected


def test_vocabulary_with_long_pieces() -> None:
    assert moonshine_model._pieces(b"\x02ab\x00" + bytes([128 + 72, 1]) + b"x" * 200) == [
        b"ab",
        b"",
        b"x" * 200,
    ]


def test_cuts_are_at_the_quietest_places_and_only_in_long_sound() -> None:
    sound = np.concatenate([hiss(10.0, -20), hiss(0.3, -70), hiss(12.0, -20), hiss(0.2, -70), hiss(4, -20)])
    first, second = cut_points(sound)
    assert 10.0 * SECOND <= first <= 10.3 * SECOND
    assert first + 8 * SECOND <= second <= first + 12 * SECOND
    assert cut_points(hiss(11.9, -20)) == []


def test_silence_is_not_audible_and_inventions_are_not_plausible() -> None:
    assert not audible(hiss(2, -70))
    assert not audible(np.zeros(10, np.float32))
    assert not audible(hiss(2, -20))
    assert audible(np.concatenate([hiss(0.1, -60), hiss(0.2, -40)]))
    assert plausible(Words("You", 0.95))
    assert not plausible(Words("You.", 0.65))
    assert plausible(Words("Thank you.", 0.65))
    assert not plausible(Words("Thank you.", 0.55))
    assert not plausible(Words("♪", 0.9))
    assert not plausible(Words("The first is the", 0.28))
    assert plausible(Words("Press four.", 0.55))


def test_without_weights_it_says_so(tmp_path) -> None:
    with pytest.raises(MissingModelError, match="cannot read"):
        MoonshineStt(tmp_path)


@pytest.mark.models
def test_a_batch_says_what_its_members_say_alone(
    model: MoonshineModel, reading: dict[int, np.ndarray]
) -> None:
    sound = reading[16_000].astype(np.float32) / 32768
    sounds = [sound[: int(end * SECOND)] for end in (9.9, 2.2, 0.1, 4.5)]
    alone = [next(model.words([one], lambda _: True))[1].text for one in sounds]
    together = dict(model.words(sounds, lambda _: True))
    assert [plain(together[n].text) for n in range(4)] == [plain(text) for text in alone]
    assert len(plain(alone[0]).split()) > 9
    assert list(dict(model.words(sounds[:2], lambda index: index == 1))) == [1]


@pytest.mark.models
@pytest.mark.parametrize("format", [PHONE, WIDEBAND])
async def test_it_hears_speech(stt: MoonshineStt, reading: dict[int, np.ndarray], format) -> None:
    audio = to_bytes(reading[format.rate], format.encoding)
    recognizer = stt.open(format, "en-US")
    recognizer.begin()
    for at in range(0, format.size(2800), format.size(20)):
        recognizer.push(audio[at : at + format.size(20)])
    first = await recognizer.finish()
    assert plain(first.text) == EVER_TRIED
    assert first.language == "en"
    assert first.confidence > 0.7
    assert await recognizer.finish() is first
    recognizer.push(audio[format.size(2800) :])
    whole = plain((await recognizer.finish()).text)
    assert whole.startswith(EVER_TRIED)
    assert whole.endswith("fail better")
    recognizer.begin()
    assert (await recognizer.finish()).text == ""
    await recognizer.close()


@pytest.mark.models
async def test_it_invents_nothing(stt: MoonshineStt) -> None:
    recognizer = stt.open(WIDEBAND, "en")
    hum = (0.1 * np.sin(np.arange(2 * SECOND) * 2 * np.pi * 50 / SECOND)).astype(np.float32)
    for sound in (hiss(2, -70), hiss(2, -45), hiss(1, -20), hum, np.zeros(8000, np.float32)):
        recognizer.begin()
        recognizer.push(to_bytes((sound * 32767).clip(-32768, 32767).astype(np.int16), Encoding.PCM16))
        assert (await recognizer.finish()).text == ""


@pytest.mark.models
async def test_partials_come_while_one_speaks_and_stop_with_a_drop(
    stt: MoonshineStt, reading: dict[int, np.ndarray]
) -> None:
    heard: list[str] = []
    arrived = asyncio.Event()

    def on_partial(text: str) -> None:
        heard.append(text)
        arrived.set()

    recognizer = stt.open(PHONE, "en", on_partial)
    audio = to_bytes(reading[8000][: 8000 * 3], Encoding.ULAW)
    recognizer.begin()
    recognizer.push(audio[:12_000])
    async with asyncio.timeout(5):
        await arrived.wait()
    assert plain(heard[0]).startswith("ever")
    recognizer.push(audio[12_000:])
    transcript = await recognizer.finish()
    assert EVER_TRIED in plain(transcript.text)
    count = len(heard)
    recognizer.push(audio)
    finishing = asyncio.ensure_future(recognizer.finish())
    await asyncio.sleep(0)
    recognizer.begin()
    assert (await finishing).text == ""
    recognizer.push(audio)
    finishing = asyncio.ensure_future(recognizer.finish())
    await asyncio.sleep(0)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    assert EVER_TRIED in plain((await recognizer.finish()).text)
    assert len(heard) == count


@pytest.mark.models
async def test_long_speech_is_settled_part_by_part(stt: MoonshineStt, reading: dict[int, np.ndarray]) -> None:
    audio = to_bytes(reading[8000], Encoding.ULAW) * 3
    recognizer = stt.open(PHONE, "")
    recognizer.begin()
    for at in range(0, len(audio), 1600):
        recognizer.push(audio[at : at + 1600])
        while recognizer._pending is not None:
            await asyncio.sleep(0.005)
    assert len(recognizer._audio) < PHONE.size(15_000)
    text = plain((await recognizer.finish()).text)
    assert text.count("fail better") == 3
    assert text.count(EVER_TRIED) == 3


@pytest.mark.models
async def test_other_languages_are_refused_and_a_closed_one_fails(stt: MoonshineStt) -> None:
    with pytest.raises(ProviderError, match="English only"):
        stt.open(PHONE, "es")
    recognizer = stt.open(PHONE, "en", lambda text: None)
    await stt.close()
    recognizer.begin()
    recognizer.push(b"\x00" * 8000)
    with pytest.raises(ProviderError, match="is closed"):
        await recognizer.finish()
