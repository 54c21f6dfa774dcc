"""Has a language model fill in a form, once: structured output by a forced tool call. No conversation."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from offhook.foundation.errors import ProviderError
from offhook.foundation.tools import ToolCall, ToolSpec
from offhook.speech.base import TextDelta
from offhook.speech.llm import anthropic, prompt
from offhook.speech.llm.anthropic import Anthropic
from offhook.speech.llm.blocks import MessageAnswer
from offhook.speech.llm.chunks import Completion
from offhook.speech.llm.openai import OpenAi
from offhook.speech.llm.stream import Answer, Patience, Question, read

MAX_CHARS = 8_000
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """What is to be filled in: `spec.parameters` is the JSON schema; `system` are instructions, `text` is
    what it is about."""

    spec: ToolSpec
    system: str
    text: str
    max_tokens: int = 900


class FormFiller(Protocol):
    """A language model that fills in forms."""

    name: str

    async def fill(self, form: Form, seconds: float) -> ToolCall:
        """The form as the arguments of a call, not yet checked against its schema; `malformed` where it is
        no JSON object. Raises ProviderError, also when nothing comes for `seconds`."""

    async def close(self) -> None: ...


class OpenAiForms:
    """By OpenAI's interface. Servers that do not force calls may write the object as text."""

    def __init__(self, llm: OpenAi) -> None:
        self.name = llm.name
        self._llm = llm

    async def fill(self, form: Form, seconds: float) -> ToolCall:
        llm = self._llm
        messages = [{"role": "system", "content": form.system}, {"role": "user", "content": form.text}]
        question = llm.question(messages, prompt.tools([form.spec]))
        limit = {llm.limit: form.max_tokens + llm.thinking_tokens}
        choice = {"type": "function", "function": {"name": form.spec.name}}
        body = {**question.body, **limit, "tool_choice": choice}
        question = Question(question.path, body, question.subject)
        return await _filled(llm, question, Completion(llm.name), form, seconds)

    async def close(self) -> None:
        await self._llm.close()


class AnthropicForms:
    """By Anthropic's interface."""

    def __init__(self, llm: Anthropic) -> None:
        self.name = llm.name
        self._llm = llm

    async def fill(self, form: Form, seconds: float) -> ToolCall:
        llm = self._llm
        body: dict[str, Any] = {
            "model": llm.model,
            "max_tokens": form.max_tokens,
            "system": [{"type": "text", "text": form.system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": form.text}]}],
            "tools": anthropic.tools([form.spec]),
            "tool_choice": {"type": "tool", "name": form.spec.name},
            "stream": True,
        }
        question = Question("/v1/messages", body, f"model {llm.model!r}")
        return await _filled(llm, question, MessageAnswer(llm.name), form, seconds)

    async def close(self) -> None:
        await self._llm.close()


async def _filled(
    llm: OpenAi | Anthropic, question: Question, answer: Answer, form: Form, seconds: float
) -> ToolCall:
    said = ""
    pieces = read(llm.endpoint, question, answer, Patience(seconds, seconds, MAX_CHARS))
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                said += piece.text
            elif piece.name == form.spec.name:
                return piece
    if not said.strip():
        raise ProviderError(llm.name, "answered with nothing")
    return _written(form.spec.name, said)


def _written(name: str, said: str) -> ToolCall:
    """The object in a text, which may stand between marks or other words."""
    found = _OBJECT.search(said)
    try:
        value = json.loads(found.group()) if found else None
    except (ValueError, RecursionError):
        value = None
    return ToolCall(name, value) if isinstance(value, dict) else ToolCall(name, malformed=said)
