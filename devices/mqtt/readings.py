"""Payloads read into values, and how long a value may be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from devices.mqtt.announcements import Availability, Source
from devices.mqtt.templates import Path, Unread, render

LONGEST = 64 * 1024  # bytes of a payload
LIMITS = {  # what such a sensor can mean: people, ppm, degrees Celsius, percent, percent
    "people": (0.0, 10_000.0),
    "co2": (0.0, 100_000.0),
    "temperature": (-100.0, 150.0),
    "humidity": (0.0, 100.0),
    "battery": (0.0, 100.0),
}
USUAL = ("ON", "OFF")  # words of an occupancy sensor that nobody named others for
YES_NO = {"true": True, "false": False}  # what many say all the same (Zigbee2MQTT: `"occupancy": true`)
STAMPS = ("last_seen", "timestamp", "time")  # keys under which sensors say when they measured
MILLISECONDS = 1e11  # a Unix time above this is in milliseconds

Reading = bool | int | float


class Unreadable(ValueError):
    """The payload is nothing that this source can mean."""


@dataclass(frozen=True)
class Lease:
    """A value, the payload it was read from, and until when (loop time, seconds) it is believed.

    `off_at`: when (loop time) a motion is over that was told and is not told to have ended.
    """

    value: Reading
    payload: bytes
    until: float
    off_at: float | None = None


def read(source: Source, payload: bytes) -> Reading | None:
    """The value of a payload, None when it says nothing of this source; raises Unreadable."""
    found = value_of(source, payload)
    if found is None:
        return None
    if source.name == "occupied":
        return _occupied(source, found)
    low, high = LIMITS[source.name]
    try:
        number = float(found)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable(f"{source.name}: no number") from None
    if source.fahrenheit:
        number = (number - 32) * 5 / 9
    if not math.isfinite(number) or not low <= number <= high:
        raise Unreadable(f"{source.name}: {number} is out of range")
    return int(number) if source.name in ("people", "co2", "battery") else round(number, 1)


def _occupied(source: Source, found: Any) -> bool:
    text = str(found).lower() if isinstance(found, bool) else str(found)
    if text == source.on or text == source.off:
        return text == source.on
    if (source.on, source.off) == USUAL and text.lower() in YES_NO:
        return YES_NO[text.lower()]
    raise Unreadable(f"{text[:40]!r} is neither {source.on!r} nor {source.off!r}")


def value_of(one: Source | Availability, payload: bytes) -> Any:
    """What a payload says of it, None when it says nothing; raises Unreadable."""
    if not one.template:
        return at(one.path, payload)
    try:
        return render(one.template, at((), payload))
    except Unread as error:
        raise Unreadable(str(error)) from None


def at(path: Path, payload: bytes) -> Any:
    """What stands at `path` of a payload, None when nothing does; the text itself without a path. Raises Unreadable."""
    if len(payload) > LONGEST:
        raise Unreadable("too long")
    try:
        if not path:
            return payload.decode().strip()
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("no text" if not path else "no JSON") from None
    for step in path:
        if not isinstance(found, dict):
            raise Unreadable(f"nothing can be at {'.'.join(path)}")
        found = found.get(step)
        if found is None:
            return None
    return found


def age(payload: bytes, now: float) -> float | None:
    """Seconds since the sensor measured, where it says when; `now` is Unix time. None when it does not say."""
    for key in STAMPS:
        try:
            stamp = at((key,), payload)
        except Unreadable:
            continue
        if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
            continue
        try:
            if isinstance(stamp, str):
                then = datetime.fromisoformat(stamp).timestamp()
            else:
                then = stamp / 1000 if stamp > MILLISECONDS else float(stamp)
        except (ValueError, OverflowError, OSError):
            continue
        return max(0.0, now - then) if math.isfinite(then) else None
    return None
