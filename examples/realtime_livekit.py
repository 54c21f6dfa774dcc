"""LiveKit's OpenAI Realtime client, pointed at Offhook: a spoken conversation, a tool, transcript and timing.

pip install livekit-plugins-openai; offhook serve; python examples/realtime_livekit.py
The caller's questions are spoken by Offhook's own voice (`/v1/audio/speech`). No LiveKit server is needed.
"""

from __future__ import annotations

import argparse
import asyncio
import time

import aiohttp
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai.realtime import RealtimeModel
from openai import AsyncOpenAI
from openai.types.realtime import AudioTranscription

RATE = 24_000
QUESTIONS = ("What are your opening hours?", "Where are you located?")


class Call:
    """Prints what the session tells, and knows how long the agent will speak."""

    def __init__(self, session: llm.RealtimeSession) -> None:
        self._session = session
        self._began = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self.silent_since = 0.0
        self.replies: asyncio.Queue[float] = asyncio.Queue()
        session.on("generation_created", self._generation)
        session.on("input_speech_started", lambda _: self._print("(the caller began to speak)"))
        session.on("input_speech_stopped", lambda _: self._print("(the caller's turn ended)"))
        session.on("input_audio_transcription_completed", self._words)
        session.on("error", lambda error: self._print(f"error: {error}"))

    def _print(self, what: str) -> None:
        print(f"{(time.monotonic() - self._began) * 1000:7.0f} ms  {what}", flush=True)

    def _words(self, event: llm.InputTranscriptionCompleted) -> None:
        if event.is_final:
            self._print(f"caller: {event.transcript}")

    def _generation(self, event: llm.GenerationCreatedEvent) -> None:
        task = asyncio.create_task(self._listen(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, event: llm.GenerationCreatedEvent) -> None:
        async for message in event.message_stream:
            samples = 0
            async for frame in message.audio_stream:
                if not samples and self.silent_since:
                    wait = (time.monotonic() - self.silent_since) * 1000
                    self._print(f"(first sound, {wait:.0f} ms after the caller fell silent)")
                samples += frame.samples_per_channel
            text = "".join([str(part) async for part in message.text_stream])
            self._print(f"agent:  {text} ({samples / RATE:.1f} s of sound)")
            self.replies.put_nowait(samples / RATE)

    async def say(self, pcm: bytes) -> None:
        """Speak in real time."""
        frame = RATE // 50
        due = time.monotonic()
        for at in range(0, len(pcm), frame * 2):
            piece = pcm[at : at + frame * 2].ljust(frame * 2, b"\0")
            self._session.push_audio(rtc.AudioFrame(piece, RATE, 1, frame))
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def main(url: str, key: str, model: str) -> int:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as client:
        spoken = []
        for text in QUESTIONS:
            answer = await client.audio.speech.create(
                model="offhook", voice="", input=text, response_format="pcm"
            )
            spoken.append(answer.content)
    async with aiohttp.ClientSession() as http:
        realtime = RealtimeModel(
            base_url=f"{url}/v1",
            api_key=key,
            model=model,
            voice="marin",
            input_audio_transcription=AudioTranscription(model="gpt-transcribe"),
            http_session=http,
        )
        session = realtime.session()
        call = Call(session)
        await session.update_instructions("You are the receptionist.")
        session.generate_reply()
        replies = [await asyncio.wait_for(call.replies.get(), 10)]
        await asyncio.sleep(replies[0])
        for pcm in spoken:
            await call.say(pcm)
            call.silent_since = time.monotonic()
            silence = asyncio.create_task(call.say(bytes(RATE * 2 * 12)))
            replies.append(await asyncio.wait_for(call.replies.get(), 10))
            await asyncio.sleep(replies[-1])  # hear it to its end
            silence.cancel()
        await session.aclose()
        await realtime.aclose()
    return 0 if len(replies) == len(QUESTIONS) + 1 else 1


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8080")
    options.add_argument("--key", default="any")
    options.add_argument("--model", default="default")
    chosen = options.parse_args()
    raise SystemExit(asyncio.run(main(chosen.url, chosen.key, chosen.model)))
