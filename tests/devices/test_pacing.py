"""A device is asked no faster than its driver's manifest says, but for what has to come at once."""

from __future__ import annotations

import asyncio

import pytest

from devices.config import DeviceConfig
from devices.context import Context
from devices.sharing import Share, Shared
from devices.state import DeviceState
from devices.timing import Timing
from tests.devices import virtual
from wire.devices import Role

SPACING = 0.05


@pytest.mark.parametrize(("at_once", "times"), [(False, [0.0, 0.05, 0.1]), (True, [0.0, 0.0, 0.0])])
def test_exchanges_keep_their_distance(at_once: bool, times: list[float]) -> None:
    async def main(loop: virtual.VirtualLoop) -> None:
        context = Context(_state(), Timing(), Share(Shared(), lambda: None), SPACING, lambda: None)
        begun, asked = loop.time(), list[float]()

        async def ask() -> None:
            asked.append(round(asyncio.get_running_loop().time() - begun, 6))

        for _ in range(3):
            await context.retrying(ask, at_once=at_once)
        assert asked == times

    virtual.run(main)


def _state() -> DeviceState:
    return DeviceState(DeviceConfig("d", Role.UPS, "pacing", "d"), [], {}, lambda: None)
