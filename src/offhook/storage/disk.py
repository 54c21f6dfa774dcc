"""Syncs a whole file system in one call, where the system has one for it (Linux). No files of its own."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None
can_sync_all = _syncfs is not None


def sync_file_system(path: Path) -> None:
    """Bring everything written to the file system of `path` to its disk. Blocks, without the
    interpreter's lock. Raises OSError; only where `can_sync_all`."""
    assert _syncfs is not None
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
