"""Positions kept by us for cameras that keep none: in a file when one is set, else as long as the program runs."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

Place = dict[str, int]  # axis -> where it stands, in units of the driver
MOST = 255
LONGEST = 65536  # bytes of the file


class PresetBook:
    """Places by number."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._places: dict[int, Place] = {}

    def load(self) -> None:
        """Read the file, when there is one (blocking)."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                places = msgspec.json.decode(file.read(LONGEST), type=dict[int, Place])
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("positions in %s cannot be read: %s", self._path, error)
            return
        self._places = dict(list(places.items())[:MOST])

    def place(self, number: int) -> Place | None:
        """A stored position."""
        return self._places.get(number)

    def store(self, number: int, place: Place) -> None:
        """Keep a position (blocking); raises OSError. A power cut leaves the old file or the new one."""
        self._places[number] = place
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(self._places))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
