"""What the conformance suite is told of a driver: how to rig it up, and what each fault must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devices import DeviceConfig
from devices.emulators.faults import FAULTS, PARTICULAR
from wire.devices import Value

DELAY, REBOOT = 0.08, 0.4  # seconds, for the emulators of the suite

WORKS = frozenset({"done", "accepted"})
FAILS = frozenset({"failed", "timed_out"})
EVERY_FAULT = (*FAULTS, *PARTICULAR)  # a cell of the matrix for each: an expectation, or why there is none


class Breakable(Protocol):
    """The emulator, as the suite uses it."""

    @property
    def available_faults(self) -> tuple[str, ...]:
        """Those it knows."""

    def fault(self, name: str, on: bool = True) -> None:
        """Switch a fault."""

    async def settled(self) -> None:
        """Wait until its sockets are as its faults ask."""


@dataclass
class Rig:
    """A running emulator, the device configured for it, a lasting command, and the property it sets.

    A device that only reports has no `op`: then `shows` must be reported as `value` before and after the fault.
    `other`: arguments with which the command sets another value, and that value; with `real`, what the emulator itself
    holds now. `stir` makes the device say something where nothing else would. `lingers`: the emulator takes a moment to go,
    in which it would still carry out a command. `undo`: somebody at the device takes back what the command did, so that
    there is something to do each time it is asked.
    """

    emulator: Breakable
    config: DeviceConfig
    op: str | None
    args: dict[str, Any]
    shows: str
    value: Value
    other: tuple[dict[str, Any], Value] | None = None
    real: Callable[[], Value | Awaitable[Value]] | None = None
    stir: Callable[[], None] = lambda: None
    lingers: bool = False
    undo: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Expected:
    """Outcomes allowed for the command under a fault, and the notice shown meanwhile (None: no fault is shown).

    `online`: with that notice the device still counts as online (it works and complains). `mute`: it says nothing meanwhile,
    so that what is shown stays as it was. `held`: the way to it is open all the same, so it is not dialled. `lasts`: the
    notice is of what was asked, and ends when that is asked anew and done.
    """

    outcomes: frozenset[str]
    notice: str | None = None
    online: bool = False
    mute: bool = False
    held: bool = False
    lasts: bool = False

    @property
    def dialled(self) -> bool:
        """It is away, and dialled again and again."""
        return self.notice is not None and not self.online and not self.held

    def in_words(self) -> str:
        """The cell of the matrix."""
        words = {WORKS: "works", FAILS: "fails"}.get(self.outcomes)
        said = words or " or ".join(sorted(self.outcomes))
        return f"{said}: {self.notice.removeprefix('device.')}" if self.notice else said


WELL = Expected(WORKS)
GONE = Expected(FAILS, "device.unreachable")
GARBLED = Expected(FAILS, "device.garbage")
UNTRUE = Expected(WORKS, "device.not_followed", online=True, lasts=True)

STREAM: Mapping[str, Expected] = {
    "garbage": GARBLED,
    "half": GONE,  # the rest of a line never comes
    "reset": GONE,
    "silent": GONE,
    "unplugged": GONE,
    "reboot": GONE,
    "reboot_in_command": GONE,
    "single_client": Expected(FAILS, "device.refused"),
    "wrong_password": Expected(FAILS, "device.password"),
    "pretends": UNTRUE,
}
UNPLUGGED = Expected(FAILS, "device.unplugged")
NODE: Mapping[str, Expected] = {  # a node of this machine's kernel, which says when its device is gone
    **STREAM,
    "half": GARBLED,
    **dict.fromkeys(("reset", "unplugged", "reboot", "reboot_in_command"), UNPLUGGED),
}
DATAGRAMS: Mapping[str, Expected] = {**STREAM, "half": GARBLED, "reset": WELL}


@dataclass(frozen=True)
class Case:
    """One row of the matrix.

    `rig` gets an empty folder and gives a Rig while entered. `usual` says what the known faults lead to, `expect`
    what differs; a fault named in neither is carried out as if nothing was wrong. `without` gives, for each fault of
    `EVERY_FAULT` that this row does not have, the reason in a few words.
    """

    name: str
    driver: str
    rig: Callable[[Path], AbstractAsyncContextManager[Rig]]
    faults: tuple[str, ...]
    usual: Mapping[str, Expected] = field(default_factory=lambda: STREAM)
    expect: Mapping[str, Expected] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    model: bool = True  # it says its maker or model

    @property
    def tested(self) -> tuple[str, ...]:
        """Its faults; the clock of our own machine jumps under every driver."""
        return tuple(dict.fromkeys((*self.faults, "clock")))

    def expected(self, fault: str) -> Expected:
        """What `fault` leads to."""
        return self.expect.get(fault) or self.usual.get(fault, WELL)
