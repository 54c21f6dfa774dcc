"""Cartesia's voices over HTTP, checked against the `cartesia` package's types."""

from __future__ import annotations

from typing import Any

from cartesia.types import TTSGenerateParams
from tests.fakes.http_vendor import Asked, HttpVendor, Refused, Told
from tests.fakes.sdk_types import NotInSdk, check_dict, prepare
from tests.fakes.voice import encoded, seconds_for

KEY = "sk_car_test"
VOICE = "a0e99841-438c-4a64-b679-ae501e7d6091"
_NAMES = {"pcm_s16le": "pcm", "pcm_mulaw": "ulaw", "pcm_alaw": "alaw"}


class FakeCartesia(HttpVendor):
    """Knows one voice."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self._route, **options)
        prepare(TTSGenerateParams)

    def _route(self, asked: Asked) -> Told:
        if asked.headers.get("x-api-key") != KEY and asked.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, _error("invalid_api_key", "Invalid credentials"))
        if not asked.headers.get("cartesia-version", "").startswith("20"):
            raise Refused(400, _error("missing_version", "Cartesia-Version"))
        match asked.method, asked.path:
            case "GET", "/voices":
                return Told(b'{"data": [], "has_more": false}')
            case "POST", "/tts/bytes":
                return self._speak(asked.json)
        raise Refused(404, _error("not_found", asked.path))

    def _speak(self, body: Any) -> Told:
        try:
            check_dict(TTSGenerateParams, body)
        except NotInSdk as error:
            raise Refused(400, _error("invalid_request", str(error))) from error
        voice = body["voice"] if isinstance(body["voice"], str) else body["voice"]["id"]
        if voice != VOICE:
            raise Refused(404, _error("voice_not_found", voice))
        wanted = body["output_format"]
        name = f"{_NAMES[wanted['encoding']]}_{wanted['sample_rate']}"
        return Told(encoded(name, seconds_for(body["transcript"])), "audio/pcm")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error_code": code, "title": code, "message": message, "request_id": "r"}
