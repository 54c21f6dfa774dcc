"""Twilio's call API on loopback: takes what the official SDK sends, answers in its shapes, fails on demand.

Every form is checked against the parameters of the SDK's own `calls.create` and `calls(sid).update`.
"""

from __future__ import annotations

import base64
import inspect
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.rest.api.v2010.account.call import CallContext, CallList

_OVER = {"completed", "canceled", "busy", "failed", "no-answer"}


def _parameters(method: Any) -> set[str]:
    """The form fields that an SDK method can send: `status_callback_event` is StatusCallbackEvent."""
    names = set(inspect.signature(method).parameters) - {"self"}
    return {"".join(part.title() for part in name.strip("_").split("_")) for name in names}


CREATE, UPDATE = _parameters(CallList.create), _parameters(CallContext.update)


class FakeTwilio:
    """One account. `fail` rules the next requests: an HTTP status with a code, or a way to misbehave."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self.auth = "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self.calls: dict[str, dict[str, Any]] = {}
        self.forms: list[dict[str, list[str]]] = []
        self.fail: tuple[int, int] | str | None = None
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> FakeTwilio:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def client(self, timeout: float = 2.0) -> TwilioHttpClient:
        """The SDK's HTTP client, sent here in place of Twilio's hosts."""
        return _Redirected(self.url, timeout)

    def answer(self, path: str, auth: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Status and body for a POST."""
        if isinstance(self.fail, tuple):
            return self.fail[0], _error(*self.fail)
        if auth != self.auth:
            return 401, _error(401, 20003)
        root = f"/2010-04-01/Accounts/{self.account_sid}/Calls"
        self.forms.append(form)
        if path == f"{root}.json":
            return self._create(form)
        sid = path.removeprefix(f"{root}/").removesuffix(".json")
        return self._update(sid, form) if sid in self.calls else (404, _error(404, 20404))

    def _create(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        unknown = set(form) - CREATE
        if unknown or "To" not in form or "From" not in form or not {"Url", "Twiml"} & set(form):
            return 400, _error(400, 21201)
        if not form["To"][0].startswith("+"):
            return 400, _error(400, 21211)
        sid = f"CA{len(self.calls) + 1:032x}"
        call = {"sid": sid, "to": form["To"][0], "from": form["From"][0], "status": "queued"}
        self.calls[sid] = call | {"account_sid": self.account_sid, "direction": "outbound-api"}
        return 201, self.calls[sid]

    def _update(self, sid: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        call = self.calls[sid]
        if set(form) - UPDATE:
            return 400, _error(400, 20001)
        if call["status"] in _OVER:
            return 400, _error(400, 21220)
        call["status"] = form.get("Status", [call["status"]])[0]
        return 200, call

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if fake.fail == "late":
                    time.sleep(0.4)
                if fake.fail == "cut":
                    self.connection.close()
                    return
                status, body = fake.answer(
                    urlsplit(self.path).path, self.headers["Authorization"] or "", form
                )
                data = b"<html>oops" if fake.fail == "garbage" else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _error(status: int, code: int) -> dict[str, Any]:
    return {"code": code, "status": status, "message": f"about +15550100: {code}", "more_info": ""}


class _Redirected(TwilioHttpClient):  # type: ignore[misc]
    def __init__(self, base: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._base = base

    def request(self, method: str, url: str, **given: Any) -> Any:
        assert url.startswith("https://api.twilio.com/")
        return super().request(method, self._base + url.removeprefix("https://api.twilio.com"), **given)
