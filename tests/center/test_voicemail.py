"""Voicemail by the receptionist that needs no keys: the message is taken, nothing else is done."""

from __future__ import annotations

import pytest

from offhook.center.voicemail import voicemail
from offhook.foundation.events import LegKind
from offhook.settings.demo import demo_agent
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall
from offhook.speech.llm.receptionist import Receptionist


@pytest.mark.leaks("the model's threads stay for the process")
async def test_a_message_is_taken() -> None:
    desk, agent = Receptionist(), voicemail(demo_agent(), {})
    chat = desk.open(agent)
    messages, calls = [Message(LegKind.AGENT, agent.greeting)], []
    for line in (
        "This is John Smith.",
        "555 014 2233",
        "Please call me about the broken window.",
        "Yes, please.",
    ):
        messages.append(Message(LegKind.CALLER, line))
        said = ""
        async for part in chat.reply(ChatRequest(agent, messages)):
            if isinstance(part, TextDelta):
                said += part.text
            else:
                calls.append(part)
        messages.append(Message(LegKind.AGENT, said))
    await desk.close()
    wanted = {
        "name": "John Smith",
        "phone": "5550142233",
        "message": "Please call me about the broken window.",
    }
    assert calls == [ToolCall("take_message", wanted)]
