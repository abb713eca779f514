"""The stand-in of a device whose configuration or driver is wrong: its room starts, and shows it with that fault."""

from __future__ import annotations

import asyncio

import msgspec

from devices.config import DeviceConfig
from devices.context import Context
from devices.driver import Driver, Manifest
from wire.problems import Notice


class Nothing(msgspec.Struct, frozen=True):
    """No settings can be read."""


class Unusable(Driver[Nothing]):
    """Can do nothing, and says why."""

    manifest = Manifest("unusable", "1", "Device that cannot be used", Nothing, (), "")

    def __init__(self, config: DeviceConfig) -> None:
        super().__init__(config, Nothing())

    async def run(self, context: Context) -> None:
        """Never there."""
        context.absent(Notice("device.misconfigured"))
        await asyncio.get_running_loop().create_future()  # until cancelled

    async def poll(self, *, whole: bool) -> None:
        """Nothing to ask."""
