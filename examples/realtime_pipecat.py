"""Pipecat's OpenAI Realtime service, pointed at Offhook: a spoken conversation, transcript and timing.

pip install 'pipecat-ai[openai,websocket]'; offhook serve; python examples/realtime_pipecat.py
The caller's questions are spoken by Offhook's own voice (`/v1/audio/speech`).
"""

from __future__ import annotations

import argparse
import asyncio
import time

from openai import AsyncOpenAI
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

RATE = 24_000
QUESTIONS = ("What are your opening hours?", "How much is a haircut?")


class Log(FrameProcessor):
    """Prints what goes past it, with the time since the start."""

    def __init__(self, began: float, side: str) -> None:
        super().__init__()
        self._began = began
        self._side = side
        self.silent_since = 0.0
        self._heard_bytes = 0
        self.answered = asyncio.Event()
        self.audio_ms = 0.0

    def _print(self, what: str) -> None:
        print(f"{(time.monotonic() - self._began) * 1000:7.0f} ms  {what}", flush=True)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case TranscriptionFrame() if self._side == "up":
                self._print(f"caller: {frame.text}")
            case InterruptionFrame() if self._side == "down":
                self._print("(interruption)")
            case TTSTextFrame() if self._side == "down":
                self._print(f"agent:  {frame.text}")
            case TTSAudioRawFrame() if self._side == "down":
                if not self._heard_bytes and self.silent_since:
                    wait = (time.monotonic() - self.silent_since) * 1000
                    self._print(f"(first sound, {wait:.0f} ms after the caller fell silent)")
                self._heard_bytes += len(frame.audio)
            case LLMFullResponseEndFrame() if self._side == "down":
                self.audio_ms = self._heard_bytes / RATE / 2 * 1000
                self._print(f"(the reply is complete: {self.audio_ms / 1000:.1f} s of sound)")
                self._heard_bytes = 0
                self.answered.set()
        await self.push_frame(frame, direction)


async def say(task: PipelineTask, pcm: bytes) -> None:
    """Speak into the pipeline in real time, then be silent."""
    frame = RATE // 50 * 2
    due = time.monotonic()
    for at in range(0, len(pcm), frame):
        piece = pcm[at : at + frame].ljust(frame, b"\0")
        await task.queue_frame(InputAudioRawFrame(audio=piece, sample_rate=RATE, num_channels=1))
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
    audio = events.AudioConfiguration(
        input=events.AudioInput(
            transcription=events.InputAudioTranscription(), turn_detection=events.SemanticTurnDetection()
        ),
        output=events.AudioOutput(voice="marin"),
    )
    llm = OpenAIRealtimeLLMService(
        api_key=key,
        base_url=url.replace("http", "ws", 1) + "/v1/realtime",
        settings=OpenAIRealtimeLLMService.Settings(
            model=model, session_properties=events.SessionProperties(audio=audio)
        ),
    )
    began = time.monotonic()
    up, down = Log(began, "up"), Log(began, "down")
    task = PipelineTask(
        Pipeline([up, llm, down]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )

    async def converse() -> int:
        await task.queue_frame(LLMContextFrame(LLMContext(messages=[])))  # the agent speaks first
        answered = 0
        for pcm in (b"", *spoken):
            down.answered.clear()
            if pcm:
                await say(task, pcm)
                down.silent_since = time.monotonic()
            silence = asyncio.create_task(say(task, bytes(RATE * 2 * 12)))
            try:
                async with asyncio.timeout(12):
                    await down.answered.wait()
                answered += 1
                await asyncio.sleep(down.audio_ms / 1000)  # hear it to its end
            finally:
                silence.cancel()
        await task.queue_frame(EndFrame())
        return answered

    answers = asyncio.create_task(converse())
    await PipelineRunner(handle_sigint=False).run(task)
    return 0 if await answers == len(QUESTIONS) + 1 else 1


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8080")
    options.add_argument("--key", default="any")
    options.add_argument("--model", default="default")
    chosen = options.parse_args()
    raise SystemExit(asyncio.run(main(chosen.url, chosen.key, chosen.model)))
