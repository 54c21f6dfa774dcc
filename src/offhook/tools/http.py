"""HTTP tools: one request to one service, from a template. No redirects, no retries, no inner addresses."""

from __future__ import annotations

import json
from dataclasses import asdict
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from offhook.foundation.errors import RefusedError
from offhook.foundation.tools import ToolSpec
from offhook.tools.base import Rules, Tool, ToolContext, ToolError
from offhook.tools.outward import PinnedTransport
from offhook.tools.template import PLACE, Template

MAX_BYTES = 1 << 20
CONNECT_S = 5.0
_REFUSAL_CHARS = 500
_WITH_BODY = ("POST", "PUT", "PATCH")
_log = structlog.get_logger(__name__)


class HttpService:
    """The connection behind one HTTP tool."""

    def __init__(self, template: Template, allow_private: bool = False) -> None:
        self._template = template
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=4)
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(allow_private, limits),
            timeout=httpx.Timeout(30.0, connect=CONNECT_S),
            headers={"user-agent": "offhook"},
            # Callers share the client: a cookie would be one caller's session in another one's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    def tool(self, spec: ToolSpec, rules: Rules) -> Tool:
        return Tool(spec, rules, self.run)

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> str:
        """The service's answer as text. Raises ToolError."""
        request = self._request(arguments, context)
        try:
            response = await self._client.send(request, stream=True)
            try:
                text = await _text(response)
            finally:
                await response.aclose()
        except RefusedError as error:
            raise ToolError(f"the service cannot be asked: {error.reason}") from None
        except (httpx.HTTPError, OSError) as error:
            _log.warning("a tool's service failed", error=type(error).__name__)
            raise ToolError("the service cannot be reached") from None
        if response.is_success:
            return text or "done"
        raise ToolError(f"the service answered with status {response.status_code}: {text[:_REFUSAL_CHARS]}")

    async def close(self) -> None:
        await self._client.aclose()

    def _request(self, arguments: dict[str, Any], context: ToolContext) -> httpx.Request:
        template = self._template
        places = _places(arguments, context)
        used = set(PLACE.findall(template.url))
        url = PLACE.sub(lambda match: _in_url(places.get(match.group(1), "")), template.url)
        rest = {name: value for name, value in arguments.items() if name not in used}
        for name, text in template.fixed.items():
            rest[name] = PLACE.sub(lambda match: str(places.get(match.group(1), "")), text)
        build = self._client.build_request
        headers = dict(template.headers)
        if template.method not in _WITH_BODY:
            merged = httpx.URL(url).copy_merge_params({name: _plain(value) for name, value in rest.items()})
            return build(template.method, merged, headers=headers)
        if template.form:
            form = {name: _plain(value) for name, value in rest.items()}
            return build(template.method, url, data=form, headers=headers)
        return build(template.method, url, json=rest, headers=headers)


def _places(arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
    known = {f"call.{name}": value for name, value in asdict(context).items()}
    return {**arguments, **known, "call.id": context.call_id}


def _in_url(value: Any) -> str:
    """A value as one segment of a path, or one value of a query; never a step up."""
    text = quote(_plain(value), safe="")
    if text.strip(".") == "":
        raise ToolError("an argument that goes into the address is empty or made of dots")
    return text


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _text(response: httpx.Response) -> str:
    """The answer's text, at most MAX_BYTES of it. Raises ToolError."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ToolError("the service answered with more than it may")
    try:
        text = bytes(body).decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:  # it names an encoding that there is not
        text = bytes(body).decode("utf-8", "replace")
    if "json" in response.headers.get("content-type", ""):
        try:
            return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return text
    return text
