"""A television that starts, and goes on saying that it sleeps: neither told again and again, nor called a liar."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from devices import DeviceHub
from devices.emulators.cec import CecEmulator
from tests.devices import virtual
from tests.devices.test_cec import television
from wire.devices import Device, DeviceCommand, Role

ON = DeviceCommand(Role.FRONT_DISPLAY, "set_power", {"on": True})
MINUTE = 60


def woken(folder: Path, drowsy: float, watched: bool, seen: Callable[[Device], None]) -> CecEmulator:
    """A room's timing, virtual time: woken once, then looked at every second for two minutes."""
    tv = CecEmulator(folder / "cec", drowsy=drowsy)

    async def main(_: virtual.VirtualLoop) -> None:
        hub = DeviceHub("room", [television(tv)], lambda: None, dice=random.Random(3))
        async with tv:
            running = asyncio.create_task(hub.run())
            hub.watch(watched)
            await asyncio.sleep(MINUTE)
            assert (await hub.execute(ON)).outcome == "accepted"
            for _second in range(2 * MINUTE):
                seen(hub.snapshot()["tv"])
                await asyncio.sleep(1)
            running.cancel()
            await asyncio.wait({running})

    virtual.run(main)
    return tv


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("drowsy", [3.0, 10.0])
def test_one_that_says_standby_while_it_starts_is_believed_to_start(
    tmp_path: Path, drowsy: float, watched: bool
) -> None:
    shown: list[Device] = []
    tv = woken(tmp_path, drowsy, watched, shown.append)
    assert {device.fault for device in shown} == {None}
    assert {device.properties["power"].desired for device in shown} == {"on"}
    assert (tv.power, shown[-1].properties["power"].reported) == ("on", "on")
    assert tv.commands.count("on") <= 3, "told again and again"


def test_one_that_says_so_for_a_minute_is_let_be_and_said_until_it_is_so(tmp_path: Path) -> None:
    shown: list[Device] = []
    tv = woken(tmp_path, MINUTE, True, shown.append)
    assert tv.commands == ["on"] * 3
    said = [device.fault.code if device.fault else "" for device in shown]
    assert said[MINUTE // 2] == "device.not_followed"
    assert said[-1] == "", "on, after all"
