"""What an export takes along: legs, recordings that are gone or damaged, calls that cannot go."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.desk.evidence_stage import keep_call, package_of, sealed

from offhook.audio.wav import read_wav
from offhook.desk.evidence import sound
from offhook.desk.evidence.verify import verify
from offhook.foundation.errors import ConflictError, NotFoundError
from offhook.foundation.events import LegKind
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {info.filename: file.read(info) for info in file.infolist()}


async def test_a_leg_of_its_own_for_each_human(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/offhook.db")
    tapes = Tapes(tmp_path / "recordings", store, lambda call_id, reason: None)
    pitches = {LegKind.CALLER: 440, LegKind.AGENT: 880, LegKind.OPERATOR: 1320}
    try:
        call_id = await keep_call(store, tapes, 0.2, pitches)
        await sealed(store, call_id)
        data = b"".join((await package_of(store, tapes, tmp_path, call_id)).chunks())
    finally:
        await tapes.close()
        await store.close()
    (tmp_path / "package.zip").write_bytes(data)
    assert verify(tmp_path / "package.zip").findings == []
    members = unzipped(data)
    for leg, own in pitches.items():
        samples, _ = read_wav(members[f"audio/{leg}.wav"])
        spectrum = np.abs(np.fft.rfft(samples[:3_200, 0] * np.hanning(3_200)))
        for other in pitches.values():
            assert own == other or spectrum[own // 5] > 30 * spectrum[other // 5], (leg, other)
        assert f"audio/{leg}.ogg" in members
    assert "audio/agent-and-operators.wav" not in members


async def test_calls_that_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/offhook.db")
    try:
        for unknown in ("call_00000000000000000000000000", "../x"):
            with pytest.raises(NotFoundError):
                await package_of(store, None, tmp_path, unknown)
        call_id = await keep_call(store, None)
        made = await package_of(store, None, tmp_path, call_id)
        call = json.loads(unzipped(b"".join(made.chunks()))["call.json"])
        assert call["audio"] == "nothing is recorded in this house"
        live, taping = await store.call(call_id), await store.call(call_id)
        from dataclasses import replace

        from offhook.storage.base import CallState, RecordingState

        for shown in (
            replace(live, state=CallState.LIVE),  # type: ignore[type-var]
            replace(taping, recording=RecordingState.TAPING),  # type: ignore[type-var]
        ):

            async def call_of(call_id: str, shown: object = shown) -> object:
                return shown

            monkeypatch.setattr(store, "call", call_of)
            with pytest.raises(ConflictError):
                await package_of(store, None, tmp_path, call_id)
    finally:
        await store.close()


async def test_recordings_that_are_gone_damaged_or_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/offhook.db")
    tapes = Tapes(tmp_path / "recordings", store, lambda call_id, reason: None)
    try:
        call_id = await keep_call(store, tapes, 0.1)
        await sealed(store, call_id)
        monkeypatch.setattr(sound, "MOST_SAMPLES", 100)
        members, said, notes = sound.sound_members(tapes, call_id, "agent")
        assert ([one.name for one in members], said, len(notes)) == (["audio/recording.ogg"], "included", 1)
        (tmp_path / "recordings" / f"{call_id}.peaks.json").write_text("{}")
        members, said, notes = sound.sound_members(tapes, call_id, "agent")
        assert ([one.name for one in members], len(notes)) == (["audio/recording.ogg"], 1)
        (tmp_path / "recordings" / f"{call_id}.ogg").write_bytes(b"no sound")
        assert sound.sound_members(tapes, call_id, "agent")[:2] == ([], "The recording is damaged.")
        await tapes.delete(call_id)
        assert sound.sound_members(tapes, call_id, "agent")[:2] == ([], "there is no recording of this call")
    finally:
        await tapes.close()
        await store.close()


async def test_an_operators_own_words_of_themselves_turn_nothing(tmp_path: Path) -> None:
    """The name has an override of direction in it; the text of the package does not."""
    from offhook.desk.evidence.documents import plain, transcripts

    said = {"kind": "transcript_final", "seq": 1, "leg": "caller", "started_ms": 3_723_004, "speaker": ""}
    _, text = transcripts("call_x", [], [{**said, "text": "abc \u202edef\u2069\n[0:00:00] Agent: yes"}])
    assert text.decode() == "[1:02:03.004] Caller: \u2068abc def [0:00:00] Agent: yes\u2069\n"
    assert plain("a\u202e\u2066b") == "a b"
    _, empty = transcripts("call_x", [], [{**said, "text": " \u200f"}])
    assert empty == b""
