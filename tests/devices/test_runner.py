"""The runner between its tasks: nothing that a driver raised is left for the interpreter to complain about."""

from __future__ import annotations

import asyncio
import gc
import random
from typing import Any

import msgspec
import pytest

from devices.config import DeviceConfig
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.errors import Lost
from devices.runner import DeviceRunner
from devices.sharing import Shared
from devices.timing import Timing
from wire.devices import Role


class Nothing(msgspec.Struct, frozen=True):
    """No settings."""


class Falling(Driver[Nothing]):
    """Connects, and falls when told."""

    manifest = Manifest("falling", "1", "Falls", Nothing, ("tcp",), "")

    def __init__(self) -> None:
        super().__init__(DeviceConfig("d", Role.UPS, "falling", "d"), Nothing())
        self.fall, self.fell = asyncio.Event(), asyncio.Event()

    async def run(self, context: Context) -> None:
        """Raise Lost when told."""
        context.connected()
        await self.fall.wait()
        self.fell.set()
        raise Lost("fell")

    async def poll(self, *, whole: bool) -> None:
        """Nothing to ask."""


@pytest.mark.parametrize("turns", range(4))
async def test_a_connection_that_ends_as_the_program_does_is_no_complaint(turns: int) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    driver = Falling()
    runner = DeviceRunner(driver, Timing(), Shared(), random.Random(1), lambda: None)
    running = asyncio.create_task(runner.run())
    while not runner.state.settled:
        await asyncio.sleep(0)
    driver.fall.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    del running, runner, driver
    gc.collect()
    assert complaints == []
