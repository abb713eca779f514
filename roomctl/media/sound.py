"""The chord of a room: soft, never silent, swelling now and then, and different from room to room."""

from __future__ import annotations

from typing import Final
from zlib import crc32

import numpy as np
from av import AudioFrame
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000  # Hz
FRAME: Final = 960  # samples, 20 ms
LOOP: Final = 8  # seconds after which it repeats, without a seam: every frequency is a multiple of 1/LOOP Hz
LOUD: Final = 0.08  # peak 0..1, about −29 dBov: as loud as soft speech, for half of the loop
QUIET: Final = 0.008  # about −49 dBov: below what counts as speech, so that rooms take turns as active speakers
STEPS: Final = (0, 2, 4, 7, 9, 12, 14)  # semitones of a pentatonic scale, so that rooms sound well together


class Chord:
    """A loop of mono 16-bit samples, cut into frames of 20 ms."""

    def __init__(self, room_id: str) -> None:
        self._samples = _loop(root(room_id), turn(room_id))

    def frame(self, index: int) -> AudioFrame:
        """Frame `index` since the beginning, without a timestamp."""
        start = index * FRAME % len(self._samples)
        frame = AudioFrame.from_ndarray(
            self._samples[start : start + FRAME].reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        return frame


def root(room_id: str) -> float:
    """The lowest tone of a room's chord in Hz."""
    seed = crc32(room_id.encode())
    semitones = STEPS[seed % len(STEPS)] + 12 * (seed // len(STEPS) % 2)
    return _seamless(196.0 * 2 ** (semitones / 12))


def turn(room_id: str) -> float:
    """When in the loop a room swells, 0..1."""
    return (crc32(room_id.encode()) >> 8) % 8 / 8


def _loop(lowest: float, turn: float) -> NDArray[np.int16]:
    time = np.arange(SAMPLE_RATE * LOOP) / SAMPLE_RATE
    tones = [(lowest, 0.5), (_seamless(lowest * 1.25), 0.3), (_seamless(lowest * 1.5), 0.2)]
    chord = np.sum([part * np.sin(2 * np.pi * tone * time) for tone, part in tones], axis=0)
    swell = QUIET + (LOUD - QUIET) * np.maximum(0, np.sin(2 * np.pi * (time / LOOP + turn)))
    samples: NDArray[np.int16] = (chord * swell * 32767).astype(np.int16)
    return samples


def _seamless(frequency: float) -> float:
    """The nearest frequency that fits the loop a whole number of times."""
    return round(frequency * LOOP) / LOOP
