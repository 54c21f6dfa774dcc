"""A caller and a salon for tests of the receptionist."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from offhook.foundation.agent import Agent, Facts, Question, Service
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall
from offhook.speech.llm.receptionist import Receptionist, ReceptionistChat

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday
AGENT = Agent(
    greeting="Hello, Harbour Street Salon. How can I help you?",
    facts=Facts(
        business="Harbour Street Salon",
        about="We are a small hair salon.",
        address="12 Harbour Street",
        phone="555 0142",
        website="harbourstreet.example",
        hours={
            "monday": "closed",
            **dict.fromkeys(("tuesday", "wednesday", "thursday", "friday"), "09:00-18:00"),
            "saturday": "10:00-16:00",
            "sunday": "closed",
        },
        services=[
            Service("haircut", "35 dollars", 30),
            Service("colouring", "from 80 dollars", 90),
            Service("blow-dry", "25 dollars", 30),
            Service("beard trim", "", 15),
        ],
        questions=[
            Question(["where can I park", "is there parking"], "There is free parking behind the lighthouse.")
        ],
    ),
)


class Caller:
    """Talks with one receptionist and keeps what was heard."""

    def __init__(self, chat: ReceptionistChat, agent: Agent) -> None:
        self.chat, self.agent = chat, agent
        self.messages = [Message(LegKind.AGENT, agent.greeting)] if agent.greeting else []
        self.calls: list[ToolCall] = []

    async def say(self, text: str) -> str:
        self.messages.append(Message(LegKind.CALLER, text))
        answer, self.calls = "", []
        async for delta in self.chat.reply(ChatRequest(self.agent, self.messages)):
            if isinstance(delta, TextDelta):
                assert not self.calls, "speech comes before tools"
                answer += delta.text
            else:
                self.calls.append(delta)
        self.messages.append(Message(LegKind.AGENT, answer))
        return answer


def call(desk: Receptionist, **facts: Any) -> Caller:
    agent = replace(AGENT, facts=replace(AGENT.facts, **facts))
    return Caller(desk.open(agent), agent)
