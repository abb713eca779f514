"""A room on a stage: one hub with quick timing, waited for by its changes, and a check that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from devices import DeviceConfig, DeviceHub, DeviceRequest, Shared, Timing
from devices.emulators.faults import Emulator
from devices.registry import Registry
from wire.devices import Connection, Device, DeviceCommand, DeviceResult, Property, Role

QUICK = Timing(
    connect=0.8,
    command=0.8,
    poll=6.0,
    reply=0.15,
    attempts=3,
    busy=0.02,
    keepalive=0.2,
    watched=0.2,
    idle=0.3,
    changing=0.1,
    follow=0.3,
    nudge=0.05,
    news=0.05,
    backoff_first=0.1,  # grown from the first: a wait is at least half of it
    backoff_last=0.1,
    backoff_watched=0.1,
    backoff_away=0.1,
    stable=1.0,
    lease=0.25,
    last_stop=0.3,
)
REAL_TIME = time.time  # what a jump of the clock is made of in tests
WITHIN = 8.0  # seconds for anything awaited, on a busy machine


class Stage:
    """The hub and one of its devices, `device`."""

    def __init__(
        self,
        configs: list[DeviceConfig],
        timing: Timing = QUICK,
        registry: Registry | None = None,
        shared: Shared | None = None,
        *,
        tolerant: bool = False,
    ) -> None:
        self._changed = asyncio.Event()
        self.changes = 0
        self.jumped = 0.0  # seconds by which the machine's clock was set forward
        self.requests: list[DeviceRequest] = []  # wishes of the devices
        self.hub = DeviceHub(
            "room",
            configs,
            self._on_change,
            timing=timing,
            registry=registry,
            shared=shared,
            dice=random.Random(7),
            on_request=self.requests.append,
            clock=self._clock,
            tolerant=tolerant,
        )
        self.config = configs[0]

    def _clock(self) -> float:
        return REAL_TIME() + self.jumped

    def _on_change(self) -> None:
        self.changes += 1
        self._changed.set()

    @property
    def device(self) -> Device:
        return self.hub.snapshot()[self.config.id]

    def property(self, name: str) -> Property:
        return self.device.properties.get(name, Property())

    async def do(self, op: str, **args: Any) -> DeviceResult:
        return await self.hub.execute(DeviceCommand(self.config.role, op, args))

    async def until(self, condition: Callable[[Device], bool]) -> Device:
        async with asyncio.timeout(WITHIN):
            while not condition(self.device):
                self._changed.clear()
                await self._changed.wait()
        return self.device

    async def online(self) -> Device:
        return await self.until(lambda device: device.connection is Connection.ONLINE)

    async def gone(self) -> Device:
        return await self.until(lambda device: device.connection is Connection.UNREACHABLE)

    async def reboots(self, device: Emulator) -> None:
        """It reboots, and is back no sooner than it was missed."""
        device.reboot_time = 2 * WITHIN
        device.fault("reboot")
        await self.gone()
        device.fault("reboot", False)

    async def all(self, connection: Connection) -> None:
        """Every device of the room, not the first alone."""
        await self.until(lambda _: all(one.connection is connection for one in self.hub.snapshot().values()))

    async def shows(self, name: str, value: object) -> Device:
        return await self.until(lambda device: device.properties.get(name, Property()).reported == value)


@asynccontextmanager
async def stage(
    *configs: DeviceConfig,
    timing: Timing = QUICK,
    registry: Registry | None = None,
    shared: Shared | None = None,
    tolerant: bool = False,
) -> AsyncIterator[Stage]:
    """Run the hub for as long as the context lasts."""
    one = Stage(list(configs), timing, registry, shared, tolerant=tolerant)
    task = asyncio.create_task(one.hub.run())
    try:
        yield one
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def camera(address: tuple[str, int], **settings: Any) -> DeviceConfig:
    host, port = address
    return DeviceConfig("cam", Role.MAIN_CAMERA, "visca", "Caméra", {"host": host, "port": port, **settings})


def display(address: tuple[str, int], **settings: Any) -> DeviceConfig:
    host, port = address
    return DeviceConfig("pj", Role.FRONT_DISPLAY, "pjlink", "Projecteur", {"host": host, "port": port, **settings})


def open_sockets() -> int:
    """How many sockets this process holds."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


@asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fails when a task or a socket outlives the context."""
    before, sockets = asyncio.all_tasks(), open_sockets()
    yield
    left: set[asyncio.Task[Any]] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(2.0):
            while (left := asyncio.all_tasks() - before - {asyncio.current_task()}) or open_sockets() > sockets:
                await asyncio.sleep(0.005)  # closing takes some turns of the loop
    assert not left
    assert open_sockets() <= sockets
