"""A process to be killed: tapes and keeps a call in real time, and says on stdout what it has handed over."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.foundation.events import ChannelKind, Direction, Entry, LegKind, NoInput
from offhook.foundation.ids import call_id
from offhook.storage.base import CallRecord
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def commit(store: SqlStore, call: str) -> None:
    """Rows as fast as they are committed; each line names the last that is."""
    seq = 0
    while True:
        for _ in range(20):
            seq += 1
            store.keep(Entry(call, seq, seq, NoInput(seq)))
        if store.settle(10):
            say(f"row {seq}")


def main(directory: Path) -> None:
    store = SqlStore(f"sqlite:///{directory}/offhook.db", commit_interval=0.01)
    tapes = Tapes(directory / "recordings", store, lambda *_: None)
    call = call_id()
    store.begin(CallRecord(call, Direction.INBOUND, ChannelKind.PHONE, "a", "", "", datetime.now(UTC)))
    tape = tapes.open(call, {LegKind.CALLER: PHONE, LegKind.AGENT: WIDEBAND})
    threading.Thread(target=commit, args=(store, call), daemon=True).start()
    say(f"call {call}")
    began = time.monotonic()
    frame = 0
    while True:
        due = began + frame * 0.02
        time.sleep(max(0.0, due - time.monotonic()))
        tape.write(LegKind.CALLER, frame * 160, bytes([frame % 250 + 1]) * 160)
        tape.write(LegKind.AGENT, frame * 320, bytes([frame % 250 + 1, 1]) * 320)
        frame += 1
        say(f"frame {frame}")


main(Path(sys.argv[1]))
