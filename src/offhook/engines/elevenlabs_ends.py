"""Why a conversation with an ElevenLabs agent ended, in words that are safe to show. Judges; does nothing.

The vendor says it in three places: an error event, the code and the reason of the close, an HTTP status. Its
own sentences are judged here and never shown: they may quote prompts, variables and keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.protocols.elevenlabs_events import Failure

PROVIDER = "elevenlabs"
IN_ORDER = 1000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_QUOTED = re.compile(r"['\"`{]{1,2}([A-Za-z_][A-Za-z0-9_]{0,63})['\"`}]{1,2}")
_AGAIN = {
    "unknown",
    "websocket_disconnect",
    "llm_timeout",
    "transport_receive_timeout",
    "asyncio_timeout",
    "http_exception",
    "llm_error",
    "custom_llm_error",
    "cascade_brain_error",
    "asr_transcription_error",
    "vad_error",
    "turn_probability_error",
    "tts_cascade_error",
    "redis_timeout_error",
    "unknown_websocket_crash",
}
"""Error types that are accidents: another session may do better."""
_MEANS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"quota|credit|payment|billing", "spent"),
        (r"override", "override"),
        (r"dynamic.variable|missing_fields", "variable"),
        (r"max\w*.duration|duration.exceeded|too long", "duration"),
        (r"safety|moderat|policy.violation", "safety"),
        (r"concurren|rate.limit|too many|capacity|overload|busy", "busy"),
        (r"agent.*(does not exist|not found|unknown)|(no such|unknown).agent", "agent"),
        (r"authori[sz]|authenti|api.key|forbidden|permission|signature|expired|signed", "key"),
        (r"invalid_message|value_error", "message"),
    )
)


def ended(
    failure: Failure | None, code: int, said: str, fault: str, overrides: Sequence[str]
) -> ProviderError:
    """What an end means that was not in order. `code` and `said` are those of the vendor's close, 0 and empty
    where it just went, `fault` our own view of it; `overrides` are those that were asked for."""
    kind = failure.kind if failure is not None else ""
    words = f"{kind} {failure.text if failure is not None else ''} {said}".lower()
    meaning = "" if kind in _AGAIN else next((means for form, means in _MEANS if form.search(words)), "")
    match meaning:
        case "spent":
            return DeniedError(PROVIDER, "is over its spending limit")
        case "override":
            return UnfitError(PROVIDER, _override(overrides))
        case "variable":
            return UnfitError(PROVIDER, _variable(f"{failure.text if failure is not None else ''} {said}"))
        case "duration":
            return ProviderError(PROVIDER, "ended the call: the agent's longest duration", retryable=False)
        case "safety":
            return ProviderError(PROVIDER, "ended the call: its safety rules", retryable=False)
        case "busy":
            return BusyError(PROVIDER, "takes no more conversations now")
        case "agent":
            return UnfitError(PROVIDER, "does not know this agent; check AGENT_ID")
        case "key":
            return DeniedError(PROVIDER, "refused the key, or the agent is private and needs one")
        case "message":
            return UnfitError(PROVIDER, "did not accept what it was sent")
    return _unclear(kind, failure, code, fault)


def _unclear(kind: str, failure: Failure | None, code: int, fault: str) -> ProviderError:
    """An end that nothing explains: an accident, unless the vendor closed for its rules."""
    if _NAME.match(kind):
        return ProviderError(PROVIDER, f"failed ({kind})")
    if failure is not None:
        code = failure.code or code
        return ProviderError(PROVIDER, f"failed ({code})" if code else "failed", retryable=code != 1008)
    return ProviderError(PROVIDER, fault or "dropped the connection", retryable=code != 1008)


def _override(overrides: Sequence[str]) -> str:
    named = f" ({', '.join(overrides)})" if overrides else ""
    return (
        f"does not allow an override{named}: allow it in the agent's security settings, or take it out of "
        "elevenlabs.overrides"
    )


def _variable(said: str) -> str:
    names = list(dict.fromkeys(_QUOTED.findall(said)))[:8]
    named = f" ({', '.join(names)})" if names else ""
    return f"needs a dynamic variable that the call does not have{named}; see elevenlabs.variables"
