"""Offers and answers by HTTP: `/api/webrtc…` for pages, `/whip…` for WHIP (RFC 9725). Judges nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from offhook.channels.webrtc_sessions import Answered
from offhook.foundation.errors import ConflictError, WireError
from offhook.protocols.trickle import MEDIA_TYPE as FRAGMENT
from offhook.web.faults import responses
from offhook.web.gate import peer_of
from offhook.web.visitors import presented_key
from offhook.web.webrtc_door import RtcDoor

SDP = "application/sdp"
_METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
_HEADERS = "Authorization, Content-Type, If-Match"
_SHOWN = "Location, Link, ETag"
Opened = Callable[[Request], dict[str, str]]
"""Headers for a page that may call. Raises RefusedError for others."""


class RtcInfo(BaseModel):
    """Whether WebRTC is offered, and a caller's ICE servers."""

    offered: bool
    ice_servers: list[dict[str, Any]]


class RtcOffer(BaseModel):
    """A caller's offer: with the `session` of a call to go on with it, with a call `token` where one is
    wanted."""

    sdp: str
    type: Literal["offer"] = "offer"
    agent: str = Field(default="", max_length=64)
    token: str = Field(default="", max_length=4096)
    session: str = Field(default="", max_length=128)


class RtcAnswer(BaseModel):
    """Our answer. The call begins when the connection stands; `session` is the secret for what follows."""

    call_id: str
    session: str
    type: Literal["answer"] = "answer"
    sdp: str


def webrtc_routes(door: RtcDoor) -> APIRouter:
    """The routes, also where WebRTC is not offered: they say so."""
    routes = APIRouter(tags=["webrtc"])

    def opened(request: Request) -> dict[str, str]:
        return _cors(door.page(request.headers))

    @routes.get("/api/webrtc", response_model=RtcInfo, responses=responses(403))
    async def info(request: Request, response: Response) -> RtcInfo:
        """Whether calls by WebRTC are offered, and with which ICE servers."""
        response.headers.update(opened(request))
        return RtcInfo(offered=door.offered, ice_servers=door.servers())

    @routes.post(
        "/api/webrtc/offer",
        response_model=RtcAnswer,
        responses=responses(400, 403, 404, 413, 422, 429, 503),
    )
    async def offer(wish: RtcOffer, request: Request, response: Response) -> RtcAnswer:
        """Begin a call, or go on with one by another way."""
        response.headers.update(opened(request))
        peer = peer_of(request.scope)
        if wish.session:
            answered = await door.renew(wish.session, wish.sdp, peer)
        else:
            answered = await door.begin(wish.sdp, wish.agent, wish.token, peer)
        return RtcAnswer(call_id=answered.call_id, session=answered.session, sdp=answered.sdp)

    @routes.post(
        "/whip",
        status_code=201,
        response_class=Response,
        responses=responses(400, 403, 404, 413, 415, 429, 503),
        openapi_extra=_body(SDP),
    )
    async def whip(request: Request, agent: str = "") -> Response:
        """Begin a call with the offer in the body; a call token comes as the bearer."""
        extra = opened(request)
        token = presented_key(request.headers) or ""
        answered = await door.begin(await _text(request, SDP), agent[:64], token, peer_of(request.scope))
        return Response(answered.sdp, 201, {**extra, **_resource(answered, door.servers())}, SDP)

    for base in ("/api/webrtc", "/whip"):
        _session_routes(routes, door, opened, f"{base}/{{session}}")
    for path in ("/api/webrtc", "/api/webrtc/offer", "/api/webrtc/{session}", "/whip", "/whip/{session}"):
        _asked(routes, opened, path)
    return routes


def _session_routes(routes: APIRouter, door: RtcDoor, opened: Opened, path: str) -> None:
    """What follows an offer."""
    restarted: dict[int | str, dict[str, Any]] = {200: {"description": "Our side of an ICE restart"}}

    @routes.patch(
        path,
        status_code=204,
        response_class=Response,
        responses={**restarted, **responses(400, 403, 404, 412, 413, 415, 429, 503)},
        openapi_extra=_body(FRAGMENT),
    )
    async def trickle(session: str, request: Request) -> Response:
        """Candidates of the client; with another ICE name and password, a restart."""
        extra = opened(request)
        tag = request.headers.get("if-match", "").strip('" ')
        text = await _text(request, FRAGMENT)
        try:
            ours, tag = await door.trickle(session, text, tag.strip("*"), peer_of(request.scope))
        except ConflictError as error:
            raise HTTPException(412, error.reason) from None
        if not ours:
            return Response(status_code=204, headers=extra)
        return Response(ours, 200, {**extra, "ETag": f'"{tag}"'}, FRAGMENT)

    @routes.delete(path, status_code=204, response_class=Response, responses=responses(403, 404, 503))
    async def leave(session: str, request: Request) -> Response:
        """Hang up."""
        extra = opened(request)
        await door.leave(session)
        return Response(status_code=204, headers=extra)


def _asked(routes: APIRouter, opened: Opened, path: str) -> None:
    @routes.options(path, status_code=204, response_class=Response, responses=responses(403))
    async def asked(request: Request) -> Response:
        """What a browser asks before it sends another site's page's request."""
        return Response(status_code=204, headers={**opened(request), "Accept-Post": SDP})


def _cors(origin: str) -> dict[str, str]:
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Expose-Headers": _SHOWN,
        "Vary": "Origin",
    }


def _resource(answered: Answered, servers: list[dict[str, Any]]) -> dict[str, str]:
    found = {"Location": f"/whip/{answered.session}", "ETag": f'"{answered.tag}"'}
    links = ", ".join(_link(server) for server in servers)
    return {**found, "Link": links} if links else found


def _link(server: Mapping[str, Any]) -> str:
    named = f'<{server["urls"]}>; rel="ice-server"'
    if "username" not in server:
        return named
    login = f'username="{server["username"]}"; credential="{server["credential"]}"'
    return f'{named}; {login}; credential-type="password"'


async def _text(request: Request, wanted: str) -> str:
    """The body as text. Raises HTTPException for another type, WireError for no text."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise HTTPException(415, f"the body is {wanted}")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise WireError("the body is no text") from None


def _body(kind: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}}}}}
