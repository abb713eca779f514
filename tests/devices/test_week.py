"""A week of 31 rooms in virtual time, with random faults: all converge when the faults end, and the log stays small.

Real drivers, runners and emulators; only time and the network are virtual (`tests/devices/virtual.py`). Idle rooms are
asked every one and two hours instead of every 5 and 45 seconds, redialled within the hour instead of 30 seconds, and a
reboot takes 150 minutes, so that a week is some hundred thousand exchanges rather than tens of millions; nothing else
differs from a room's timing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from devices import DeviceConfig, DeviceHub, Timing
from devices.emulators import PjlinkEmulator, ViscaEmulator
from devices.emulators.faults import Emulator
from tests.devices import virtual
from wire.devices import Connection, DeviceCommand, Role, Value

ROOMS = 31
HOUR = 3600.0
WEEK = 7 * 24 * HOUR
CALM = 12 * HOUR  # at the end, without faults
BY_HAND = 5 * HOUR  # before the end, somebody stands at some devices; no poll is further away than two hours
SLOW = Timing(keepalive=3600.0, idle=7200.0, backoff_last=3600.0, stable=3600.0, changing=20.0)
REBOOT = 9000.0
LINES = 31 * 2 * 20  # of the log at most, of the whole week
SEED = 20261122


class VirtualRoom:
    """A hub with a camera and a display, somebody who uses them, and somebody who breaks them."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self._dice = dice
        host = f"127.0.1.{number}"
        self.camera = ViscaEmulator(host, 52381, reboot=REBOOT, seed=number)
        self.display = PjlinkEmulator(
            host, 4352, reboot=REBOOT, seed=number, password="secret", power="on", idle_close=WEEK
        )
        self.emulators: list[Emulator] = [self.camera, self.display]
        at = {"host": host}
        configs = [
            DeviceConfig("camera", Role.MAIN_CAMERA, "visca", "Camera", {**at, "header": number % 2 == 0}),
            DeviceConfig("display", Role.FRONT_DISPLAY, "pjlink", "Display", {**at, "password": "secret"}),
        ]
        if number % 2:
            self.camera._header = False
        self.changes = 0
        self.hub = DeviceHub(str(number), configs, self._changed, timing=SLOW, dice=dice)
        self.wishes: dict[tuple[Role, str], Any] = {}
        self.by_hand: set[tuple[Role, str]] = set()  # whose wish somebody at the device took back
        self.results: dict[str, int] = {}

    def _changed(self) -> None:
        self.changes += 1

    async def breaks(self) -> None:
        """Faults one after the other, some at the same time, of minutes to hours."""
        loop = asyncio.get_running_loop()
        while loop.time() < WEEK - CALM - 10 * HOUR:
            await asyncio.sleep(self._dice.uniform(0.5, 8) * HOUR)
            emulator = self._dice.choice(self.emulators)
            fault = self._dice.choice(emulator.available_faults)
            emulator.fault(fault)
            await asyncio.sleep(self._dice.uniform(10, 2 * HOUR))
            if self._dice.random() < 0.9:
                emulator.fault(fault, False)
        for emulator in self.emulators:
            for fault in emulator.faults - {"reboot"}:
                emulator.fault(fault, False)

    async def used(self) -> None:
        """Commands at any time, faults or not; the last of each kind is what must be in the end."""
        loop = asyncio.get_running_loop()
        while loop.time() < WEEK - CALM - HOUR:
            await asyncio.sleep(self._dice.uniform(0.2, 3) * HOUR)
            asked: list[tuple[Role, str, str, dict[str, Value]]] = [
                (Role.FRONT_DISPLAY, "set_power", "power", {"on": self._dice.random() < 0.7}),
                (Role.FRONT_DISPLAY, "select_input", "input", {"input": self._dice.choice(["hdmi1", "hdmi2"])}),
                (Role.MAIN_CAMERA, "set_power", "power", {"on": self._dice.random() < 0.7}),
                (Role.MAIN_CAMERA, "move", "", {"pan": 1.0}),
            ]
            role, op, name, args = self._dice.choice(asked)
            result = await self.hub.execute(DeviceCommand(role, op, args))
            self.results[result.outcome] = self.results.get(result.outcome, 0) + 1
            if name and result.outcome != "unsupported":  # the fault `unknown`: the device never will
                self.wishes[role, name] = next(iter(args.values()))

    def unmet(self) -> list[str]:
        """What is not as it was last asked, by the word of the emulators."""
        devices = {one.role: one for one in self.hub.snapshot().values()}
        wrong = [f"{one.id} is {one.connection}" for one in devices.values() if one.connection is not Connection.ONLINE]
        wrong += [f"{one.id}: {one.fault.code}" for one in devices.values() if one.fault is not None]
        if self.camera.moving:
            wrong.append("the camera runs away")
        for (role, name), wish in self.wishes.items():
            if name == "input" and self.display.power != "on":
                continue
            known = devices[role].properties[name]
            asked = {True: "on", False: "off"}.get(wish, wish) if name == "power" else wish
            desired = None if (role, name) in self.by_hand else asked
            if (known.desired, known.reported, self._real(role, name)) != (desired, asked, asked):
                wrong.append(f"{role} {name}: asked {asked}, shown {known}, is {self._real(role, name)}")
        return wrong

    async def touched(self) -> None:
        """Long after the faults, somebody switches a device by hand in every third room, and is not contradicted."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(WEEK - BY_HAND - loop.time())
        role = self._dice.choice([Role.MAIN_CAMERA, Role.FRONT_DISPLAY])
        if (wish := self.wishes.get((role, "power"))) is None or self._dice.random() < 2 / 3:
            return
        if role is Role.MAIN_CAMERA:
            self.camera.power = not wish
        else:
            self.display._switch(on=not wish)
        self.wishes[role, "power"] = not wish
        self.by_hand.add((role, "power"))

    def _real(self, role: Role, name: str) -> str:
        if role is Role.MAIN_CAMERA:
            return "on" if self.camera.power else "off"
        return self.display.power if name == "power" else {"31": "hdmi1", "32": "hdmi2"}[self.display.input]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_week_of_faults_ends_well(caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(SEED)
    rooms = [VirtualRoom(number, random.Random(dice.random())) for number in range(1, ROOMS + 1)]

    async def week(loop: virtual.VirtualLoop) -> None:
        async with AsyncExitStack() as stack:
            for room in rooms:
                for emulator in room.emulators:
                    await stack.enter_async_context(emulator)
            running = [asyncio.create_task(room.hub.run()) for room in rooms]
            async with asyncio.TaskGroup() as group:
                for room in rooms:
                    group.create_task(room.breaks())
                    group.create_task(room.used())
                    group.create_task(room.touched())
            await asyncio.sleep(WEEK - loop.time())
            assert {number: wrong for number, room in enumerate(rooms, 1) if (wrong := room.unmet())} == {}
            for task in running:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    with caplog.at_level(logging.INFO, logger="devices"):
        loop = virtual.run(week)
    assert loop.time() >= WEEK
    outcomes: dict[str, int] = {}
    for room in rooms:
        for outcome, count in room.results.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    assert sum(len(room.wishes) for room in rooms) > 2 * ROOMS, "most devices were asked something that lasts"
    assert sum(len(room.by_hand) for room in rooms) > ROOMS // 6, "somebody stood at some devices"
    assert outcomes["done"] > 1000
    assert outcomes["failed"] > 30, "the faults were felt"
    assert 300 < len(caplog.records) < LINES
    assert not [one for one in caplog.records if "crashed" in one.getMessage()]
