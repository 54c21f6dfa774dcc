"""Twilio's request signatures: SHA-1 with the auth token, SHA-256 with a shared key. Pure arithmetic.

https://www.twilio.com/docs/usage/webhooks/webhooks-security. The URL must be the one that was
configured (`public_url`), never one rebuilt from request headers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


class Algorithm(StrEnum):
    SHA1 = "HMAC_SHA1"
    SHA256 = "HMAC_SHA256"


_DIGESTS = {Algorithm.SHA1: hashlib.sha1, Algorithm.SHA256: hashlib.sha256}


class TwilioSignatures:
    """Checks requests against one secret and the one algorithm that belongs to it.

    `settings` is the value of SETTINGS_HEADER, where the request has one: a request that announces
    another algorithm than the secret's is refused; the header never chooses.
    """

    def __init__(self, secret: str, algorithm: Algorithm = Algorithm.SHA1) -> None:
        self._secret = secret.encode()
        self._algorithm = algorithm

    def sign(self, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
        """The signature of a request to `url`, with its form parameters if it is a form."""
        pairs = "".join(name + value for name, value in sorted(set(parameters)))
        data = (url + pairs).encode(errors="surrogatepass")
        return base64.b64encode(hmac.new(self._secret, data, _DIGESTS[self._algorithm]).digest()).decode()

    def verify_form(
        self, url: str, parameters: Iterable[tuple[str, str]], signature: str, settings: str = ""
    ) -> bool:
        """A form POST: `parameters` are the decoded pairs of the body."""
        pairs = tuple(parameters)
        return self._matches(_with_ports(url), pairs, signature, settings)

    def verify_get(self, url: str, signature: str, settings: str = "") -> bool:
        """A GET: `url` with its query."""
        return self._matches(_with_ports(url), (), signature, settings)

    def verify_body(self, url: str, body: bytes, signature: str, settings: str = "") -> bool:
        """A POST of anything but a form: the URL carries the body's hash as `bodySHA256`."""
        announced = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256", "")
        genuine = hmac.compare_digest(announced.lower().encode(), hashlib.sha256(body).hexdigest().encode())
        return self._matches(_with_ports(url), (), signature, settings) and genuine

    def verify_upgrade(self, url: str, signature: str, settings: str = "") -> bool:
        """A WebSocket handshake: `url` as written in the TwiML; the scheme that is signed is wss.

        Twilio is not consistent about the default port and a trailing slash: all four are tried.
        """
        split = urlsplit(url)
        split = split._replace(scheme={"https": "wss", "http": "ws"}.get(split.scheme, split.scheme))
        path = split.path.rstrip("/")
        urls = [
            each for form in (path, path + "/") for each in _with_ports(split._replace(path=form).geturl())
        ]
        return self._matches(urls, (), signature, settings)

    def _matches(
        self, urls: Iterable[str], parameters: tuple[tuple[str, str], ...], signature: str, settings: str
    ) -> bool:
        if settings and announced_algorithm(settings) != self._algorithm:
            return False
        given = signature.strip().encode(errors="replace")
        # No early end: every form is compared, whatever the ones before it gave.
        found = [hmac.compare_digest(self.sign(url, parameters).encode(), given) for url in urls]
        return any(found)


def announced_algorithm(settings: str) -> str:
    """The algorithm that a SETTINGS_HEADER names; HMAC_SHA1 when it names none."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return Algorithm.SHA1


def _with_ports(url: str) -> Iterator[str]:
    """The URL as it is, and with its default port added or removed."""
    yield url
    split = urlsplit(url)
    default = _PORTS.get(split.scheme)
    if default is None:
        return
    suffix = f":{default}"
    if split.netloc.endswith(suffix):
        yield split._replace(netloc=split.netloc.removesuffix(suffix)).geturl()
    elif not split.netloc.rpartition("]")[2].partition(":")[2]:
        yield split._replace(netloc=split.netloc + suffix).geturl()
