"""Positions that we keep: on the disk as they were or as they are, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.presets import PresetBook


def kept(file: Path) -> PresetBook:
    book = PresetBook(str(file))
    book.load()
    return book


def test_what_is_stored_is_there_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "camera" / "positions.json"
    kept(file).store(4, {"pan": 10})
    kept(file).store(5, {"pan": -3})
    assert [kept(file).place(number) for number in (4, 5, 6)] == [{"pan": 10}, {"pan": -3}, None]
    assert list(file.parent.iterdir()) == [file], "nothing is left beside it"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_power_cut_while_it_is_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def cut(*_: object) -> None:
        raise OSError("the power is cut")

    file = tmp_path / "positions.json"
    kept(file).store(4, {"pan": 10})
    before, book = file.read_bytes(), kept(file)
    monkeypatch.setattr(os, step, cut)
    with pytest.raises(OSError, match="the power is cut"):
        book.store(4, {"pan": 99, "tilt": 1})
    assert file.read_bytes() == before
    assert kept(file).place(4) == {"pan": 10}


def test_it_takes_its_name_only_once_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: dict[str, Callable[..., None]] = {"fsync": os.fsync, "replace": os.replace}
    steps = list[str]()

    def noted(name: str) -> Callable[..., None]:
        def call(*what: Any) -> None:
            steps.append(name)
            real[name](*what)

        return call

    for name in real:
        monkeypatch.setattr(os, name, noted(name))
    kept(tmp_path / "positions.json").store(4, {"pan": 10})
    assert steps == ["fsync", "replace"]
