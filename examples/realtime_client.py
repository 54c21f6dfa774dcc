"""OpenAI's own SDK, pointed at Offhook: a spoken conversation with the local models, transcript and timing.

pip install openai websockets; offhook serve; python examples/realtime_client.py
The caller's questions are spoken by Offhook's own voice (`/v1/audio/speech`); `--wav` keeps the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import time
import wave
from base64 import b64decode, b64encode

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

RATE = 24_000
FRAME = RATE // 50 * 2
QUESTIONS = ("What are your opening hours?", "How much is a haircut?", "Where are you located?")


class Caller:
    """Speaks in real time, listens, and waits until what was answered would have been heard."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self._connection = connection
        self._began = time.monotonic()
        self._silent_since = 0.0
        self.heard = bytearray()
        self.waits: list[float] = []

    def _print(self, what: str) -> None:
        print(f"{(time.monotonic() - self._began) * 1000:7.0f} ms  {what}", flush=True)

    async def say(self, pcm: bytes) -> None:
        due = time.monotonic()
        for at in range(0, len(pcm), FRAME):
            await self._connection.input_audio_buffer.append(audio=b64encode(pcm[at : at + FRAME]).decode())
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def ask(self, pcm: bytes) -> None:
        """Say something, be silent, and hear the answer to its end."""
        await self.say(pcm)
        self._silent_since = time.monotonic()
        silence = asyncio.create_task(self.say(bytes(RATE * 2 * 10)))
        try:
            async with asyncio.timeout(10):
                await self.answer()
        finally:
            silence.cancel()

    async def answer(self) -> None:
        began = 0.0
        sound = 0
        async for event in self._connection:
            match event.type:
                case "input_audio_buffer.speech_started":
                    self._print(f"(speech began at {event.audio_start_ms} ms of what was sent)")
                case "input_audio_buffer.speech_stopped":
                    self._print(f"(the turn ended at {event.audio_end_ms} ms)")
                case "conversation.item.input_audio_transcription.completed":
                    self._print(f"caller: {event.transcript}")
                case "response.output_audio.delta":
                    if not began:
                        began = time.monotonic()
                        if self._silent_since:
                            self.waits.append((began - self._silent_since) * 1000)
                            self._print(
                                f"(first sound, {self.waits[-1]:.0f} ms after the caller fell silent)"
                            )
                    piece = b64decode(event.delta)
                    sound += len(piece)
                    self.heard += piece
                case "response.output_audio_transcript.done":
                    self._print(f"agent:  {event.transcript}")
                case "error":
                    self._print(f"error:  {event.error.message}")
                case "response.done":
                    seconds = sound / RATE / 2
                    self._print(f"(response {event.response.status}: {seconds:.1f} s of sound)")
                    await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
                    return


async def main(url: str, key: str, model: str, path: str) -> int:
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key=key)
    spoken = []
    for text in QUESTIONS:
        answer = await client.audio.speech.create(
            model="offhook", voice="", input=text, response_format="pcm"
        )
        spoken.append(answer.content)
    async with client.realtime.connect(model=model) as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {
                    "input": {
                        "transcription": {"model": "gpt-transcribe"},
                        "turn_detection": {"type": "semantic_vad"},
                    },
                    "output": {"voice": "marin"},
                },
            }
        )
        caller = Caller(connection)
        await connection.response.create()  # the agent speaks first
        await caller.answer()
        for pcm in spoken:
            await caller.ask(pcm)
    if path:
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(caller.heard)
    print(f"answered after {', '.join(f'{wait:.0f}' for wait in caller.waits)} ms")
    return 0 if len(caller.waits) == len(QUESTIONS) else 1


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8080")
    options.add_argument("--key", default="any")
    options.add_argument("--model", default="default")
    options.add_argument("--wav", default="", help="where to keep the answers")
    chosen = options.parse_args()
    raise SystemExit(asyncio.run(main(chosen.url, chosen.key, chosen.model, chosen.wav)))
