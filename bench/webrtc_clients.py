"""Callers by WebRTC (aiortc's own) or by the call socket, many in one process, for `webrtc.py`.

    python bench/webrtc_clients.py --url http://127.0.0.1:8080 --calls 25 --seconds 30 --json out.json

ICE, DTLS, SRTP and SCTP are aiortc's. Only its tasks and objects per packet are not used: one timer sends
for all callers, packets that were encoded before; what comes is unlocked, and told loud from silent by size.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aioice.ice
import httpx
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from pylibsrtp import Error as SrtpError
from websockets.asyncio.client import connect

from offhook.audio.libopus import LossyEncoder
from webrtc_caller import Caller, Voice

FRAME_S = 0.020
RATE = 16_000
SLOTS = 5
"""The callers are spread over the 20 ms."""
LOUD_BYTES = 10
"""An Opus packet of silence is smaller; of the scripted voice none is."""
UP_S = 20.0
BYE_S = 4.0
now = time.monotonic


def opus(sound: np.ndarray) -> list[bytes]:
    """Packets of 20 ms, of sound at 16 kHz: what a browser makes of it when it is asked for no more."""
    encoder = LossyEncoder(RATE)
    return [encoder.encode(piece) for piece in pcm(sound)]


def pcm(sound: np.ndarray) -> list[bytes]:
    raw = sound.astype("<i2").tobytes()
    return [raw[at : at + 640] for at in range(0, len(raw) - 639, 640)]


def told(caller: Caller, raw: str) -> None:
    """A message about the call."""
    message = json.loads(raw)
    match message["type"]:
        case "started":
            caller.up(now())
        case "transcript" if message["speaker"] == "caller" and message["final"]:
            caller.transcribed += 1
        case "ended":
            caller.ended = message["reason"]
        case "error":
            caller.error = caller.error or message["message"]


async def stay(caller: Caller) -> None:
    """Until the caller has hung up and was told so."""
    done = asyncio.Event()
    caller.hang_up = done.set
    await until(lambda: bool(caller.up_at), UP_S)
    await asyncio.wait_for(done.wait(), max(0.0, caller.until - now()) + 60)


async def told_the_end(caller: Caller) -> None:
    with contextlib.suppress(TimeoutError):
        await until(lambda: bool(caller.ended), BYE_S)


async def until(there: Callable[[], bool], seconds: float) -> None:
    """Raises TimeoutError."""
    for _ in range(int(seconds / 0.02)):
        if there():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("this did not happen in time")


class Nothing(MediaStreamTrack):
    """A microphone whose packets leave by another way: aiortc's own sender waits for it without end."""

    kind = "audio"

    async def recv(self) -> Any:
        await asyncio.Event().wait()


def take_media_early() -> None:
    """Sound goes to whoever the connection's `media` is, before aioice looks at it."""
    whole = aioice.ice.StunProtocol.datagram_received

    def received(self: Any, data: bytes, addr: Any) -> None:
        media = getattr(self.receiver, "media", None)
        if media is not None and 127 < data[0] < 192 and not 191 < data[1] < 224:
            media(data)
        else:
            whole(self, data, addr)

    aioice.ice.StunProtocol.datagram_received = received


async def by_webrtc(url: str, caller: Caller) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = connection.createDataChannel("offhook")
    channel.on("message", lambda raw: told(caller, raw))
    sender = connection.addTrack(Nothing())
    try:
        await connection.setLocalDescription(await connection.createOffer())
        hear(sender.transport, caller)
        async with httpx.AsyncClient(timeout=UP_S) as http:
            offer = {"type": "offer", "sdp": connection.localDescription.sdp}
            answer = (await http.post(f"{url}/api/webrtc/offer", json=offer)).raise_for_status().json()
        await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await until(lambda: connection.connectionState == "connected", UP_S)
        carry(connection, sender, caller)
        await stay(caller)
        channel.send(json.dumps({"type": "end"}))
        await told_the_end(caller)
    finally:
        caller.send = lambda frame: None
        await connection.close()


def hear(dtls: Any, caller: Caller) -> None:
    """What comes is unlocked and told; what came before the keys did, right after them."""
    early: list[bytes] = []

    def came(data: bytes) -> None:
        early.append(data)
        if dtls._rx_srtp is None:
            return
        while early:
            try:
                packet = dtls._rx_srtp.unprotect(early.pop(0))
            except SrtpError:
                continue
            if len(packet) - 12 - 4 * (packet[0] & 15) > LOUD_BYTES:
                caller.loud(FRAME_S, now())

    dtls.transport._connection.media = came


