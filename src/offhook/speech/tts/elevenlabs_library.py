"""Voices of an ElevenLabs account: listed, and instantly cloned from recordings. Speaks with none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from offhook.foundation.errors import ProviderError
from offhook.speech.http import Endpoint
from offhook.speech.library import Clone, Voice

LIST_S = 3.0
CLONE_S = 60.0
_PAGE = 50
_MOST_PAGES = 10
_CLONED = ("cloned", "professional")


async def library(endpoint: Endpoint) -> list[Voice]:
    """All voices of the account, page by page (`GET /v2/voices`). Raises ProviderError."""
    found: list[Voice] = []
    token = ""
    for _ in range(_MOST_PAGES):
        params = {"page_size": str(_PAGE), "include_total_count": "false"}
        if token:
            params["next_page_token"] = token
        page = await endpoint.get("/v2/voices", params, seconds=LIST_S)
        voices = page.get("voices")
        if not isinstance(voices, list):
            raise ProviderError(endpoint.provider, "did not answer with voices")
        found += [voice for item in voices if (voice := _voice(endpoint.provider, item)) is not None]
        token = str(page.get("next_page_token") or "")
        if not token or not page.get("has_more"):
            break
    return found


async def clone(
    endpoint: Endpoint, name: str, samples: Sequence[tuple[str, bytes]], description: str
) -> Clone:
    """A new voice (`POST /v1/voices/add`), asked for once: it costs a place. Raises ProviderError."""
    fields = {"name": name, "description": description, "remove_background_noise": "false"}
    files = [("files", (file, data, "application/octet-stream")) for file, data in samples]
    made = await endpoint.post_form(
        "/v1/voices/add", fields, files, seconds=CLONE_S, subject="this recording"
    )
    voice = made.get("voice_id")
    if not isinstance(voice, str) or not voice:
        raise ProviderError(endpoint.provider, "did not name the new voice")
    return Clone(voice, made.get("requires_verification") is True)


def _voice(provider: str, item: Any) -> Voice | None:
    if not isinstance(item, dict) or not isinstance(item.get("voice_id"), str):
        return None
    labels = item.get("labels")
    language = labels.get("language") if isinstance(labels, dict) else None
    return Voice(
        item["voice_id"],
        str(item.get("name") or item["voice_id"])[:128],
        language[:8] if isinstance(language, str) else "",
        provider,
        item.get("category") in _CLONED,
    )
