"""How often a device is dialled, and how long is waited between: seen at its driver's `run` and at this process's sockets."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from devices import DeviceConfig
from devices.context import Context
from devices.driver import Driver

EARLY = 0.005  # seconds that a timer may be early


@dataclass
class Dials:
    """Seconds of the monotonic clock when each dial began and ended, and each connection of a socket to the device."""

    begun: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    connects: list[float] = field(default_factory=list)
    address: object = None

    @property
    def shortest_pause(self) -> float:
        """Between the end of one dial and the begin of the next; endless with one dial."""
        pauses = [begin - end for begin, end in zip(self.begun[1:], self.ended, strict=False)]
        return min(pauses, default=float("inf")) + EARLY

    def connects_since(self, when: float) -> int:
        """Connections of sockets to the device since then."""
        return sum(at >= when for at in self.connects)


class _Sockets:
    """Notes every `connect` of a socket of this process (audit event `socket.connect`) for those who count."""

    def __init__(self) -> None:
        self.counting: list[Dials] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            for one in self.counting:
                if args[1] == one.address:
                    one.connects.append(time.monotonic())


SOCKETS = _Sockets()  # an audit hook stays for good


def address_of(config: DeviceConfig) -> object:
    """What a socket is connected to in order to reach the device; None where a library of C does it."""
    settings = config.settings
    if "node" in settings:
        return settings["node"]
    if "url" in settings:
        parts = urlsplit(str(settings["url"]))
        return parts.hostname, parts.port
    return (settings["host"], settings["port"]) if "port" in settings and "host" in settings else None


@contextmanager
def counted(kind: type[Driver[Any]], config: DeviceConfig) -> Iterator[Dials]:
    """Count the dials of a driver's devices for as long as the context lasts."""
    dials, run = Dials(address=address_of(config)), kind.run

    async def noted(driver: Driver[Any], context: Context) -> None:
        dials.begun.append(time.monotonic())
        try:
            await run(driver, context)
        finally:
            dials.ended.append(time.monotonic())

    SOCKETS.counting.append(dials)
    try:
        with patch.object(kind, "run", noted):
            yield dials
    finally:
        SOCKETS.counting.remove(dials)
