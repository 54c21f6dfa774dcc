"""Places and ends phone calls by Twilio's own SDK, in a thread with a deadline. Carries no sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from offhook.foundation.errors import MissingExtraError, ProviderError

_T = TypeVar("_T")
_HTTP_SECONDS = 8.0
_DEADLINE_SECONDS = 10.0
_EVENTS = ["initiated", "ringing", "answered", "completed"]
_MEANINGS = {
    20003: "the account SID or auth token is wrong",
    20404: "there is no such call any more",
    21210: "the from number is not verified",
    21211: "the number to call is not valid",
    21212: "the from number is not valid",
    21214: "the number to call cannot be reached",
    21215: "calls to that country are not enabled on the account",
    21219: "the number to call is not verified (trial account)",
    21220: "the call is over already",
}


class TwilioRest:
    """One account. `http_client` is for tests: a twilio.http.HttpClient of another kind.

    All methods raise ProviderError (MissingExtraError when the SDK is not installed).
    """

    def __init__(
        self, account_sid: str, auth_token: str, from_number: str, http_client: Any | None = None
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._from_number = from_number
        self._http_client = http_client
        self._made: Any | None = None

    async def call(self, to: str, voice_url: str, status_url: str, ring_seconds: int = 30) -> str:
        """Ring `to` (E.164); once answered, the vendor asks `voice_url`. Returns the vendor's call id."""

        def place() -> str:
            made = self._client().calls.create(
                to=to,
                from_=self._from_number,
                url=voice_url,
                method="POST",
                status_callback=status_url,
                status_callback_method="POST",
                status_callback_event=_EVENTS,
                timeout=ring_seconds,
            )
            return str(made.sid)

        return await self._run(place)

    async def hang_up(self, vendor_id: str) -> None:
        """End a call, also one that is still ringing."""

        def end() -> None:
            self._client().calls(vendor_id).update(status="completed")

        await self._run(end)

    def _client(self) -> Any:
        if self._made is None:
            try:
                from twilio.http.http_client import TwilioHttpClient
                from twilio.rest import Client
            except ImportError:
                raise MissingExtraError("twilio", "twilio") from None
            http = self._http_client or TwilioHttpClient(timeout=_HTTP_SECONDS)
            self._made = Client(self._account_sid, self._auth_token, http_client=http)
        return self._made

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await asyncio.to_thread(work)
        except ProviderError:
            raise
        except TimeoutError:
            raise ProviderError("twilio", "did not answer in time") from None
        except Exception as error:
            # The SDK's messages may carry phone numbers and URLs: only codes are passed on.
            raise _reason(error) from None


def _reason(error: Exception) -> ProviderError:
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if status is None:
        return ProviderError("twilio", "could not be reached")
    meaning = _MEANINGS.get(code, "refused the request") if code is not None else "refused the request"
    retryable = status == 429 or status >= 500
    return ProviderError("twilio", f"{meaning} (status {status}, code {code})", retryable=retryable)
