"""Between LiveKit's native library and the event loop: the sound of many rooms without a task for each.

The SDK gives every event to every stream and every room of the process: with a hundred rooms each frame would
be looked at a hundred times, which an SDK for one room per process never meets. Here each event goes to whom
it concerns. Knows tracks and bytes; no rooms, no calls. Tied to the pinned version of the package livekit.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.rtc._ffi_client import FfiClient, FfiHandle, FfiQueue
from livekit.rtc._proto import audio_frame_pb2 as proto_audio
from livekit.rtc._proto import ffi_pb2 as proto

from offhook.audio.frame import AudioFormat, Encoding

RATE = 16_000
FORMAT = AudioFormat(Encoding.PCM16, RATE)
FRAME_MS = 20
QUEUE_MS = 400
"""What the native source holds at most; playback sends no more than 80 ms ahead."""
WAITING_MS = 2_000
PIECE_MS = 100
STUCK_S = 1.0
_FIRST_NUMBER = 1 << 48
"""Of our own requests; the SDK counts from 1."""

Heard = Callable[[bytes], None]


class Belt:
    """Carries what the library's threads give to one event loop: however much comes, it is woken once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._woken = False

    def put(self, to: Callable[[Any], None], what: Any) -> None:
        """Any thread."""
        self._waiting.append((to, what))
        if not self._woken:
            self._woken = True
            try:
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed: nobody listens any more
                self._waiting.clear()

    def _deliver(self) -> None:
        self._woken = False
        waiting = self._waiting
        for _ in range(len(waiting)):
            to, what = waiting.popleft()
            to(what)
        if waiting and not self._woken:
            self._woken = True
            self.loop.call_soon(self._deliver)


class Switch(FfiQueue[proto.FfiEvent]):
    """Stands where the SDK's own queue stood. Ears, mouths and rooms are told what is theirs; everything else
    goes the SDK's way."""

    def __init__(self, before: FfiQueue[proto.FfiEvent]) -> None:
        super().__init__()
        self._lock = before._lock
        self._subscribers = before._subscribers
        self._belt: Belt | None = None
        self._ears: dict[int, tuple[Belt, Heard]] = {}
        self._taken: dict[int, tuple[Belt, Callable[[str], None], bytes]] = {}
        self._rooms: dict[int, Any] = {}
        self._numbers = itertools.count(_FIRST_NUMBER)

    def belt(self) -> Belt:
        """The belt to the running loop."""
        loop = asyncio.get_running_loop()
        if self._belt is None or self._belt.loop is not loop:
            self._belt = Belt(loop)
        return self._belt

    def put(self, item: proto.FfiEvent) -> None:
        """On the library's threads."""
        kind = item.WhichOneof("message")
        if kind == "audio_stream_event":
            self._sound(item.audio_stream_event)
        elif kind == "capture_audio_frame":
            taken = self._taken.pop(item.capture_audio_frame.async_id, None)
            if taken is None:
                super().put(item)
            else:
                taken[0].put(taken[1], item.capture_audio_frame.error)
        elif kind == "room_event" and (queue := self._rooms.get(item.room_event.room_handle)) is not None:
            queue[0].call_soon_threadsafe(queue[1].put_nowait, item)  # in order with what goes the SDK's way
        else:
            super().put(item)

    def _sound(self, event: proto_audio.AudioStreamEvent) -> None:
        if not event.HasField("frame_received"):
            return
        owned = event.frame_received.frame
        info = owned.info
        found = self._ears.get(event.stream_handle)
        audio = b"" if found is None else ctypes.string_at(info.data_ptr, info.samples_per_channel * 2)
        FfiHandle(owned.handle.id).dispose()
        if found is not None:
            found[0].put(found[1], audio)

    # On the loop.

    def listen(self, stream: int, heard: Heard) -> None:
        self._ears[stream] = (self.belt(), heard)

    def deafen(self, stream: int) -> None:
        self._ears.pop(stream, None)

    def keep(self, room: rtc.Room) -> int:
        """From now on this room's events go to it alone; what to give to `let_go`."""
        handle = room._ffi_handle.handle if room._ffi_handle is not None else 0
        self._rooms[handle] = (asyncio.get_running_loop(), room._ffi_queue)
        return handle

    def let_go(self, room: int) -> None:
        self._rooms.pop(room, None)

    def capture(self, source: int, audio: bytes, rate: int, taken: Callable[[str], None]) -> None:
        """Give sound to a native source; `taken` gets an error, or nothing, once there is room for more."""
        request = proto.FfiRequest()
        wanted = request.capture_audio_frame
        wanted.source_handle = source
        address = ctypes.cast(ctypes.c_char_p(audio), ctypes.c_void_p).value
        wanted.buffer.data_ptr = address or 0
        wanted.buffer.sample_rate = rate
        wanted.buffer.num_channels = 1
        wanted.buffer.samples_per_channel = len(audio) // 2
        number = wanted.request_async_id = next(self._numbers)
        self._taken[number] = (self.belt(), taken, audio)  # the library reads it until it has answered
        FfiClient.instance.request(request)


