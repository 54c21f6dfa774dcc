"""A LiveKit server's egress service: Twirp over HTTP, its messages those of the official SDK."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from livekit import api

KEY = "devkey"
SECRET = "a-secret-of-the-tests-only-0123456789"


class FakeEgress:
    """`fault` is a Twirp error (status, code, message) for whoever orders; `ends` the status that a recording
    has once it was stopped; `dies` has it end by itself."""

    def __init__(self) -> None:
        self.url = ""
        self.ordered: list[api.RoomCompositeEgressRequest] = []
        self.stopped: list[str] = []
        self.fault: tuple[int, str, str] | None = None
        self.ends = api.EgressStatus.EGRESS_COMPLETE
        self.dies = False
        self._infos: dict[str, api.EgressInfo] = {}

    async def start(self, request: web.Request) -> web.Response:
        _authorize(request)
        if self.fault is not None:
            status, code, message = self.fault
            return web.json_response({"code": code, "msg": message}, status=status)
        wish = api.RoomCompositeEgressRequest.FromString(await request.read())
        self.ordered.append(wish)
        id = f"EG_{len(self.ordered)}"
        status = api.EgressStatus.EGRESS_FAILED if self.dies else api.EgressStatus.EGRESS_ACTIVE
        error = "the recorder died" if self.dies else ""
        info = api.EgressInfo(egress_id=id, room_name=wish.room_name, status=status, error=error)
        self._infos[id] = info
        return _said(info)

    async def stop(self, request: web.Request) -> web.Response:
        _authorize(request)
        id = api.StopEgressRequest.FromString(await request.read()).egress_id
        info = self._infos[id]
        if info.status != api.EgressStatus.EGRESS_ACTIVE:
            return web.json_response({"code": "failed_precondition", "msg": "it has ended"}, status=412)
        self.stopped.append(id)
        info.status = self.ends
        if self.ends == api.EgressStatus.EGRESS_COMPLETE:
            path = self.ordered[int(id[3:]) - 1].file_outputs[0].filepath
            info.file_results.append(
                api.FileInfo(filename=path, size=4_711, location=f"https://files.test/{path}")
            )
        return _said(info)

    async def list(self, request: web.Request) -> web.Response:
        _authorize(request)
        id = api.ListEgressRequest.FromString(await request.read()).egress_id
        return _said(api.ListEgressResponse(items=[self._infos[id]] if id else []))


def _authorize(request: web.Request) -> None:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = api.TokenVerifier(KEY, SECRET).verify(token)
    assert claims.video is not None
    assert claims.video.room_record


def _said(message: api.EgressInfo | api.ListEgressResponse) -> web.Response:
    return web.Response(body=message.SerializeToString(), content_type="application/protobuf")


@contextlib.asynccontextmanager
async def fake_egress() -> AsyncIterator[FakeEgress]:
    """Listening on loopback for as long as the block lasts; `url` is a WebSocket's, as LIVEKIT_URL is."""
    fake = FakeEgress()
    app = web.Application()
    at = "/twirp/livekit.Egress"
    app.router.add_post(f"{at}/StartRoomCompositeEgress", fake.start)
    app.router.add_post(f"{at}/StopEgress", fake.stop)
    app.router.add_post(f"{at}/ListEgress", fake.list)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
