"""What an agent writes down, so that after a restart the room returns to its meeting as it was left."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from roomctl.room import Remembered, Switches

log = logging.getLogger(__name__)


class _Note(msgspec.Struct):
    meeting: str = ""
    mic: bool = False
    camera: bool = False


class Memory:
    """One small file in the data folder. Losing it costs only that the room returns with everything closed."""

    def __init__(self, folder: Path, room: str) -> None:
        self._path = folder / f"{room}.json"
        self._written: Remembered | None = None

    def read(self) -> Remembered | None:
        """What was written last; None if nothing usable is there."""
        try:
            note = msgspec.json.decode(self._path.read_bytes(), type=_Note)
        except (OSError, msgspec.MsgspecError):
            return None
        if not note.meeting:
            return None
        self._written = Remembered(note.meeting, Switches(note.mic, note.camera))
        return self._written

    def stale(self, remembered: Remembered | None) -> bool:
        """Whether `remembered` differs from what is on disk."""
        return remembered != self._written

    def write(self, remembered: Remembered | None) -> None:
        """Replace the file at once (blocking). A disk that refuses is logged, not raised: the room goes on."""
        note = _Note()
        if remembered is not None:
            note = _Note(remembered.meeting, remembered.switches.mic, remembered.switches.camera)
        self._written = remembered
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(note))
            os.replace(fresh, self._path)
        except OSError as error:
            log.warning("cannot write %s: %s", self._path.name, error.strerror)
