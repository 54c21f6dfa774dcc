"""Berths: who holds one, and when it is free again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offhook.foundation.errors import SettingsError
from offhook.foundation.ids import BERTHS, berth_of, call_id, is_call_id
from offhook.workers.berths import held_berths, take_berths


def test_berths_are_held_until_their_last_holder_is_gone(tmp_path: Path) -> None:
    first = take_berths(tmp_path, 2)
    second = take_berths(tmp_path, 1)
    assert [berth.number for berth in first + second] == [0, 1, 2]
    assert held_berths(tmp_path) == {0, 1, 2}
    heir = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=[first[0].descriptor])
    for berth in first:
        os.close(berth.descriptor)
    assert held_berths(tmp_path) == {0, 2}
    heir.communicate(b"\n", timeout=10)
    assert held_berths(tmp_path) == {2}
    again = take_berths(tmp_path, 2)
    assert [berth.number for berth in again] == [0, 1]
    for berth in second + again:
        os.close(berth.descriptor)


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingsError, match="cannot be used"):
        take_berths(tmp_path / "data", 1)


@pytest.mark.parametrize("berth", [0, 1, 31, 32, BERTHS - 1])
def test_a_call_id_names_its_berth(berth: int) -> None:
    made = [call_id(berth) for _ in range(20)]
    assert len(set(made)) == 20
    assert all(is_call_id(each) and berth_of(each) == berth for each in made)
