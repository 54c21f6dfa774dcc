"""An operator of a live call, and a caller to try it with, on Offhook's `/ws/live` (docs/desk.md).

    pip install websockets; offhook serve
    python examples/live_operator.py --role caller       # begins the call "test123" and speaks a tone
    python examples/live_operator.py --role operator     # takes it over: hears the tone, tells what happens

Type a line as operator to have the agent's voice say it; `/back` hands the call back, `/join`, `/listen`,
`/take` change the stance, `/tell …` instructs the agent, `/end` hangs up. `--wav FILE` keeps what was heard.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import struct
import sys
import wave
from base64 import b64decode, b64encode
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

RATE = 16_000
PIECE = RATE // 50
STANCES = {"/join": "join", "/listen": "listen", "/take": "take_over", "/coach": "coach"}


def command(line: str) -> dict[str, Any] | None:
    """What a typed line asks for."""
    word, _, rest = line.strip().partition(" ")
    if word in STANCES:
        return {"type": "stance", "stance": STANCES[word]}
    if word == "/back":
        return {"type": "hand_back"}
    if word == "/tell":
        return {"type": "instruct", "text": rest}
    if word == "/end":
        return {"type": "end"}
    return {"type": "say", "text": line.strip()} if line.strip() else None


def shown(message: dict[str, Any]) -> str:
    """One line for the screen, or nothing."""
    match message["type"]:
        case "joined" | "mode":
            people = ", ".join(f"{seat['name']} ({seat['stance']})" for seat in message["seats"])
            return f"[{message['mode']}] {people}"
        case "transcript" if message["final"]:
            return f"{message['speaker']}: {message['text']}"
        case "ai_coaching" if message["recommended_audio"] is None:
            return f"coach [{message['warning_level']}] {message['intent']}: {message['text']}"
        case "error":
            return f"error: {message['reason']}"
        case "ended":
            return f"ended: {message['reason']}"
    return ""


class Live:
    """One client: sends a tone or silence in real time, keeps what it hears."""

    def __init__(self, socket: ClientConnection, hz: float) -> None:
        self._socket = socket
        self._hz = hz
        self.heard = bytearray()

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def speak(self) -> None:
        loop, at = asyncio.get_running_loop(), 0
        due = loop.time()
        while True:
            wave_at = (at + index for index in range(PIECE))
            tone = [int(6_000 * math.sin(2 * math.pi * self._hz * t / RATE)) for t in wave_at]
            audio = b64encode(struct.pack(f"<{PIECE}h", *tone)).decode()
            await self.send(type="audio", audio=audio, format="pcm16", sample_rate=RATE)
            at += PIECE
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def listen(self) -> None:
        async for raw in self._socket:
            message = json.loads(raw)
            if message["type"] == "audio":
                self.heard += b64decode(message["audio"])
            elif line := shown(message):
                print(line, flush=True)

    async def obey(self) -> None:
        """Do what is typed."""
        while line := await asyncio.to_thread(sys.stdin.readline):
            if (wish := command(line)) is not None:
                await self.send(**wish)


async def run(options: argparse.Namespace) -> None:
    query = f"call_id={options.call_id}&role={options.role}&sample_rate={RATE}"
    if options.stance:
        query += f"&stance={options.stance}"
    if options.token:
        query += f"&token={options.token}"
    async with connect(f"{options.url}/ws/live?{query}", compression=None, max_size=1 << 22) as socket:
        live = Live(socket, options.tone)
        tasks = [asyncio.create_task(live.speak())]
        if options.role != "caller":
            tasks.append(asyncio.create_task(live.obey()))
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(options.seconds or None):
                await live.listen()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(f"heard {len(live.heard) / 2 / RATE:.1f} s", flush=True)
    if options.wav:
        with wave.open(options.wav, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(bytes(live.heard))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="ws://127.0.0.1:8080")
    parser.add_argument("--call-id", default="test123")
    parser.add_argument("--role", default="operator", choices=["operator", "supervisor", "caller"])
    parser.add_argument("--stance", default="", choices=["", "listen", "coach", "join", "take_over"])
    parser.add_argument("--token", default="")
    parser.add_argument("--tone", type=float, default=440.0, help="Hz of what is sent; 0 is silence")
    parser.add_argument("--seconds", type=float, default=0.0, help="go after so long; 0: at the end")
    parser.add_argument("--wav", default="")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
