"""The first request is made before anyone calls: what FastAPI prepares then holds up nobody."""

from __future__ import annotations

import time
from typing import Any

from offhook.web.rehearsal import rehearse


async def test_what_is_prepared_is_prepared_once(stage: Any) -> None:
    async def took() -> float:
        began = time.thread_time()
        await rehearse(stage.site.app)
        return time.thread_time() - began

    first = await took()
    assert min([await took() for _ in range(3)]) < first / 3
    async with stage.client() as http:
        began = time.thread_time()
        assert (await http.get("/api/webrtc")).status_code == 200
        assert time.thread_time() - began < first
