"""Tells a web address of alerts, as signed JSON, under a deadline, tried again a few times. Decides nothing.

The address is resolved and judged as a tool's is: nothing inside the house unless allowed, no redirects.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any

import httpx
import structlog

from offhook.center.alerts.rules import Cause
from offhook.center.alerts.watch import CallFacts
from offhook.foundation.clock import Clock
from offhook.foundation.desk_events import AlertRaised
from offhook.foundation.errors import RefusedError
from offhook.foundation.queues import BoundedQueue, Overflow, QueueClosed
from offhook.tools.outward import PinnedTransport

WAITING = 100
DEADLINE_S = 5.0
PAUSES_S = (1.0, 5.0)
"""Before the second and the third try."""
CLOSE_S = 2.0
_AGAIN = (408, 425, 429)
_log = structlog.get_logger(__name__)


class WebPager:
    """One for the process; alerts go out one after the other. `pauses` are those between tries."""

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        *,
        allow_private: bool = False,
        pauses: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._pauses = pauses
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(allow_private, httpx.Limits(max_connections=2)),
            timeout=httpx.Timeout(DEADLINE_S),
            headers={"user-agent": "offhook", "content-type": "application/json"},
        )
        self._queue: BoundedQueue[bytes] = BoundedQueue(WAITING, Overflow.DROP_OLDEST)
        self._task: asyncio.Task[None] | None = None
        self.sent = self.failed = 0

    def page(self, call: CallFacts, alert: AlertRaised) -> None:
        """Immediate. When WAITING are to be sent, the oldest is lost."""
        if not self._queue.put(payload(call, alert, self._clock.wall().isoformat())):
            self.failed += 1
            _log.warning("an alert was not sent: too many wait")
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="alerts")

    async def close(self) -> None:
        """What waits has CLOSE_S to leave."""
        self._queue.close()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            try:
                body = await self._queue.get()
            except QueueClosed:
                return
            if await self._send(body):
                self.sent += 1
            else:
                self.failed += 1

    async def _send(self, body: bytes) -> bool:
        for pause in (*self._pauses, None):
            status = await self._try(body)
            if 200 <= status < 300:
                return True
            if pause is None or (status and status < 500 and status not in _AGAIN):
                break
            await asyncio.sleep(pause)
        _log.warning("an alert was not taken", status=status)
        return False

    async def _try(self, body: bytes) -> int:
        """The status of the answer; 0 for none, 400 for an address that may not be asked."""
        stamp = str(int(self._clock.wall().timestamp()))
        headers = {"x-offhook-timestamp": stamp, "x-offhook-signature": signature(self._secret, stamp, body)}
        try:
            async with asyncio.timeout(DEADLINE_S):
                request = self._client.build_request("POST", self._url, content=body, headers=headers)
                response = await self._client.send(request, stream=True)
                await response.aclose()
        except RefusedError as error:
            _log.warning("alerts cannot be sent there", reason=error.reason)
            return 400
        except (httpx.HTTPError, OSError, TimeoutError):
            return 0
        return response.status_code


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot, and the body."""
    return "v1=" + hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def payload(call: CallFacts, alert: AlertRaised, at: str) -> bytes:
    """What is told: no words of the call but those of the rule, no numbers of callers. What the coach wrote
    may have both in it: of its warning the level is told."""
    text = alert.text.partition(":")[0] if alert.cause == Cause.WARNING else alert.text
    sentiment: dict[str, Any] | None = None
    if (last := call.last) is not None:
        sentiment = {"score": last.score, "trend": last.trend, "emotion": last.emotion.value}
    told = {
        "type": "alert",
        "id": alert.id,
        "at": at,
        "rule": alert.rule,
        "cause": alert.cause,
        "level": alert.level.value,
        "text": text,
        "call": {"id": call.call_id, "agent": call.agent, "queue": call.queue, "channel": call.channel},
        "sentiment": sentiment,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
