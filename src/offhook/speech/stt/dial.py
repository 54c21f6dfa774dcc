"""Connects to a vendor's recognizer by WebSocket, or says in plain words why it could not. Sends nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from picows import WSError, WSHandshakeError, WSParsedURL, ws_connect

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.stt.dialect import Dialect, Limits, Wire
from offhook.speech.stt.line import MAX_MESSAGE, Line

_DENIED = {401: "refused the key", 402: "wants to be paid first", 403: "refused the key"}
_UNFIT = {
    400: "did not accept the request; check the model's name and its options",
    404: "has no such model or address",
    422: "did not accept the request; check the model's name and its options",
}


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Read once: it takes tens of milliseconds, too long while calls are running."""
    return ssl.create_default_context()


async def dial(name: str, dialect: Dialect, limits: Limits, on_message: Callable[[Line, Wire], None]) -> Line:
    """A connection for the dialect. Raises ProviderError."""
    line = Line(name, dialect, limits, on_message)
    sockets: list[socket.socket] = []
    try:
        async with asyncio.timeout(limits.connect):
            await _connect(line, dialect, limits, sockets)
    except TimeoutError:
        raise ProviderError(name, "cannot be reached in time") from None
    except WSHandshakeError as error:
        raise refusal(name, error) from None
    except ssl.SSLCertVerificationError:
        raise ProviderError(name, "shows a certificate that is not trusted", retryable=False) from None
    except (OSError, WSError):
        raise ProviderError(name, "cannot be reached") from None
    except ValueError:
        raise ProviderError(name, "has an address that is no WebSocket's", retryable=False) from None
    else:
        sockets.clear()
    finally:
        for left in sockets:
            with suppress(OSError):
                left.shutdown(socket.SHUT_RDWR)  # makes its transport, if it has one, close it
    return line


async def _connect(line: Line, dialect: Dialect, limits: Limits, sockets: list[socket.socket]) -> None:
    """`sockets` takes the connection: picows leaves it open when its handshake is cancelled."""

    async def reach(url: WSParsedURL) -> socket.socket:
        found = await _reach(url.host, url.port)
        sockets.append(found)
        return found

    url = dialect.url()
    await ws_connect(
        lambda: line,
        url,
        ssl_context=_tls() if url.startswith("wss:") else None,
        websocket_handshake_timeout=None,
        enable_auto_ping=True,
        auto_ping_idle_timeout=limits.silence / 2,
        auto_ping_reply_timeout=limits.silence / 2,
        max_frame_size=4 * MAX_MESSAGE,  # the line has a reason for what is too big, picows has none
        extra_headers=dict(dialect.headers()),
        max_redirects=0,  # the key is for one host
        socket_factory=reach,
    )


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


def refusal(name: str, error: WSHandshakeError) -> ProviderError:
    """What an HTTP answer to the handshake means."""
    if error.response is None:
        return ProviderError(name, "did not answer as a WebSocket server")
    status = int(error.response.status)
    if status in _DENIED:
        return DeniedError(name, _DENIED[status])
    if status in _UNFIT:
        return UnfitError(name, _UNFIT[status])
    if status in (408, 425, 429) or status >= 500:
        after = str(error.response.headers.get("Retry-After", ""))
        reason = "is over its rate limit" if status == 429 else f"answered with HTTP {status}"
        return BusyError(
            name, reason, min(float(after), 60.0) if after.isascii() and after.isdigit() else 0.0
        )
    return ProviderError(name, f"answered with HTTP {status}", retryable=False)
