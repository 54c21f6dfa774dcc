"""The browser's protocol: each message of docs/browser-protocol.md, orders, and any bytes at all."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.base import KindError, OrderError, SizeError
from offhook.protocols.browser import (
    Audio,
    BrowserReader,
    BrowserWriter,
    Codec,
    Control,
    Digit,
    End,
    MarkEcho,
    Mute,
    Ping,
    Start,
    Stats,
    Text,
    message,
)

PCM = bytes(range(256)) * 2 + bytes(128)


def dumps(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


def frame(codec: int = 1, payload: bytes = PCM, at_ms: int = 0) -> bytes:
    return struct.pack("<BBHI", codec, 0, 0, at_ms) + payload


def started() -> BrowserReader:
    reader = BrowserReader()
    reader.receive_text(dumps("start"))
    return reader


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({}, Start()),
        ({"version": 1, "agent": None}, Start()),
        (
            {"agent": "sales", "codec": "opus", "audio": False, "token": "t", "resume": "r"},
            Start("sales", Codec.OPUS, False, "t", "r"),
        ),
    ],
)
def test_a_start_may_leave_out_all_but_its_type(fields: dict[str, Any], start: Start) -> None:
    assert BrowserReader().receive_text(dumps("start", **fields)) == start


@pytest.mark.parametrize(
    "fields",
    [
        {"codec": "mp3"},
        {"audio": 1},
        {"agent": 5},
        {"agent": "a" * 65},
        {"token": "t" * 4097},
        {"version": "x"},
    ],
)
def test_a_bad_start_is_refused_and_a_good_one_may_follow(fields: dict[str, Any]) -> None:
    reader = BrowserReader()
    with pytest.raises(WireError):
        reader.receive_text(dumps("start", **fields))
    assert reader.receive_text(dumps("start")) == Start()


def test_another_version_is_a_kind_that_is_not_understood() -> None:
    with pytest.raises(KindError, match="version 1"):
        BrowserReader().receive_text(dumps("start", version=2))


@pytest.mark.parametrize(
    ("raw", "control"),
    [
        (dumps("text", text="  hello\nthere\x00 "), Text("hello there")),
        (dumps("text", text=" \n "), None),
        (dumps("text", text="x" * 2000), Text("x" * 2000)),
        (dumps("dtmf", digit="a"), Digit("A")),
        (dumps("mute", muted=True), Mute(True)),
        (dumps("mark", name="1:m"), MarkEcho("1:m")),
        (dumps("ping", id=7), Ping(7)),
        (dumps("stats", round_trip_ms=12.5, jitter_ms=3, underruns=1), Stats(12.5, 3.0, 1)),
        (dumps("stats"), Stats(0.0, 0.0, 0)),
        (dumps("end"), End()),
        (dumps("novelty", x=[1]), None),
    ],
)
def test_each_message_of_the_page(raw: bytes, control: Control | None) -> None:
    assert started().receive_text(raw) == control


@pytest.mark.parametrize(
    "raw",
    [
        dumps("text"),
        dumps("text", text="x" * 2001),
        dumps("dtmf", digit="E"),
        dumps("mute", muted="yes"),
        dumps("mark", name="x" * 1025),
        dumps("ping", id=-1),
        dumps("ping", id=1.5),
        dumps("stats", jitter_ms=-1),
        b'{"type":7}',
        b"{}",
        b"[]",
    ],
)
def test_bad_messages_are_refused_and_leave_the_reader_usable(raw: bytes) -> None:
    reader = started()
    with pytest.raises(WireError):
        reader.receive_text(raw)
    assert reader.receive_text(dumps("ping", id=1)) == Ping(1)


def test_start_comes_first_and_once_and_nothing_after_the_end() -> None:
    reader = BrowserReader()
    with pytest.raises(OrderError, match="first"):
        reader.receive_text(dumps("text", text="early"))
    with pytest.raises(OrderError, match="first"):
        reader.receive_audio(frame())
    reader.receive_text(dumps("start"))
    with pytest.raises(OrderError, match="second"):
        reader.receive_text(dumps("start"))
    reader.receive_text(dumps("end"))
    for receive, raw in ((reader.receive_text, dumps("end")), (reader.receive_audio, frame())):
        with pytest.raises(OrderError, match="after the end"):
            receive(raw)


def test_audio_says_its_codec_and_time() -> None:
    reader = started()
    assert reader.receive_audio(frame(at_ms=4_000_000_000)) == Audio(Codec.PCM16, PCM, 4_000_000_000)
    assert reader.receive_audio(frame(2, b"\x01", 20)) == Audio(Codec.OPUS, b"\x01", 20)
    assert len(reader.receive_audio(frame(payload=bytes(6_400))).payload) == 6_400


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", WireError),
        (frame(payload=b""), WireError),
        (frame(payload=b"123"), WireError),
        (frame(payload=bytes(6_402)), SizeError),
        (frame(2, bytes(1_501)), SizeError),
        (frame(0), KindError),
        (frame(3), KindError),
    ],
)
def test_bad_audio_is_refused(raw: bytes, error: type[WireError]) -> None:
    with pytest.raises(error):
        started().receive_audio(raw)


def test_audio_down_counts_its_position_within_the_epoch() -> None:
    writer = BrowserWriter()
    assert writer.audio(Codec.PCM16, PCM, 320) == frame()
    assert writer.audio(Codec.PCM16, PCM, 330) == frame(at_ms=20)
    assert writer.audio(Codec.OPUS, b"x", 320) == frame(2, b"x", 40)
    assert json.loads(writer.clear()) == {"type": "clear", "epoch": 1}
    assert writer.audio(Codec.PCM16, PCM, 320) == struct.pack("<BBHI", 1, 0, 1, 0) + PCM


def test_the_epoch_wraps_at_16_bits() -> None:
    writer = BrowserWriter()
    for _ in range(65_537):
        writer.clear()
    assert writer.epoch == 1
    assert writer.audio(Codec.PCM16, b"", 0) == struct.pack("<BBHI", 1, 0, 1, 0)


def echo(writer: BrowserWriter, raw: bytes) -> tuple[str, bool] | None:
    return writer.returned(MarkEcho(json.loads(raw)["name"]))


def test_marks_know_clears_and_reconnections() -> None:
    writer = BrowserWriter()
    heard, cleared = writer.mark("a"), writer.mark("b")
    assert echo(writer, heard) == ("a", True)
    writer.clear()
    assert echo(writer, cleared) == ("b", False)
    lost = writer.mark("c")
    writer.reconnect()
    assert echo(writer, lost) is None
    assert writer.epoch == 2


def test_started_tells_how_to_come_back() -> None:
    raw = BrowserWriter().started("call_1", "secret", Codec.OPUS, "default", resumed=True)
    assert json.loads(raw) == {
        "type": "started",
        "call_id": "call_1",
        "resume": "secret",
        "codec": "opus",
        "agent": "default",
        "resumed": True,
        "epoch": 0,
    }


def test_messages_are_utf8() -> None:
    assert message("notice", text="é") == '{"type":"notice","text":"é"}'.encode()


KINDS = ["start", "text", "dtmf", "mute", "mark", "ping", "stats", "end", "other"]
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False)
FIELDS = st.dictionaries(
    st.sampled_from(["version", "text", "digit", "muted", "name", "id", "codec"]), VALUES
)


@given(
    st.tuples(st.sampled_from(KINDS), FIELDS).map(
        lambda both: json.dumps({"type": both[0], **both[1]}).encode()
    )
    | st.binary(max_size=100)
    | st.text(max_size=50)
)
def test_any_text_is_a_control_nothing_or_a_wire_error(raw: bytes | str) -> None:
    for reader in (BrowserReader(), started()):
        try:
            assert isinstance(reader.receive_text(raw), Control | None)
        except WireError:
            pass


@given(st.binary(max_size=64))
def test_any_binary_is_audio_or_a_wire_error(raw: bytes) -> None:
    try:
        assert isinstance(started().receive_audio(raw), Audio)
    except WireError:
        pass
