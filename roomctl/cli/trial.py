"""Devices run for as long as a command needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from devices import DeviceConfig, DeviceHub, Timing
from devices.registry import Registry
from devices.state import NOT_FOLLOWED
from wire.devices import Connection, Device, DeviceCommand, DeviceResult

LOOK = 0.02  # seconds between two looks at what raises no event


class Trial:
    """A hub with some devices. `changed` is set when anything but an age changed."""

    def __init__(self, configs: list[DeviceConfig], known: Registry, timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self.configs = configs
        self.changed = asyncio.Event()
        self.hub = DeviceHub("trial", configs, self.changed.set, timing=self.timing, registry=known)
        self.hub.watch(True)

    @property
    def devices(self) -> list[Device]:
        """As they are known now."""
        return list(self.hub.snapshot().values())

    async def answered(self) -> list[Device]:
        """Until each device answered its first whole poll or is known not to answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.timing.dial + self.timing.command):
                while not all(self.hub.is_known(one.id) for one in self.configs):
                    await asyncio.sleep(LOOK)
        return self.devices

    async def send(
        self, config: DeviceConfig, op: str, args: dict[str, str | int | float | bool | None]
    ) -> DeviceResult:
        """One command to one device."""
        return await self.hub.execute(DeviceCommand(config.role, op, args))

    async def settled(self, device: str, name: str, seconds: float) -> bool:
        """Whether the device reports what was asked of property `name` within so many seconds, or is said not to do it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._met(device, name) and not self._let_be(device, name):
                    self.changed.clear()
                    await self.changed.wait()
        return self._met(device, name)

    def _let_be(self, device: str, name: str) -> bool:
        one = self.hub.snapshot()[device]
        said = [one.fault, *one.besides] if one.fault is not None else []
        return any(notice.code == NOT_FOLLOWED and notice.args.get("property") == name for notice in said)

    def _met(self, device: str, name: str) -> bool:
        one = self.hub.snapshot()[device]
        known = one.properties.get(name)
        return one.connection is Connection.ONLINE and known is not None and known.reported == known.desired


@asynccontextmanager
async def trial(configs: list[DeviceConfig], known: Registry, timing: Timing | None = None) -> AsyncIterator[Trial]:
    """Run them, by the drivers `known`; at the end every connection is closed and a moving camera stopped."""
    one = Trial(configs, known, timing)
    running = asyncio.create_task(one.hub.run(), name="trial")
    try:
        yield one
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
