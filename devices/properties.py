"""What properties of devices are called and which values they take: what a rule of a room may wait for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devices.capabilities import OPERATIONS, SENSES

Kind = str | tuple[str, ...]
"""`truth`, `number` or `text`; or the words that are reported."""

TRUTH, NUMBER, TEXT = "truth", "number", "text"
BESIDES = {"ptz": ("pan", "tilt", "zoom"), "ports": ("port_N", "power_N")}
"""What a capability reports besides what its operations change; N is a port's number."""

KINDS: Mapping[str, Kind] = {
    "power": ("on", "off", "warming", "cooling"),
    "input": TEXT,
    "volume": NUMBER,
    "mute": TRUTH,
    "call": TRUTH,
    "blank": TRUTH,
    "preset": NUMBER,
    "framing": TRUTH,
    "pan": NUMBER,
    "tilt": NUMBER,
    "zoom": NUMBER,
    "port_N": ("up", "down", "off"),
    "power_N": TRUTH,
    "occupied": TRUTH,
    "people": NUMBER,
    "co2": NUMBER,
    "temperature": NUMBER,
    "humidity": NUMBER,
    "battery": NUMBER,
    "supply": ("line", "battery", "low", "bypass", "overload", "off"),
    "charge": NUMBER,
    "runtime": NUMBER,
    "load": NUMBER,
    "streaming": TRUTH,
    "level": NUMBER,
    "lamp_hours": NUMBER,
}

RANGES: Mapping[str, tuple[float, float]] = {
    "volume": (0.0, 1.0),
    "humidity": (0.0, 100.0),
    "battery": (0.0, 100.0),
    "charge": (0.0, 100.0),
    "level": (-90.0, 0.0),
}
"""Least and greatest value of some numbers."""

_NUMBERED = re.compile(r"(?P<name>port|power)_(?P<number>[1-9]\d{0,3})")


def properties_of(capabilities: Iterable[str]) -> dict[str, Kind]:
    """What devices with these capabilities report, with its kind. (`moving` is only ever assumed.)"""
    names: dict[str, None] = {}
    for one in capabilities:
        changed = [operation.changes for operation in OPERATIONS.values() if operation.capability == one]
        names |= dict.fromkeys((*(name for name in changed if name), *BESIDES.get(one, ()), *SENSES.get(one, ())))
    return {name: KINDS[name] for name in names}


def general(name: str) -> tuple[str, int | None]:
    """The name as `KINDS` has it, and the port that it names: `port_3` is `port_N` of port 3."""
    found = _NUMBERED.fullmatch(name)
    return (f"{found['name']}_N", int(found["number"])) if found else (name, None)
