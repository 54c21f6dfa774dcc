"""Reads multipart forms in memory. Knows no route's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from offhook.foundation.errors import WireError

_MAX_FIELD = 1 << 16
_MOST_FIELDS = 32


@dataclass(frozen=True, slots=True)
class FormData:
    """The texts of a form by name, and its files by field: (file name, bytes) each."""

    texts: Mapping[str, str]
    files: Mapping[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.texts.get(name, "").strip().lower() in ("true", "1", "on", "yes")


def is_form(request: Request) -> bool:
    """Whether the body is a multipart form."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def read_form(request: Request, max_files: int, max_bytes: int) -> FormData:
    """The form of a request, in memory only. Raises WireError, and 413 for a body over its bound."""
    if not is_form(request):
        raise WireError("the body is no multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=max_files,
        max_fields=_MOST_FIELDS,
        max_part_size=_MAX_FIELD,
    )
    parser.spool_max_size = max_bytes + 1
    try:
        form = await parser.parse()
    except (MultiPartException, HTTPException) as error:
        if isinstance(error, HTTPException) and error.status_code == 413:
            raise
        raise WireError("the form cannot be read") from None
    except (KeyError, ValueError):
        raise WireError("the form cannot be read") from None
    try:
        texts: dict[str, str] = {}
        files: dict[str, list[tuple[str, bytes]]] = {}
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.setdefault(name, []).append((value.filename or "", await value.read()))
            else:
                texts[name] = value
        return FormData(texts, files)
    finally:
        await form.close()
