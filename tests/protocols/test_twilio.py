"""Both sides of Twilio Media Streams: orders, formats, marks and epochs, and any bytes at all."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.base import OrderError
from offhook.protocols.twilio import (
    Connected,
    Digit,
    MarkReached,
    Media,
    Phase,
    Started,
    Stopped,
    TwilioStream,
)
from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia, TwilioPeer

SID = "MZ" + "0" * 32
ULAW = bytes(range(160))


def peer(**options: Any) -> TwilioPeer:
    return TwilioPeer("CA" + "1" * 32, SID, "AC" + "2" * 32, **options)


def streaming(other: TwilioPeer | None = None) -> TwilioStream:
    stream = TwilioStream()
    other = other or peer()
    stream.receive(other.connected())
    stream.receive(other.start())
    return stream


def dumps(message: object) -> bytes:
    return json.dumps(message).encode()


def media_message(**body: Any) -> bytes:
    payload = base64.b64encode(ULAW).decode()
    return dumps({"event": "media", "streamSid": SID, "media": {"payload": payload, **body}})


def start_message(**body: Any) -> bytes:
    return dumps({"event": "start", "start": {"streamSid": SID, "callSid": "CA1", **body}})


def test_a_whole_call_as_twilio_sends_it() -> None:
    twilio, stream = peer(parameters={"token": "t"}), TwilioStream()
    assert stream.receive(twilio.connected()) == Connected("1.0.0")
    assert stream.receive(twilio.start()) == Started(
        "CA" + "1" * 32, SID, "AC" + "2" * 32, {"token": "t"}, "ulaw", 8000, ("inbound",)
    )
    assert stream.receive(twilio.media(ULAW)) == Media(ULAW, 0, 1)
    assert stream.receive(twilio.media(ULAW)) == Media(ULAW, 20, 2)
    assert stream.receive(twilio.dtmf("5")) == Digit("5")
    assert stream.receive(twilio.stop()) == Stopped()
    assert stream.phase is Phase.STOPPED


@pytest.mark.parametrize("spaces", [(",", ":"), (", ", ": ")])
def test_the_spelling_of_a_media_message_does_not_matter(spaces: tuple[str, str]) -> None:
    stream, message = streaming(), json.loads(peer().media(ULAW, 1234))
    raw = json.dumps(message, separators=spaces)
    assert stream.receive(raw.encode()) == stream.receive(raw) == Media(ULAW, 1234, 1)
    reordered = json.dumps(dict(reversed(message.items())), separators=spaces)
    assert stream.receive(reordered.encode()) == Media(ULAW, 1234, 1)
    escaped = raw.replace("/", "\\/")
    assert stream.receive(escaped.encode()) == Media(ULAW, 1234, 1)


EVENTS = ["connected", "start", "media", "dtmf", "mark", "stop"]
GOOD = {
    Phase.NEW: {"connected": Phase.CONNECTED, "start": Phase.STREAMING},
    Phase.CONNECTED: {"start": Phase.STREAMING},
    Phase.STREAMING: {
        "media": Phase.STREAMING,
        "dtmf": Phase.STREAMING,
        "mark": Phase.STREAMING,
        "stop": Phase.STOPPED,
    },
    Phase.STOPPED: {},
}


def test_every_order_of_three_messages() -> None:
    for order in itertools.product(EVENTS, repeat=3):
        twilio, stream = peer(), TwilioStream()
        build = {
            "connected": twilio.connected,
            "start": twilio.start,
            "media": lambda twilio=twilio: twilio.media(ULAW),
            "dtmf": lambda twilio=twilio: twilio.dtmf("1"),
            "mark": lambda twilio=twilio: twilio.mark("m"),
            "stop": twilio.stop,
        }
        for event in order:
            phase = stream.phase
            after = GOOD[phase].get(event)
            if after is None:
                with pytest.raises(OrderError, match=event):
                    stream.receive(build[event]())
                assert stream.phase is phase, order
            else:
                stream.receive(build[event]())
                assert stream.phase is after, order


@pytest.mark.parametrize("event", ["media", "dtmf", "mark", "stop"])
def test_a_message_of_another_stream_is_refused(event: str) -> None:
    other = TwilioPeer("CA1", "MZother", "AC1")
    raw = {
        "media": other.media(ULAW),
        "dtmf": other.dtmf("1"),
        "mark": other.mark("m"),
        "stop": other.stop(),
    }[event]
    stream = streaming()
    with pytest.raises(OrderError, match="another stream"):
        stream.receive(raw)
    assert stream.phase is Phase.STREAMING


def test_counters_may_be_numbers_missing_repeated_or_out_of_order() -> None:
    stream = streaming()
    numbers = [
        stream.receive(media_message(chunk=chunk, timestamp=at))
        for chunk, at in [(5, 80), ("5", "80"), (3, 40), (900, 18_000)]
    ]
    assert [(m.chunk, m.timestamp_ms) for m in numbers if isinstance(m, Media)] == [
        (5, 80),
        (5, 80),
        (3, 40),
        (900, 18_000),
    ]
    assert stream.receive(media_message()) == Media(ULAW, 18_020, 0)
    assert stream.receive(media_message()) == Media(ULAW, 18_040, 0)


def test_the_outbound_track_is_ignored() -> None:
    stream = streaming()
    assert stream.receive(media_message(track="outbound")) is None
    assert stream.receive(media_message(track="inbound")) == Media(ULAW, 0, 0)


def test_unknown_events_are_ignored_at_any_time() -> None:
    stream = TwilioStream()
    assert stream.receive(dumps({"event": "novelty", "x": {}})) is None
    stream = streaming()
    assert stream.receive(dumps({"event": "novelty"})) is None
    assert stream.phase is Phase.STREAMING


PREFIX = peer().media(ULAW).decode().partition('"payload":"')[0] + '"payload":"'

BAD_MEDIA: list[bytes] = [
    media_message(payload="AA!!!AA=="),
    media_message(payload="AAA"),
    media_message(payload=7),
    media_message(timestamp="-1"),
    media_message(timestamp="9" * 30),
    media_message(chunk=[]),
    media_message(track="sideways"),
    media_message(track=1),
    dumps({"event": "media", "streamSid": SID, "media": "x"}),
    dumps({"event": "media", "streamSid": SID}),
    f'{PREFIX}AA==","x":"AAAA"}}}}x'.encode(),
    f'{PREFIX}A A="}}}}'.encode(),
    f'{PREFIX}AAAA"}}}}}}'.encode(),
    f'{PREFIX}\xff"}}}}'.encode("latin-1"),
    dumps({"event": "dtmf", "streamSid": SID, "dtmf": {"digit": "55"}}),
    dumps({"event": "mark", "streamSid": SID, "mark": {}}),
    dumps({"event": 5}),
    dumps({"event": "e" * 65}),
    dumps({}),
]


@pytest.mark.parametrize("raw", BAD_MEDIA, ids=range(len(BAD_MEDIA)))
def test_bad_messages_are_refused_and_leave_the_stream_usable(raw: bytes) -> None:
    stream = streaming()
    with pytest.raises(WireError):
        stream.receive(raw)
    assert stream.receive(peer().media(ULAW)) == Media(ULAW, 0, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"streamSid": None},
        {"streamSid": "MZ\u00e9"},
        {"streamSid": 'MZ"}'},
        {"streamSid": ""},
        {"callSid": 1},
        {"callSid": "C" * 65},
        {"tracks": "inbound"},
        {"tracks": [1]},
        {"tracks": ["inbound"] * 5},
        {"customParameters": []},
        {"customParameters": {"a": 1}},
        {"customParameters": {str(i): "" for i in range(101)}},
        {"mediaFormat": "mulaw"},
        {"mediaFormat": {"encoding": "audio/mp3", "sampleRate": 8000, "channels": 1}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 11025}},
        {"mediaFormat": {"sampleRate": "fast"}},
        {"mediaFormat": {"channels": 2}},
    ],
)
def test_a_bad_start_is_refused_and_a_good_one_may_follow(body: dict[str, Any]) -> None:
    stream = TwilioStream()
    with pytest.raises(WireError):
        stream.receive(start_message(**body))
    assert stream.phase is Phase.NEW
    assert isinstance(stream.receive(start_message()), Started)


def test_a_start_that_names_two_streams_is_refused() -> None:
    with pytest.raises(WireError, match="two streams"):
        TwilioStream().receive(
            dumps({"event": "start", "streamSid": "MZa", "start": {"streamSid": "MZb", "callSid": "CA1"}})
        )


def test_a_sparse_start_means_mulaw() -> None:
    started = TwilioStream().receive(start_message(mediaFormat={}))
    assert started == Started("CA1", SID)
    assert started.width == 1


@pytest.mark.parametrize(
    ("name", "encoding", "rate"),
    [
        ("audio/x-mulaw", "ulaw", 8000),
        ("audio/PCMU", "ulaw", 8000),
        ("audio/x-alaw", "alaw", 8000),
        ("audio/x-L16", "pcm16", 16000),
        ("audio/l16", "pcm16", 24000),
    ],
)
def test_other_formats_are_told(name: str, encoding: str, rate: int) -> None:
    stream = TwilioStream()
    started = stream.receive(peer(encoding=name, rate=rate).start())
    assert isinstance(started, Started)
    assert (started.encoding, started.rate) == (encoding, rate)


def test_half_a_sample_of_l16_is_refused_in_both_spellings() -> None:
    wide = peer(encoding="audio/x-L16", rate=16000)
    stream = streaming(wide)
    assert stream.receive(wide.media(bytes(640))) == Media(bytes(640), 0, 1)
    assert stream.receive(wide.media(bytes(640))) == Media(bytes(640), 20, 2)
    with pytest.raises(WireError, match="sample"):
        stream.receive(wide.media(bytes(641)))
    assert stream.receive(media_message(payload="AAA=")) == Media(b"\0\0", 40, 0)


def test_what_we_send_is_what_twilio_accepts() -> None:
    twilio = peer()
    stream = streaming(twilio)
    assert twilio.receive(stream.media(ULAW)) == PeerMedia(ULAW)
    assert twilio.receive(stream.media(b"")) == PeerMedia(b"")
    assert twilio.receive(stream.clear()) == PeerClear()
    assert isinstance(twilio.receive(stream.mark('na"me')), PeerMark)


def sent(twilio: TwilioPeer, raw: bytes) -> str:
    mark = twilio.receive(raw)
    assert isinstance(mark, PeerMark)
    return mark.name


def test_marks_that_a_clear_overtook_were_not_heard() -> None:
    twilio = peer()
    stream = streaming(twilio)
    before = [sent(twilio, stream.mark(name)) for name in ("a", "b")]
    assert stream.receive(twilio.mark(before[0])) == MarkReached("a", heard=True)
    stream.clear()
    after = sent(twilio, stream.mark("b"))
    assert stream.receive(twilio.mark(before[1])) == MarkReached("b", heard=False)
    assert stream.receive(twilio.mark(after)) == MarkReached("b", heard=True)


def test_marks_that_are_not_out_are_ignored() -> None:
    twilio = peer()
    stream = streaming(twilio)
    name = sent(twilio, stream.mark("a"))
    assert stream.receive(twilio.mark("a")) is None
    assert stream.receive(twilio.mark(name)) == MarkReached("a", heard=True)
    assert stream.receive(twilio.mark(name)) is None


def test_marks_that_never_return_do_not_pile_up() -> None:
    twilio = peer()
    stream = streaming(twilio)
    names = [sent(twilio, stream.mark("m")) for _ in range(1025)]
    assert stream.receive(twilio.mark(names[0])) is None
    assert stream.receive(twilio.mark(names[1])) == MarkReached("m", heard=True)


@given(st.lists(st.sampled_from(["mark", "clear", "return"]), max_size=30))
def test_a_mark_is_heard_exactly_when_no_clear_came_in_between(script: list[str]) -> None:
    twilio = peer()
    stream = streaming(twilio)
    out: list[tuple[str, str, int]] = []
    clears = 0
    for number, step in enumerate(script):
        if step == "mark":
            out.append((sent(twilio, stream.mark(f"m{number}")), f"m{number}", clears))
        elif step == "clear":
            stream.clear()
            clears += 1
        elif out:
            wire, name, epoch = out.pop(0)
            assert stream.receive(twilio.mark(wire)) == MarkReached(name, heard=epoch == clears)


EVENT = Connected | Started | Media | Digit | MarkReached | Stopped | None
SHAPES = st.fixed_dictionaries(
    {"event": st.sampled_from([*EVENTS, "other"])},
    optional={
        "streamSid": st.sampled_from([SID, "x", 3]),
        "start": st.dictionaries(
            st.sampled_from(["streamSid", "callSid", "tracks", "mediaFormat"]), st.text()
        ),
        "media": st.fixed_dictionaries(
            {}, optional={"payload": st.text(max_size=8), "timestamp": st.text(max_size=4) | st.integers()}
        ),
        "dtmf": st.dictionaries(st.just("digit"), st.text(max_size=2)),
        "mark": st.none() | st.dictionaries(st.just("name"), st.text()),
    },
)


@given(SHAPES.map(dumps) | st.binary(max_size=200) | st.text(max_size=100))
def test_anything_is_an_event_nothing_or_a_wire_error(raw: bytes | str) -> None:
    for stream in (TwilioStream(), streaming()):
        try:
            assert isinstance(stream.receive(raw), EVENT)
        except WireError:
            pass
    try:
        peer().receive(raw)
    except WireError:
        pass


def sid_last(raw: bytes) -> bytes:
    """The same media message in the other order of keys that Twilio documents."""
    mid = f'"streamSid":"{SID}",'.encode()
    assert mid in raw
    return raw.replace(mid, b"")[:-1] + b"," + mid[:-1] + b"}"


def test_the_hot_path_takes_both_orders_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = streaming()
    monkeypatch.setattr("offhook.protocols.twilio.parse_object", None)
    raw = peer().media(ULAW)
    assert stream.receive(raw) == stream.receive(sid_last(raw)) == Media(ULAW, 0, 1)


@given(st.binary(min_size=1, max_size=12), st.integers(0, 400), st.booleans())
def test_damaged_media_is_read_alike_by_both_paths(junk: bytes, place: int, last: bool) -> None:
    whole = peer().media(ULAW)
    raw = bytearray(sid_last(whole) if last else whole)
    raw[place : place + len(junk)] = junk
    outcomes = []
    for message in (bytes(raw), b" " + bytes(raw)):  # a leading space is valid JSON, and not the hot path
        try:
            outcomes.append(repr(streaming().receive(message)))
        except WireError as error:
            outcomes.append(type(error).__name__)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "message",
    [
        {"event": "stop", "streamSid": SID},
        {"event": "media", "streamSid": SID, "media": {"payload": ""}, "sequenceNumber": "1"},
        {"event": "media", "streamSid": SID, "media": {"payload": "", "track": "outbound"}},
        {"event": "media", "streamSid": SID, "media": {}},
        {"event": "media", "media": {"payload": ""}},
        {"event": "mark", "streamSid": SID, "mark": {"name": 1}},
        {"event": "clear", "streamSid": "MZother"},
        {"event": "clear"},
    ],
)
def test_the_peer_is_as_strict_as_twilio(message: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        peer().receive(dumps(message))
