import struct

import numpy as np
import pytest
from audio_signals import encoded, sine, speech_like
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.audio import g711
from offhook.audio.decode import ClipDecoder, ClipKind, decode_clip
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.wav import wav_header, write_wav
from offhook.foundation.errors import WireError

VOICE = speech_like(24000, 0.5)
STEREO = np.stack((VOICE, VOICE // 2), axis=1)
CLIPS = {
    "mp3": (ClipKind.MP3, encoded("mp3", "libmp3lame", 24000, VOICE)),
    "mp3 stereo": (ClipKind.MP3, encoded("mp3", "libmp3lame", 24000, STEREO)),
    "mp3 bare": (
        ClipKind.MP3,
        encoded("mp3", "libmp3lame", 24000, VOICE, write_xing="0", id3v2_version="0"),
    ),
    "opus": (ClipKind.OGG_OPUS, encoded("ogg", "libopus", 24000, VOICE)),
    "opus stereo": (ClipKind.OGG_OPUS, encoded("ogg", "libopus", 24000, STEREO)),
    "wav": (ClipKind.WAV, encoded("wav", "pcm_s16le", 24000, VOICE)),
    "wav stereo": (ClipKind.WAV, encoded("wav", "pcm_s24le", 24000, STEREO)),
    "wav ulaw": (ClipKind.WAV, encoded("wav", "pcm_mulaw", 8000, VOICE[:4000])),
    "pcm": (ClipKind.PCM16, VOICE.tobytes()),
    "ulaw": (ClipKind.ULAW, g711.encode_ulaw(VOICE).tobytes()),
    "alaw": (ClipKind.ALAW, g711.encode_alaw(VOICE).tobytes()),
}


def cut(data, places):
    places = sorted(min(place, len(data)) for place in places)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def decoded(kind, pieces):
    decoder = ClipDecoder(kind, 24000)
    return np.concatenate([decoder.feed(piece) for piece in pieces] + [decoder.finish()])


@pytest.mark.parametrize("name", CLIPS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_clip_may_be_cut_anywhere(name, data):
    kind, clip = CLIPS[name]
    whole, _ = decode_clip(kind, clip, 24000)
    near = st.integers(0, 60) | st.integers(0, len(clip))
    assert np.array_equal(decoded(kind, cut(clip, data.draw(st.lists(near, max_size=30)))), whole)


@pytest.mark.parametrize("name", ["mp3", "opus", "wav", "mp3 stereo", "opus stereo"])
def test_byte_by_byte(name):
    kind, clip = CLIPS[name]
    whole, _ = decode_clip(kind, clip)
    assert np.array_equal(decoded(kind, [clip[i : i + 1] for i in range(len(clip))]), whole)


@pytest.mark.parametrize(
    ("name", "rate", "scale", "least"),
    [
        ("mp3", 24000, 1.0, 0.98), ("mp3 stereo", 24000, 0.75, 0.98), ("mp3 bare", 24000, 1.0, 0.98),
        ("opus", 48000, 1.0, 0.9), ("opus stereo", 48000, 0.75, 0.9), ("wav", 24000, 1.0, 1.0),
        ("wav stereo", 24000, 0.75, 1.0), ("pcm", 24000, 1.0, 1.0), ("ulaw", 24000, 1.0, 0.99),
    ],
)  # fmt: skip
def test_the_sound_is_what_went_in(name, rate, scale, least):
    kind, clip = CLIPS[name]
    samples, got = decode_clip(kind, clip, 24000)
    assert got == rate
    heard = samples[:: rate // 24000].astype(float)
    shifts = range(2500) if name == "mp3 bare" else range(-3, 4)
    best = 0.0
    for shift in shifts:
        there = heard[1000 + shift : 9000 + shift]
        here = VOICE[1000 : 1000 + len(there)].astype(float)
        best = max(best, float(np.dot(here, there) / np.linalg.norm(here) / np.linalg.norm(there)))
    assert best >= least - 1e-4
    ratio = np.linalg.norm(heard) / np.linalg.norm(VOICE.astype(float))
    assert ratio == pytest.approx(scale, rel=0.1)


def test_rate_is_unknown_until_the_clip_tells_it():
    decoder = ClipDecoder(ClipKind.MP3)
    assert decoder.rate == 0
    decoder.feed(CLIPS["mp3"][1])
    assert decoder.rate == 24000
    wav = ClipDecoder(ClipKind.WAV)
    assert wav.rate == 0
    assert len(wav.feed(b"RIFF")) == 0
    with pytest.raises(WireError, match="within its header"):
        wav.finish()


def test_clips_end_to_end():
    kind, clip = CLIPS["mp3 bare"]
    one, _ = decode_clip(kind, clip)
    two, _ = decode_clip(kind, clip + clip)
    assert len(two) == 2 * len(one)
    kind, clip = CLIPS["opus"]
    one, _ = decode_clip(kind, clip)
    two, _ = decode_clip(kind, clip + clip)
    assert np.array_equal(two, np.concatenate((one, one)))


def test_files_end_to_end_have_their_tags_skipped():
    kind, clip = CLIPS["mp3"]
    one, _ = decode_clip(kind, clip)
    two, _ = decode_clip(kind, clip + clip)
    assert 2 * len(one) - 576 <= len(two) <= 2 * len(one)
    tail = two[-len(one) + 2000 :].astype(float)
    assert np.corrcoef(tail, one[2000:])[0, 1] > 0.99


def test_an_info_word_in_the_sound_is_no_tag():
    kind, clip = CLIPS["mp3 bare"]
    length = len(decode_clip(kind, clip)[0])
    header = clip.index(clip[:2], 1000)
    marked = clip[: header + 10] + b"\x01\x01Info" + clip[header + 16 :]
    assert len(decode_clip(kind, marked)[0]) >= length - 2 * 576


def test_the_end_of_an_opus_clip_is_cut_as_its_last_page_says():
    kind, clip = CLIPS["opus"]
    last = clip.rindex(b"OggS")
    (granule,) = struct.unpack_from("<q", clip, last + 6)
    (pre_skip,) = struct.unpack_from("<H", clip, clip.index(b"OpusHead") + 10)
    assert len(decode_clip(kind, clip)[0]) == granule - pre_skip
    shorter = bytearray(clip)
    struct.pack_into("<q", shorter, last + 6, granule - 100)
    assert len(decode_clip(kind, bytes(shorter))[0]) == granule - pre_skip - 100


def test_a_lame_tag_takes_the_encoders_delay_off():
    _, clip = CLIPS["mp3"]
    at = clip.index(b"Info")
    flags = clip[at + 7]
    lame = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    assert clip[lame : lame + 4] in (b"LAME", b"Lavc", b"Lavf")
    delay = clip[lame + 21] << 4 | clip[lame + 22] >> 4
    kept = len(decode_clip(ClipKind.MP3, clip)[0])
    other = bytearray(clip)
    other[lame : lame + 4] = b"Else"
    assert len(decode_clip(ClipKind.MP3, bytes(other))[0]) == kept + delay + 529
    other[at + 4 : at + 8] = bytes(4)
    assert len(decode_clip(ClipKind.MP3, bytes(other))[0]) == kept + delay + 529


def test_id3_tags_are_skipped():
    kind, clip = CLIPS["mp3 bare"]
    plain, _ = decode_clip(kind, clip)
    body = bytes(300)
    size = bytes([0, 0, len(body) >> 7, len(body) & 127])
    tag = b"ID3\x04\x00\x00" + size + body
    footed = b"ID3\x04\x00\x10" + size + body + b"3DI\x04\x00\x10" + size
    for head in (tag, footed):
        assert np.array_equal(decode_clip(kind, head + clip)[0], plain)
        assert np.array_equal(decoded(kind, cut(head + clip, [2, 9, 200, 320])), plain)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (ClipKind.MP3, b"", "no MP3 audio"),
        (ClipKind.MP3, b"ID", "no MP3 audio"),
        (ClipKind.MP3, b'{"error":"quota"}' * 400, "MP3"),
        (ClipKind.OGG_OPUS, b"", "no Opus"),
        (ClipKind.OGG_OPUS, b"<html>", "not Ogg"),
        (ClipKind.OGG_OPUS, CLIPS["opus"][1].replace(b"OpusHead", b"SpeexXXX"), "not Ogg/Opus"),
        (ClipKind.WAV, b"<html>", "not a WAV"),
        (ClipKind.WAV, b"RIFF\x00\x00\x00\x00AVI ", "not a WAV"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(kind, data, reason):
    with pytest.raises(WireError, match=reason):
        decode_clip(kind, data)


def test_raw_audio_needs_a_rate():
    with pytest.raises(WireError, match="rate"):
        ClipDecoder(ClipKind.PCM16)


def test_too_many_bad_mp3_frames_end_the_clip():
    _, clip = CLIPS["mp3 bare"]
    good, _ = decode_clip(ClipKind.MP3, clip)
    few, _ = decode_clip(ClipKind.MP3, b"\x00" * 700 + clip)
    assert len(few) >= len(good) - 2 * 576
    header = clip[:4]
    other_layer = bytes([header[0], header[1] & 0xF9 | 0x06, *header[2:]])
    with pytest.raises(WireError, match="MP3"):
        decode_clip(ClipKind.MP3, (other_layer + b"\xff" * 92) * 200)


def test_an_mp3_keeps_its_rate():
    other = encoded("mp3", "libmp3lame", 16000, VOICE, write_xing="0", id3v2_version="0")
    with pytest.raises(WireError, match="rate changes"):
        decode_clip(ClipKind.MP3, CLIPS["mp3 bare"][1] + other)


def test_opus_packets_before_a_head_are_refused():
    _, clip = CLIPS["opus"]
    second = clip.index(b"OggS", 4)
    with pytest.raises(WireError, match="does not begin with its head"):
        decode_clip(ClipKind.OGG_OPUS, clip[second:])


@pytest.mark.parametrize("name", CLIPS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_gives_sound_or_a_wire_error(name, data):
    kind, clip = CLIPS[name]
    damaged = bytearray(clip)
    places = data.draw(st.lists(st.tuples(st.integers(0, len(clip) - 1), st.integers(0, 255)), max_size=40))
    for place, value in places:
        damaged[place] = value
    end = data.draw(st.integers(0, len(clip)))
    try:
        samples, _ = decode_clip(kind, bytes(damaged[:end]), 24000)
    except WireError:
        return
    assert samples.dtype == np.int16


def test_wav_streams():
    body = VOICE.tobytes()
    for size in (None, len(body)):
        clip = wav_header(AudioFormat(Encoding.PCM16, 24000), size) + body
        samples, rate = decode_clip(ClipKind.WAV, clip)
        assert rate == 24000
        assert np.array_equal(samples, VOICE)
    trailing = write_wav(VOICE, 24000) + b"LIST\x04\x00\x00\x00abcd"
    assert np.array_equal(decoded(ClipKind.WAV, cut(trailing, [50, 51, len(trailing) - 3])), VOICE)


def test_a_quiet_tone_stays_quiet():
    tone = sine(440, 24000, 0.3, 0.01)
    samples, _ = decode_clip(ClipKind.MP3, encoded("mp3", "libmp3lame", 24000, tone))
    assert 200 < np.abs(samples[2000:6000]).max() < 450
