"""Opens a WebSocket to a vendor, or says in plain words why it could not. It sends and reads nothing."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from picows import WSCloseCode, WSError, WSHandshakeError, WSListener, WSParsedURL, WSTransport, ws_connect

from offhook.foundation.errors import ProviderError
from offhook.speech.refusals import find_code, refusal, retry_after

_MOST_BODY = 16_384
_MOST_PAUSE = 60.0
_TOO_BIG = WSCloseCode.MESSAGE_TOO_BIG


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """The certificates that are trusted, read once: it takes tens of ms, too long while calls are running."""
    return ssl.create_default_context()


async def dial(
    provider: str,
    url: str,
    headers: Mapping[str, str],
    listener: Callable[[], WSListener],
    *,
    seconds: float,
    most_bytes: int,
    subject: str,
    **options: Any,
) -> None:
    """Connect to a ws(s) address within `seconds`; the listener is told. No frame exceeds `most_bytes`.

    `subject` names what a 404 or 400 may be about, and may be shown; `options` are those of picows. Raises
    ProviderError, retryable where another attempt may help; then nothing of the connection is left.
    """
    sockets: list[socket.socket] = []

    async def reach(url: WSParsedURL) -> socket.socket:
        found = await _reach(url.host, url.port)
        sockets.append(found)
        return found

    try:
        async with asyncio.timeout(seconds):
            await ws_connect(
                listener,
                url,
                ssl_context=tls() if url.startswith("wss:") else None,
                websocket_handshake_timeout=None,
                max_frame_size=most_bytes,
                extra_headers=dict(headers),
                max_redirects=0,  # the key is for one host
                socket_factory=reach,
                **options,
            )
        sockets.clear()
    except TimeoutError:
        raise ProviderError(provider, "did not answer in time") from None
    except WSHandshakeError as error:
        raise _refused(provider, error, subject) from None
    except ssl.SSLCertVerificationError:
        raise ProviderError(provider, "shows a certificate that is not trusted", retryable=False) from None
    except OSError:
        raise ProviderError(provider, "cannot be reached") from None
    except (WSError, ValueError):
        raise ProviderError(provider, "has an address that is no WebSocket's", retryable=False) from None
    finally:
        for left in sockets:  # picows leaves it open when its handshake is cancelled
            with suppress(OSError):
                left.shutdown(socket.SHUT_RDWR)  # makes its transport, if it has one, close it


async def _reach(host: str, port: int) -> socket.socket:
    """A connection to the first of the host's addresses that takes one. Raises OSError."""
    loop = asyncio.get_running_loop()
    error: OSError = OSError("no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        tried = socket.socket(family, kind, protocol)
        try:
            tried.setblocking(False)
            tried.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(tried, address)
        except OSError as raised:
            tried.close()
            error = raised
        except BaseException:
            tried.close()
            raise
        else:
            return tried
    raise error


def _refused(provider: str, error: WSHandshakeError, subject: str) -> ProviderError:
    """What an HTTP answer to the handshake means. Of its body only a plain error code is shown."""
    if error.response is None:
        return ProviderError(provider, "did not answer as a WebSocket server")
    try:
        code = find_code(json.loads(bytes(error.raw_body or b"")[:_MOST_BODY]))
    except (ValueError, RecursionError):
        code = ""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    after = min(_MOST_PAUSE, retry_after(headers))
    return refusal(provider, int(error.response.status), code, subject, after)


def breach(transport: WSTransport) -> str:
    """How the peer broke the rules of WebSockets, if picows closed the connection for that; else nothing.

    To be asked when the connection is closed, before closing it oneself: the peer may only echo our code.
    """
    ended = transport.close_handshake
    if ended is None or ended.sent is None or ended.recv_then_sent:
        return ""
    transport_gone = asyncio.ensure_future(transport.wait_disconnected())
    transport_gone.add_done_callback(_looked_at)
    if ended.sent.code == _TOO_BIG:
        return "sent a message that is too big"
    return "does not keep to the rules of WebSockets"


def _looked_at(future: asyncio.Future[None]) -> None:
    """picows keeps the breach as an exception, and asyncio complains of those that nobody looked at."""
    if not future.cancelled():
        future.exception()