def carry(connection: Any, sender: Any, caller: Caller) -> None:
    """Frames become SRTP packets at once."""
    dtls = sender.transport
    pair = dtls.transport._connection._nominated[1]
    send, address, lock = pair.protocol.transport.sendto, pair.remote_addr, dtls._tx_srtp.protect
    payload_type = connection.getTransceivers()[0]._codecs[0].payloadType
    head, ssrc, count = struct.Struct("!BBHII").pack, sender._ssrc, 0

    def leave(frame: bytes) -> None:
        nonlocal count
        count += 1
        if not pair.protocol.transport.is_closing():
            packet = head(128, payload_type, count & 0xFFFF, count * 960 & 0xFFFF_FFFF, ssrc) + frame
            send(lock(packet), address)

    caller.send = leave


async def by_socket(url: str, caller: Caller, codec: str) -> None:
    address = url.replace("http", "ws") + "/media/browser"
    kind = 2 if codec == "opus" else 1
    async with connect(address, max_queue=None, compression=None) as socket:
        await socket.send(json.dumps({"type": "start", "version": 1, "codec": codec}))
        sent = 0
        write = socket.protocol.send_binary

        def leave(frame: bytes) -> None:
            nonlocal sent
            write(bytes([kind, 0, 0, 0]) + (sent * 20).to_bytes(4, "little") + frame)
            socket.send_data()
            sent += 1

        async def listen() -> None:
            async for raw in socket:
                if isinstance(raw, str):
                    if raw.startswith('{"type":"mark"'):
                        await socket.send(raw)
                    was_up = bool(caller.up_at)
                    told(caller, raw)
                    if caller.up_at and not was_up:
                        caller.send = leave
                elif raw[0] == 2 and len(raw) - 8 > LOUD_BYTES:
                    caller.loud(FRAME_S, now())
                elif raw[0] == 1 and any(raw[8:]):
                    caller.loud((len(raw) - 8) / 32_000, now())

        listening = asyncio.create_task(listen())
        try:
            await stay(caller)
            caller.send = lambda frame: None
            await socket.send(json.dumps({"type": "end"}))
            await told_the_end(caller)
        finally:
            listening.cancel()


class Ticks:
    """One timer for all callers; `late` has by how much each tick was, in seconds."""

    def __init__(self) -> None:
        self.slots: list[list[Caller]] = [[] for _ in range(SLOTS)]
        self.late: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._count = 0
        self._tick()

    def _tick(self) -> None:
        self.late.append(self._loop.time() - self._due)
        self._count += 1
        self._due += FRAME_S / SLOTS
        self._loop.call_at(self._due, self._tick)
        for caller in self.slots[self._count % SLOTS]:
            caller.tick(now())


async def one(way: Callable[[str, Caller], Any], url: str, caller: Caller) -> None:
    caller.began = now()
    try:
        await way(url, caller)
    except Exception as error:  # a call that fails is a result
        caller.error = caller.error or f"{type(error).__name__}: {error}"


async def run(given: argparse.Namespace) -> dict[str, Any]:
    voice = Voice.read(RATE, pcm if given.transport == "websocket-pcm" else opus)
    ways = {
        "webrtc": by_webrtc,
        "websocket-pcm": lambda url, caller: by_socket(url, caller, "pcm16"),
        "websocket-opus": lambda url, caller: by_socket(url, caller, "opus"),
    }
    gc.collect()
    gc.freeze()
    gc.disable()  # its pauses would be taken for the server's
    await asyncio.sleep(max(0.0, given.begin - now()))
    ticks, tasks = Ticks(), []
    for number in range(given.calls):
        caller = Caller(given.number + number, voice, given.until)
        ticks.slots[number % SLOTS].append(caller)
        tasks.append(asyncio.create_task(one(ways[given.transport], given.url, caller)))
        await asyncio.sleep(given.ramp)
    await asyncio.gather(*tasks)
    late = np.array(ticks.late) * 1000
    return {
        "late_p99_ms": round(float(np.percentile(late, 99)), 1),
        "late_most_ms": round(float(late.max()), 1),
        "late_over_20_ms": float((late > 20).mean()),
        "cpu_s": time.process_time(),
        "calls": [caller.result(given.greeting_s, given.reply_s) for slot in ticks.slots for caller in slot],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--number", type=int, default=0, help="of the first caller")
    parser.add_argument("--begin", type=float, default=0.0, help="monotonic time of the first call")
    parser.add_argument("--until", type=float, required=True, help="monotonic time of the hanging up")
    parser.add_argument("--ramp", type=float, default=0.1, help="seconds between two calls")
    parser.add_argument("--greeting-s", type=float, default=0.0, help="what a lone caller hears")
    parser.add_argument("--reply-s", type=float, default=0.0)
    parser.add_argument(
        "--transport", default="webrtc", choices=["webrtc", "websocket-pcm", "websocket-opus"]
    )
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    import uvloop

    take_media_early()
    given.json.write_text(json.dumps(uvloop.run(run(given))) + "\n")


if __name__ == "__main__":
    main()
