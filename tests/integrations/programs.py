"""A program on the official `elevenlabs` SDK as its users write them: one conversation, with callbacks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import Conversation, DisconnectionDetails
from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents

from offhook.integrations.elevenlabs import CallerAudioInterface, Door

GREETING = "Hi."


class Program:
    """A program as its users write them: one conversation, with callbacks."""

    def __init__(self, house: FakeAgents, audio: Any, **options: Any) -> None:
        self.agent_said: list[str] = []
        self.caller_said: list[str] = []
        self.ended = threading.Event()
        self.how: list[DisconnectionDetails] = []
        self.conversation = Conversation(
            ElevenLabs(api_key=KEY, base_url=house.url),
            AGENT,
            requires_auth=False,
            audio_interface=audio,
            callback_agent_response=self.agent_said.append,
            callback_user_transcript=self.caller_said.append,
            callback_disconnect=self._over,
            **options,
        )

    def _over(self, details: DisconnectionDetails) -> None:
        self.how.append(details)
        self.ended.set()


async def begun(house: FakeAgents, door: Door, **options: Any) -> tuple[Program, CallerAudioInterface]:
    """The next caller's conversation."""
    audio = await asyncio.to_thread(door.next_call, 3)
    program, before = Program(house, audio, **options), len(house.talks)
    await asyncio.to_thread(program.conversation.start_session)
    async with asyncio.timeout(3):
        while len(house.talks) == before:
            await asyncio.sleep(0.01)
    return program, audio


async def over(program: Program) -> DisconnectionDetails:
    assert await asyncio.to_thread(program.ended.wait, 3)
    await asyncio.to_thread(program.conversation.wait_for_session_end)
    return program.how[0]
