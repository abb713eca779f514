"""What an agent writes down, so that after a restart the room returns to its meeting as it was left."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from roomctl.room import Remembered, Switches

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """`remembered`: the meeting the room is in; `volume` 0..1 as people last set it."""

    remembered: Remembered | None = None
    volume: float | None = None


class _Note(msgspec.Struct):
    meeting: str = ""
    mic: bool = False
    camera: bool = False
    volume: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Memory:
    """One small file in the data folder. Losing it costs only that the room returns with everything closed."""

    def __init__(self, folder: Path, room: str) -> None:
        self._path = folder / f"{room}.json"
        self._noted = self._written = Kept()
        self._writing = threading.Lock()  # who was cancelled while it wrote goes on to, beside the next

    def read(self) -> Kept:
        """What was written last; nothing if nothing usable is there."""
        try:
            note = msgspec.json.decode(self._path.read_bytes(), type=_Note)
        except (OSError, msgspec.MsgspecError):
            return self._written
        remembered = Remembered(note.meeting, Switches(note.mic, note.camera)) if note.meeting else None
        self._written = Kept(remembered, note.volume)
        return self._written

    def note(self, kept: Kept) -> bool:
        """What `write` has to write; whether it differs from what is on disk."""
        self._noted = kept
        return kept != self._written

    def write(self) -> None:
        """Replace the file at once (blocking) by what was noted last. A disk that refuses is logged: the room goes on."""
        with self._writing:
            kept = self._written = self._noted
            note = _Note(volume=kept.volume)
            if (remembered := kept.remembered) is not None:
                note = _Note(remembered.meeting, remembered.switches.mic, remembered.switches.camera, kept.volume)
            fresh = self._path.with_suffix(".new")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                fresh.write_bytes(msgspec.json.encode(note))
                os.replace(fresh, self._path)
            except OSError as error:
                log.warning("cannot write %s: %s", self._path.name, error.strerror)
