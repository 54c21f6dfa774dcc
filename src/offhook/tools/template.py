"""What an HTTP tool sends, as the settings word it: an address with places for arguments. Sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PLACE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_CALL = tuple(f"call.{name}" for name in ("agent", "called", "caller", "channel", "id", "language"))


@dataclass(frozen=True, slots=True)
class Template:
    """What to send. Braces hold an argument's name, or `call.caller` and the like; `fixed` are arguments
    that the model neither sees nor sets; `headers` may be secret."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    form: bool = False

    def fault(self, arguments: set[str]) -> str:
        """Why this is no template for these arguments, or an empty string."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            return "an http(s) address without a user name"
        if "{" in parts.netloc:
            return "an address whose host is written out"
        for text in (self.url, *self.fixed.values()):
            for name in PLACE.findall(text):
                if name not in _CALL and name not in arguments:
                    return f"places in braces that are parameters, or one of {', '.join(_CALL)}"
        return ""
