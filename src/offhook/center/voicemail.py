"""Makes of an agent one that takes a message and does nothing else. Takes none itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from offhook.foundation.agent import Agent

LINES: Mapping[str, str] = {
    "en": "Nobody can take your call right now, but I can take a message. What is your name, please?",
    "ar": "لا يستطيع أحد الرد على مكالمتك الآن، ويمكنني أخذ رسالة. ما اسمك من فضلك؟",
}
_TASK = (
    "Nobody can take this call, and you only take a message. Ask for the caller's name, phone number and "
    "what it is about, read it back, keep it with take_message, say goodbye, then hang up. Promise nothing "
    "else."
)


def voicemail(agent: Agent, lines: Mapping[str, str]) -> Agent:
    """`lines` are the house's own by language; where there is none, the shipped one, else the agent's."""
    spoken = {**LINES, **lines}
    phrases = {
        code: replace(own, greeting=spoken.get(code, own.greeting)) for code, own in agent.phrases.items()
    }
    return replace(
        agent,
        greeting=spoken.get(agent.language, agent.greeting),
        phrases=phrases,
        persona=f"{agent.persona}\n\n{_TASK}",
        hand_over="",
        takes_message=True,
        tools=[],
        facts=replace(agent.facts, booking=False, transfer_to=""),
    )
