"""Who may open `/v1/realtime`: holders of the API key or of a client secret, or programs on this machine.

Starts no call; the model that is asked for decides who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from picows import WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from offhook.channels.realtime import MESSAGE_BYTES
from offhook.channels.realtime_offer import Offer
from offhook.foundation.errors import NotFoundError, RefusedError
from offhook.web.client_secrets import PREFIX, ClientSecrets
from offhook.web.media_doors import Answer, Refusals
from offhook.web.openai_models import Catalogue
from offhook.web.origin import Origins
from offhook.web.ports import Directory

PATH = "/v1/realtime"
PROTOCOL = "realtime"
_KEY_PROTOCOL = "openai-insecure-api-key."

Judge = Callable[[Mapping[str, str], str], tuple[int, str] | None]
Listen = Callable[[Offer, Mapping[str, Any]], WSListener]


class RealtimeDoor(Refusals):
    """`judge(headers, peer)` says why a request is refused, or None; `listen(offer, session)` makes the
    listener of one socket, whose session begins as the client secret has it."""

    message_bytes = MESSAGE_BYTES

    def __init__(
        self,
        directory: Directory,
        listen: Listen,
        catalogue: Catalogue,
        judge: Judge,
        secrets: ClientSecrets,
        origins: Origins,
        most_open: int,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._listen = listen
        self._catalogue = catalogue
        self._judge = judge
        self._secrets = secrets
        self._origins = origins
        self._most_open = most_open
        self._open = 0

    def open(self, request: WSUpgradeRequest, peer: str) -> Answer:
        offered = [name.strip() for name in request.headers.get("sec-websocket-protocol", "").split(",")]
        key = _key(request.headers, offered)
        try:
            session = self._session(key) if key.startswith(PREFIX) else {}
        except RefusedError as error:
            return self.refuse(401, error.reason)
        if not key.startswith(PREFIX):
            headers = {name.lower(): value for name, value in request.headers.items()}
            if key:
                headers["authorization"] = f"Bearer {key}"
            refused = self._judge(headers, peer)
            if refused is None and not self._is_known_page(request):
                refused = 403, "sessions are not begun from this page; add it to allowed_origins"
            if refused is not None:
                return self.refuse(*refused)
        return self._admit(request, peer, offered, session)

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._open -= 1

    def _admit(
        self, request: WSUpgradeRequest, peer: str, offered: list[str], session: Mapping[str, Any]
    ) -> Answer:
        query = {name: values[-1] for name, values in parse_qs(_query(request)).items()}
        if query.get("intent", "conversation") != "conversation" or "call_id" in query:
            return self.refuse(400, "only conversations are offered here: no intent, no call_id")
        if (busy := self.crowded(self._directory)) is not None:
            return busy
        if self._open >= self._most_open:
            return self.refuse(503, "too many sessions are open")
        try:
            # What a secret was made for goes before what its holder asks for.
            offer = self._catalogue.offer(str(session.get("model") or "") or query.get("model", ""), peer)
        except NotFoundError as error:
            return self.refuse(404, error.reason, "model_not_found")
        self._open += 1
        listener = self._listen(offer, session)
        if PROTOCOL not in offered:
            return listener
        chosen = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": PROTOCOL})
        return WSUpgradeResponseWithListener(chosen, listener)

    def _session(self, secret: str) -> Mapping[str, Any]:
        return self._secrets.read(secret)

    def _is_known_page(self, request: WSUpgradeRequest) -> bool:
        """Any page may run in a browser on this machine, where no key is asked for."""
        return self._origins.allows(request.headers.get("origin"), request.headers.get("host", ""))


def _key(headers: Mapping[str, str], offered: list[str]) -> str:
    """The bearer key, or the one that a browser can only send as a subprotocol."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    for name in offered:
        if name.startswith(_KEY_PROTOCOL):
            return name.removeprefix(_KEY_PROTOCOL)
    return ""


def _query(request: WSUpgradeRequest) -> str:
    return request.path.partition(b"?")[2].decode("ascii", "replace")
