"""Requests to a vendor over one pool of warm connections: short retries, errors in plain words. No audio."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.refusals import find_code, refusal, retry_after

T = TypeVar("T")

_MOST_REFUSAL = 16_384
_MOST_JSON = 262_144
_REFUSAL_SECONDS = 0.5
_FIRST_PAUSE = 0.1
_KEEP_SECONDS = 300.0

FormFile = tuple[str, tuple[str, bytes, str]]
"""A file of a multipart form: the field's name, then the file's name, bytes and content type."""


class Endpoint:
    """One vendor's address, the headers of every request to it, and its pool of connections."""

    def __init__(
        self,
        provider: str,
        url: str,
        headers: Mapping[str, str],
        *,
        connect_seconds: float = 1.0,
        retry_seconds: float = 2.0,
        chance: Callable[[], float] = random.random,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Raises ProviderError for an address or a key that cannot be one."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ProviderError(provider, "its address must be an http(s) URL", retryable=False)
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise DeniedError(provider, "has a key with characters that no key has")
        self.provider = provider
        self.url = url.rstrip("/")
        self.host = parts.hostname
        self.retry_seconds = retry_seconds
        self._headers = dict(headers)
        self._chance = chance
        self._client = client or httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=connect_seconds, pool=connect_seconds),
            limits=httpx.Limits(
                max_connections=400, max_keepalive_connections=100, keepalive_expiry=_KEEP_SECONDS
            ),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def post(
        self,
        path: str,
        body: Any,
        *,
        deadline: float,
        params: Mapping[str, str] | None = None,
        subject: str = "the request",
    ) -> httpx.Response:
        """The open response to a JSON body; the caller closes it. Raises ProviderError for any refusal.

        `subject` names what a 404 or 400 may be about: "voice 'x' of model 'y'". It may be shown.
        What may pass (429, 5xx, a connection that breaks) is asked for again, but never after
        `retry_seconds` or the loop time `deadline`. The caller bounds the wait itself.
        """
        now = asyncio.get_running_loop().time
        last = min(now() + self.retry_seconds, deadline)
        tries = 0
        while True:
            tries += 1
            request = self._client.build_request(
                "POST", self.url + path, json=body, params=params, headers=self._headers
            )
            try:
                return await self._send(request, subject)
            except BusyError as error:
                pause = self._pause(error.after, tries)
                if now() + pause >= last:
                    raise
            except _Lost as error:
                pause = 0.0
                if tries > 1 or now() >= last:
                    raise ProviderError(self.provider, "closed the connection without an answer") from error
            await asyncio.sleep(pause)

    async def get(
        self, path: str, params: Mapping[str, str], *, seconds: float, subject: str = "the request"
    ) -> dict[str, Any]:
        """The JSON object at `path`, asked for once more when a warm connection had gone cold. Raises
        ProviderError for anything else, and after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._get(path, params, subject)
                except _Lost:
                    return await self._get(path, params, subject)
        except _Lost as error:
            raise ProviderError(self.provider, "closed the connection without an answer") from error
        except TimeoutError as error:
            raise ProviderError(self.provider, "did not answer in time") from error

    async def post_form(
        self,
        path: str,
        fields: Mapping[str, str],
        files: Sequence[FormFile],
        *,
        seconds: float,
        subject: str = "the request",
    ) -> dict[str, Any]:
        """The JSON object that a multipart form is answered with. Sent once: what it makes may have been
        made though the answer was lost. Raises ProviderError."""
        request = self._client.build_request(
            "POST", self.url + path, data=dict(fields), files=list(files), headers=self._headers
        )
        try:
            async with asyncio.timeout(seconds):
                return await self._json(await self._send(request, subject))
        except _Lost as error:
            raise ProviderError(self.provider, "closed the connection without an answer") from error
        except TimeoutError as error:
            raise ProviderError(self.provider, "did not answer in time") from error

    async def _get(self, path: str, params: Mapping[str, str], subject: str) -> dict[str, Any]:
        request = self._client.build_request("GET", self.url + path, params=params, headers=self._headers)
        return await self._json(await self._send(request, subject))

    async def _json(self, response: httpx.Response) -> dict[str, Any]:
        """The object that an open response holds, which is closed."""
        body = b""
        try:
            async for data in response.aiter_bytes():
                body += data
                if len(body) > _MOST_JSON:
                    raise ProviderError(self.provider, "answered at too great a length")
            found = json.loads(body)
        except httpx.HTTPError as error:
            raise _Lost from error
        except (ValueError, RecursionError) as error:
            raise ProviderError(self.provider, "did not answer with JSON") from error
        finally:
            await response.aclose()
        if not isinstance(found, dict):
            raise ProviderError(self.provider, "did not answer with a JSON object")
        return found

    async def probe(self, path: str, params: Mapping[str, str] | None = None) -> None:
        """Ask for something that costs nothing. Raises ProviderError when the vendor cannot be reached,
        refuses the key or is busy; any other answer means that it is there."""
        request = self._client.build_request("GET", self.url + path, params=params, headers=self._headers)
        try:
            response = await self._send(request, "the request")
        except _Lost as error:
            raise ProviderError(self.provider, "closed the connection without an answer") from error
        except UnfitError:
            return
        await response.aclose()

    def _pause(self, after: float, tries: int) -> float:
        """What the vendor asks for, or a doubling pause; neither at the same moment for all calls."""
        if after > 0:
            return after + _FIRST_PAUSE * self._chance()
        return float(_FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + self._chance()))

    async def _send(self, request: httpx.Request, subject: str) -> httpx.Response:
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            raise _Lost from error
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise ProviderError(self.provider, "cannot be reached") from error
        if response.is_success:
            return response
        code = await _code(response)
        after = retry_after(response.headers)
        raise refusal(self.provider, response.status_code, code, subject, after)


class _Lost(Exception):
    """The connection broke before an answer: most often one that the vendor closed while it was idle."""


async def _code(response: httpx.Response) -> str:
    """The vendor's own short name for what is wrong, or empty; its sentences may quote keys and texts."""
    body = b""
    try:
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(_REFUSAL_SECONDS):
                async for data in response.aiter_bytes():
                    body += data
                    if len(body) > _MOST_REFUSAL:
                        break
    finally:
        await response.aclose()
    try:
        return find_code(json.loads(body))
    except (ValueError, RecursionError):
        return ""


def need_key(provider: str, key: str) -> str:
    """The key; a missing one is a DeniedError that says which setting gives it."""
    if not key:
        raise DeniedError(provider, f"needs a key: set {provider}.api_key or {provider.upper()}_API_KEY")
    return key


async def timed(
    items: AsyncGenerator[T], provider: str, deadline: float, progress_seconds: float
) -> AsyncGenerator[T]:
    """The items: the first by `deadline` (loop time), the others within `progress_seconds` of the asking.

    Time that the reader takes does not count. Raises ProviderError when one is late.
    """
    now, first = asyncio.get_running_loop().time, True
    async with aclosing(items):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                late = "took too long to answer" if first else "stopped in the middle of its answer"
                raise ProviderError(provider, late) from error
            first = False
            yield item
            deadline = now() + progress_seconds