def switch() -> Switch:
    """The process's switch; made, and put in its place, when it is first wanted."""
    client = FfiClient.instance
    logging.getLogger("livekit").setLevel(logging.ERROR)  # it warns of what is usual, at every call
    if not isinstance(client._queue, Switch):
        client._queue = Switch(client._queue)
    found = client._queue
    assert isinstance(found, Switch)
    return found


class Ear:
    """What one remote track sounds like: `heard` gets FRAME_MS of FORMAT at a time, on the loop."""

    def __init__(self, track: rtc.Track, heard: Heard) -> None:
        request = proto.FfiRequest()
        wanted = request.new_audio_stream
        wanted.track_handle = track._ffi_handle.handle
        wanted.sample_rate = RATE
        wanted.num_channels = 1
        wanted.frame_size_ms = FRAME_MS
        wanted.queue_size_frames = 25
        wanted.type = proto_audio.AudioStreamType.AUDIO_STREAM_NATIVE
        stream = FfiClient.instance.request(request).new_audio_stream.stream
        self._handle = FfiHandle(stream.handle.id)
        self._switch = switch()
        self._switch.listen(self._handle.handle, heard)

    def close(self) -> None:
        """Idempotent."""
        self._switch.deafen(self._handle.handle)
        self._handle.dispose()


class Mouth:
    """A track of our own to publish, and the sound that waits for it. Nothing here awaits."""

    def __init__(self) -> None:
        self.source = rtc.AudioSource(RATE, 1, QUEUE_MS)
        self.track = rtc.LocalAudioTrack.create_audio_track("agent", self.source)
        self._switch = switch()
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._most = FORMAT.size(WAITING_MS)
        self._piece = FORMAT.size(PIECE_MS)
        self._busy_since = 0.0
        self._closed = False
        self.lost = 0
        """Bytes that found no room."""

    def play(self, audio: bytes) -> None:
        """To be heard after what was played before; the oldest goes where too much waits."""
        if self._closed:
            return
        self._waiting += audio
        over = len(self._waiting) - self._most
        if over > 0:
            self.lost += over
            del self._waiting[:over]
        self._give()

    def clear(self) -> None:
        """Nothing of what was played is heard any more."""
        self._waiting.clear()
        if not self._closed:
            self.source.clear_queue()

    def close(self) -> None:
        """Idempotent."""
        if not self._closed:
            self._closed = True
            self._waiting.clear()
            self.source._ffi_handle.dispose()

    def _give(self) -> None:
        now = self._loop.time()
        if self._closed or not self._waiting or (self._busy_since and now - self._busy_since < STUCK_S):
            return
        audio = bytes(self._waiting[: self._piece])
        del self._waiting[: self._piece]
        self._busy_since = now
        self._switch.capture(self.source._ffi_handle.handle, audio, RATE, self._took)

    def _took(self, error: str) -> None:
        self._busy_since = 0.0
        self._give()
