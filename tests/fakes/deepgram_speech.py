"""Deepgram's voices over HTTP, checked against the parameters of the `deepgram-sdk` package."""

from __future__ import annotations

from typing import Any

from deepgram.speak.v1.audio.raw_client import RawAudioClient
from tests.fakes.http_vendor import Asked, HttpVendor, Refused, Told
from tests.fakes.sdk_types import NotInSdk, check_call
from tests.fakes.voice import encoded, seconds_for

KEY = "deepgram-test-key"
_NAMES = {"linear16": "pcm", "mulaw": "ulaw", "alaw": "alaw"}
_TYPES = {"linear16": "audio/l16", "mulaw": "audio/mulaw", "alaw": "audio/alaw"}
_RATES = {"linear16": {8000, 16000, 24000, 32000, 48000}, "mulaw": {8000, 16000}, "alaw": {8000, 16000}}


class FakeDeepgram(HttpVendor):
    """`rate` overrides the rate that the sound really has, and that its type tells."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self._route, **options)
        self.rate = 0

    def _route(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"Token {KEY}":
            raise Refused(401, {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."})
        match asked.method, asked.path:
            case "GET", "/v1/projects":
                return Told(b'{"projects": []}')
            case "POST", "/v1/speak":
                return self._speak(asked)
        raise Refused(404, {"err_code": "NOT_FOUND", "err_msg": asked.path})

    def _speak(self, asked: Asked) -> Told:
        query: dict[str, Any] = dict(asked.query)
        try:
            if set(asked.json) != {"text"}:
                raise NotInSdk(f"body {sorted(asked.json)}")
            if "sample_rate" in query:
                query["sample_rate"] = float(query["sample_rate"])
            check_call(RawAudioClient.generate, {**query, **asked.json})
        except NotInSdk as error:
            raise Refused(400, {"err_code": "INVALID_QUERY_PARAMETER", "err_msg": str(error)}) from error
        encoding, rate = query.get("encoding", "mp3"), int(query.get("sample_rate", 24000))
        if rate not in _RATES.get(encoding, ()) or query.get("container") != "none":
            raise Refused(400, {"err_code": "UNSUPPORTED_AUDIO_FORMAT", "err_msg": f"{encoding} at {rate}"})
        if len(asked.json["text"]) > 2000:
            raise Refused(413, {"err_code": "PAYLOAD_TOO_LARGE", "err_msg": "text"})
        sound = encoded(f"{_NAMES[encoding]}_{self.rate or rate}", seconds_for(asked.json["text"]))
        return Told(sound, f"{_TYPES[encoding]};rate={self.rate or rate}")
