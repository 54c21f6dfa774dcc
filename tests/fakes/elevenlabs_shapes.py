"""The client's messages to an ElevenLabs agent, as strict as `@elevenlabs/types` 0.23.0 and the SDK."""

from __future__ import annotations

from typing import Any, Literal

from elevenlabs.types import ConversationInitiationClientDataRequestInput
from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr, TypeAdapter, ValidationError

_LANGUAGES = """
    en ja zh de hi fr ko pt pt-br it es id nl tr pl sv bg ro ar cs el fi ms da ta uk ru hu hr sk no vi tl af
    hy as az be bn bs ca et gl ka gu ha he is ga jv kn kk ky lv lt lb mk ml mr ne ps fa pa sr sd sl so sw te
    th ur cy
"""
LANGUAGES = frozenset(_LANGUAGES.split())


class WrongMessage(Exception):
    """No official client would have sent this."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class UserAudio(_Message):
    user_audio_chunk: StrictStr


class Pong(_Message):
    type: Literal["pong"]
    event_id: StrictInt


class UserMessage(_Message):
    type: Literal["user_message"]
    text: StrictStr | None = None
    rich_content_id: StrictStr | None = None


class UserActivity(_Message):
    type: Literal["user_activity"]


class UserFeedback(_Message):
    type: Literal["feedback"]
    event_id: StrictInt
    score: Literal["like", "dislike"] | None


class ClientToolResult(_Message):
    type: Literal["client_tool_result"]
    tool_call_id: StrictStr
    result: StrictStr
    is_error: StrictBool


class McpToolApprovalResult(_Message):
    type: Literal["mcp_tool_approval_result"]
    tool_call_id: StrictStr
    is_approved: StrictBool


class ContextualUpdate(_Message):
    type: Literal["contextual_update"]
    text: StrictStr
    context_id: StrictStr | None = None


_LATER: TypeAdapter[Any] = TypeAdapter(
    UserAudio
    | Pong
    | UserMessage
    | UserActivity
    | UserFeedback
    | ClientToolResult
    | McpToolApprovalResult
    | ContextualUpdate
)


def check_initiation(message: dict[str, Any]) -> None:
    """The first message. Raises WrongMessage."""
    if message.get("type") != "conversation_initiation_client_data":
        raise WrongMessage("the first message is no conversation_initiation_client_data")
    body = {name: value for name, value in message.items() if name != "type"}
    try:
        read = ConversationInitiationClientDataRequestInput.model_validate(body)
    except ValidationError as error:
        raise WrongMessage(str(error)) from error
    # The SDK itself puts `text_only` one level too high when there is no audio interface.
    unknown = [name for name in _unknown(read) if name != "conversation_config_override.text_only"]
    if unknown:
        raise WrongMessage(f"the SDK does not know {', '.join(unknown)}")
    language = (body.get("conversation_config_override") or {}).get("agent", {}).get("language")
    if language is not None and language not in LANGUAGES:
        raise WrongMessage(f"{language!r} is no language of an agent")
    for name, value in (body.get("dynamic_variables") or {}).items():
        if not isinstance(value, str | int | float | bool):
            raise WrongMessage(f"the dynamic variable {name} is no plain value")


def check(message: dict[str, Any]) -> None:
    """Any message but the first. Raises WrongMessage."""
    try:
        _LATER.validate_python(message)
    except ValidationError as error:
        raise WrongMessage(str(error)) from error


def _unknown(model: BaseModel, where: str = "") -> list[str]:
    found = [f"{where}{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            found += _unknown(value, f"{where}{name}.")
    return found
