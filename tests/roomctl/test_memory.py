"""What a room keeps over a restart, though two write it at once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from roomctl.memory import Kept, Memory


def test_the_newest_is_kept_though_an_older_one_is_still_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory, replace = Memory(tmp_path, "room"), os.replace
    begun, go_on = threading.Event(), threading.Event()

    def slowly(fresh: Path, path: Path) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(5)
        replace(fresh, path)

    monkeypatch.setattr(os, "replace", slowly)
    older = threading.Thread(target=memory.write)
    newer = threading.Thread(target=memory.write)
    assert memory.note(Kept(volume=0.5))
    older.start()
    assert begun.wait(5)
    assert memory.note(Kept(volume=0.2))
    newer.start()
    newer.join(0.2)  # it waits for the other; it would be done by now if it did not
    go_on.set()
    older.join(5)
    newer.join(5)
    assert Memory(tmp_path, "room").read() == Kept(volume=0.2)
    assert not caplog.records
