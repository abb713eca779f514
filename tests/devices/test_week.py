"""A week of 31 rooms in virtual time, with random faults: all converge when the faults end, and the log stays small.

Real drivers, runners and emulators (`tests/devices/rooms.py`); only time and the network are virtual
(`tests/devices/virtual.py`). Idle rooms are asked every one and two hours instead of every 5 and 45 seconds, redialled
within the hour instead of 30 seconds, and a reboot takes 150 minutes, so that a week is some hundred thousand exchanges
rather than tens of millions; nothing else differs from a room's timing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from devices import DeviceHub, Timing
from devices.emulators.faults import PRETENDS
from tests.devices import virtual
from tests.devices.rooms import Stood, equipment
from wire.devices import Connection, DeviceCommand, DeviceResult, Value

ROOMS = 31
HOUR = 3600.0
WEEK = 7 * 24 * HOUR
CALM = 12 * HOUR  # at the end, without faults
USED = WEEK - CALM - 20 * HOUR  # until then: what was asked last has faults still to come
NO = {"refuses", "unknown"}  # a device that says that it never will: a wish ends there, so they end before the last use
BY_HAND = 5 * HOUR  # before the end, somebody stands at some devices; no poll is further away than two hours
SLOW = Timing(keepalive=3600.0, idle=7200.0, backoff_last=3600.0, stable=3600.0, changing=20.0)
REBOOT = 9000.0
DEVICES = 4  # in each room
LINES = 20  # of the log at most, of each device in the whole week
SEED = 20261122
KINDS = {"udp", "tcp", "node"}  # of connections


class VirtualRoom:
    """A hub with its devices, somebody who uses them, and somebody who breaks them."""

    def __init__(self, number: int, dice: random.Random, folder: Path) -> None:
        self._dice = dice
        self.devices = equipment(number, REBOOT, WEEK, folder)
        configs = [one.config for one in self.devices]
        self.hub = DeviceHub(str(number), configs, lambda: None, timing=SLOW, dice=dice)
        self.results: dict[str, int] = {}

    async def breaks(self) -> None:
        """Faults one after the other, some at the same time, of minutes to hours.

        But for one: a device that says that it did it, and did not, is let be after a while, and said to be so.
        """
        loop = asyncio.get_running_loop()
        while loop.time() < WEEK - CALM - 10 * HOUR:
            await asyncio.sleep(self._dice.uniform(0.5, 8) * HOUR)
            emulator = self._dice.choice(self.devices).emulator
            fault = self._dice.choice([one for one in emulator.available_faults if one != PRETENDS])
            if fault in NO and loop.time() > USED - 3 * HOUR:
                continue
            emulator.fault(fault)
            await asyncio.sleep(self._dice.uniform(10, 2 * HOUR))
            if fault in NO or self._dice.random() < 0.9:
                emulator.fault(fault, False)
        for one in self.devices:
            for fault in one.emulator.faults - {"reboot"}:
                one.emulator.fault(fault, False)

    async def used(self) -> None:
        """Commands at any time, faults or not; the last of each kind is what must be in the end."""
        loop = asyncio.get_running_loop()
        while loop.time() < USED:
            await asyncio.sleep(self._dice.uniform(0.2, 3) * HOUR)
            await self._use(self._dice.choice(self.devices))

    async def _use(self, device: Stood) -> None:
        asked = self._dice.choice(device.asks(self._dice))
        result = await self.hub.execute(DeviceCommand(device.config.role, asked.op, asked.args))
        self.results[result.outcome] = self.results.get(result.outcome, 0) + 1
        if not asked.name:
            return
        if _refused(result):  # it never will, and said so: nothing is wished any more
            device.wishes.pop(asked.name, None)
        else:
            device.wishes[asked.name] = asked.value

    def unmet(self) -> list[str]:
        """What is not as it was last asked, by the word of the emulators."""
        shown = self.hub.snapshot()
        wrong = [f"{one.id} is {one.connection}" for one in shown.values() if one.connection is not Connection.ONLINE]
        wrong += [f"{one.id}: {one.fault.code}" for one in shown.values() if one.fault is not None]
        for device in self.devices:
            if device.moves():
                wrong.append("the camera runs away")
            for name, wish in device.wishes.items():
                known = shown[device.config.id].properties[name]
                if name == "input" and device.real("power") != "on":
                    continue
                desired = None if name in device.touched else wish
                if (known.desired, known.reported, device.real(name)) != (desired, wish, wish):
                    wrong.append(f"{device.config.driver} {name}: asked {wish}, shown {known}, is {device.real(name)}")
        return wrong

    async def touched(self) -> None:
        """Long after the faults, somebody switches a device by hand in every third room, and is not contradicted."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(WEEK - BY_HAND - loop.time())
        device = self._dice.choice([one for one in self.devices if one.by_hand])
        name = next(iter({"power", "framing"} & device.wishes.keys()), None)
        if device.by_hand is None or name is None or self._dice.random() < 1 / 2:
            return
        wish = device.wishes[name]
        other: Value = (not wish) if isinstance(wish, bool) else "off" if wish == "on" else "on"
        device.by_hand(name, other)
        device.wishes[name] = other
        device.touched.add(name)


def _refused(result: DeviceResult) -> bool:
    return result.outcome == "unsupported" or (result.outcome == "failed" and not result.retryable)


def _kind(one: Stood) -> str:
    settings = one.config.settings
    return "node" if "node" in settings else str(settings.get("transport", "tcp"))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_week_of_faults_ends_well(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    rooms: list[VirtualRoom] = []

    async def week(loop: virtual.VirtualLoop) -> None:
        rooms.extend(VirtualRoom(number, random.Random(dice.random()), tmp_path) for number in range(1, ROOMS + 1))
        async with AsyncExitStack() as stack:
            for room in rooms:
                for device in room.devices:
                    await stack.enter_async_context(device.emulator)
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
    devices = [device for room in rooms for device in room.devices]
    assert {_kind(one) for one in devices if one.wishes} == KINDS, "each kind of connection was asked something"
    outcomes: dict[str, int] = {}
    for room in rooms:
        for outcome, count in room.results.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    assert sum(len(one.wishes) for one in devices) > 3 * ROOMS, "most devices were asked something that lasts"
    assert sum(len(one.touched) for one in devices) > ROOMS // 6, "somebody stood at some devices"
    assert outcomes["done"] > 1000
    assert outcomes["failed"] > 30, "the faults were felt"
    assert 300 < len(caplog.records) < LINES * len(devices)
    assert not [one for one in caplog.records if "crashed" in one.getMessage()]
