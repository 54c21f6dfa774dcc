"""The phone vendor's webhooks: a call rings, its socket closed, its state changed. Opens no sockets.

Every hook may arrive twice, late or forged. Nothing is built before the signature is checked;
the URL that was signed is made from `public_url`, never from a request's Host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

import structlog
from fastapi import APIRouter, Request, Response

from offhook.channels.base import Arrival
from offhook.foundation.errors import LimitError, RefusedError, WireError
from offhook.foundation.events import Direction, EndReason
from offhook.protocols.signatures import SETTINGS_HEADER, SIGNATURE_HEADER, TwilioSignatures
from offhook.web import twiml
from offhook.web.faults import responses
from offhook.web.origin import is_local
from offhook.web.ports import Directory, Elsewhere, Ledger, Nowhere
from offhook.web.transfers import TransferBook

MEDIA_PATH = "/media/twilio"
_VOICE, _AFTER, _STATUS = (f"/hooks/twilio/{name}" for name in ("voice", "after", "status"))
_VENDOR_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_MAX_FIELDS = 200
_log = structlog.stdlib.get_logger("offhook.web.vendor_hooks")

Pairs = Sequence[tuple[str, str]]


class HookGuard:
    """Tells genuine webhooks: signed by the vendor, or, while no secret is set, sent on this machine."""

    def __init__(self, signatures: TwilioSignatures | None, public_url: str) -> None:
        self._signatures = signatures
        self._public_url = public_url

    async def pairs(self, request: Request) -> Pairs:
        """The decoded form (or query, for GET) of a genuine webhook. Raises RefusedError, WireError."""
        if request.method == "GET":
            self._check(request, None)
            return _decode(request.url.query)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise WireError("a webhook is a form")
        body = (await request.body()).decode("utf-8", "replace")
        pairs = _decode(body)
        self._check(request, pairs)
        return pairs

    def _check(self, request: Request, pairs: Pairs | None) -> None:
        if self._signatures is None:
            if not is_local(request.client.host if request.client else "", request.headers):
                raise RefusedError("without a Twilio auth token, webhooks are taken from this machine only")
            return
        if not self._public_url:
            raise RefusedError("public_url is not set, so no webhook's signature can be checked")
        signature = request.headers.get(SIGNATURE_HEADER, "")
        algorithm = request.headers.get(SETTINGS_HEADER, "")
        url = self._public_url + request.scope.get("raw_path", b"").decode("latin-1")
        if request.url.query:
            url += "?" + request.url.query
        if pairs is None:
            genuine = self._signatures.verify_get(url, signature, algorithm)
        else:
            genuine = self._signatures.verify_form(url, pairs, signature, algorithm)
        if not genuine:
            raise RefusedError("the webhook's signature is missing or wrong")


def _decode(text: str) -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise WireError("a webhook has too many fields") from None


def _vendor_id(fields: dict[str, str]) -> str:
    found = fields.get("CallSid", "")
    if not _VENDOR_ID.match(found):
        raise WireError("a webhook names its CallSid")
    return found


def _short(text: str) -> str:
    return "".join(character for character in text[:64] if character.isprintable())


@dataclass(frozen=True, slots=True)
class PhoneDesk:
    """What the hooks need to announce a call. `agents` are the names that may be asked for."""

    directory: Directory
    ledger: Ledger
    transfers: TransferBook
    guard: HookGuard
    public_url: str
    agents: Callable[[], Collection[str]]
    default_agent: str
    elsewhere: Elsewhere = field(default_factory=Nowhere)

    def arrival(self, fields: dict[str, str], wanted: str) -> Arrival:
        agent = wanted if wanted in self.agents() else self.default_agent
        if wanted and agent != wanted:
            _log.warning("webhook asks for an unknown agent", agent=_short(wanted))
        outbound = fields.get("Direction", "").startswith("outbound")
        return Arrival(
            direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
            agent=agent,
            caller=_short(fields.get("From", "")),
            called=_short(fields.get("To", "")),
            vendor_id=_vendor_id(fields),
        )

    def base(self, request: Request) -> str:
        """This server's address as the vendor reaches it; on a machine of its own, the loopback address."""
        port = (request.scope.get("server") or ("", 8080))[1]
        return self.public_url or f"http://127.0.0.1:{port}"


def media_url(base: str) -> str:
    """The media socket's address under an http(s) base."""
    return urlsplit(base)._replace(scheme="wss" if base.startswith("https:") else "ws").geturl() + MEDIA_PATH


def voice_url(base: str, agent: str) -> str:
    """The webhook that a call to `agent` is answered by; also for calls that we place."""
    return f"{base}{_VOICE}?agent={quote(agent, safe='')}"


def status_url(base: str) -> str:
    return base + _STATUS


def _xml(text: str) -> Response:
    return Response(text, media_type="text/xml")


def vendor_routes(desk: PhoneDesk) -> APIRouter:
    """`/hooks/twilio/voice`, `/after` and `/status`."""
    routes = APIRouter(tags=["hooks"])
    xml = {200: {"content": {"text/xml": {}}, "description": "TwiML"}, **responses(400, 403, 413, 503)}

    @routes.post(_VOICE, response_class=Response, responses=xml)
    async def voice(request: Request) -> Response:
        """A call rings. Answers with the TwiML that connects it to the media socket, or busy."""
        fields = dict(await desk.guard.pairs(request))
        arrival = desk.arrival(fields, request.query_params.get("agent", ""))
        if desk.directory.draining:
            raise LimitError("this server is stopping and takes no new calls")
        if desk.directory.capacity() == 0:
            return _xml(twiml.reject_busy())
        base = desk.base(request)
        parameters = {"token": desk.ledger.mint(arrival), "agent": arrival.agent}
        return _xml(twiml.connect_stream(media_url(base), parameters, base + _AFTER, base + _STATUS))

    async def after(request: Request) -> Response:
        """The media socket closed: transfer the caller, if the call asked for it, or hang up."""
        fields = dict(await desk.guard.pairs(request))
        to = desk.transfers.destination_of(_vendor_id(fields))
        return _xml(twiml.dial(to) if to else twiml.hang_up())

    routes.add_api_route(_AFTER, after, methods=["POST"], response_class=Response, responses=xml)
    routes.add_api_route(
        _AFTER, after, methods=["GET"], response_class=Response, responses=xml, name="after_by_get"
    )

    @routes.post(_STATUS, status_code=204, response_class=Response, responses=responses(400, 403, 413))
    async def status(request: Request) -> Response:
        """The vendor's view of a call changed. A call that it says is over is over here, too."""
        fields = dict(await desk.guard.pairs(request))
        vendor_id = _vendor_id(fields)
        if fields.get("StreamEvent") == "stream-error":
            _log.warning("the vendor reports a stream error", error=_short(fields.get("StreamError", "")))
        if fields.get("CallStatus") in _ENDED:
            for call in list(desk.directory):
                if call.arrival.vendor_id == vendor_id:
                    desk.directory.hang_up(call.id, EndReason.CALLER_HUNG_UP)
            await desk.elsewhere.hang_up(vendor_id, EndReason.CALLER_HUNG_UP)
        return Response(status_code=204)

    return routes
