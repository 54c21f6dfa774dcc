"""Where an ElevenLabs agent is reached: its public address, or a signed one. Dials nothing."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from offhook.engines.elevenlabs_ends import PROVIDER
from offhook.foundation.errors import ProviderError
from offhook.speech.http import Endpoint

_PATH = "/v1/convai/conversation"


class AgentLink:
    """One vendor's server, for all calls. `url` is the http(s) address before "/v1"."""

    def __init__(self, url: str, key: str, connect_seconds: float) -> None:
        """Raises ProviderError for an address or a key that cannot be one."""
        self._seconds = connect_seconds
        headers = {"xi-api-key": key} if key else {}
        self._endpoint = Endpoint(PROVIDER, url, headers, connect_seconds=connect_seconds)
        self._base = self._endpoint.url.replace("http", "ws", 1)

    @property
    def is_secure(self) -> bool:
        return self._base.startswith("wss:")

    async def address(self, agent_id: str, private: bool) -> str:
        """The WebSocket address for one conversation; a signed one serves once. Raises ProviderError."""
        if not private:
            return f"{self._base}{_PATH}?agent_id={quote(agent_id, safe='')}"
        found = await self._endpoint.get(
            f"{_PATH}/get-signed-url", {"agent_id": agent_id}, seconds=self._seconds, subject="this agent"
        )
        signed = found.get("signed_url")
        scheme = urlsplit(signed).scheme if isinstance(signed, str) else ""
        if not isinstance(signed, str) or scheme not in ("ws", "wss"):
            raise ProviderError(PROVIDER, "gave no signed address")
        if self.is_secure and scheme != "wss":
            raise ProviderError(PROVIDER, "gave a signed address that is not encrypted", retryable=False)
        return signed

    async def close(self) -> None:
        await self._endpoint.close()
