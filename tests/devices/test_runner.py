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
from devices.errors import Lost, WrongPassword
from devices.runner import DeviceRunner
from devices.sharing import Shared
from devices.timing import Timing
from tests.devices.scripted import Scene, play
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


def test_a_camera_whose_stop_is_broken_harms_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(one: Scene) -> None:
        one.driver.raises["stop"] = ZeroDivisionError("stop is broken")
        await one.do("move", pan=1)
        one.driver.polls = Lost("its poll fails")
        one.runner.watch(True)
        await one.gone()
        assert one.runner.state.fault is not None
        assert one.runner.state.fault.code == "device.unreachable", "its poll, not its stop"
        assert one.driver.moving
        one.driver.polls = None
        one.driver.raises.clear()
        await one.online()
        assert not one.driver.moving

    play(scene)
    assert "stop is broken" in caplog.text


def test_what_goes_wrong_around_a_connection_is_told_and_the_device_dialled_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(one: Scene) -> None:
        driver = one.driver

        def broken(*_: object) -> None:
            monkeypatch.undo()
            raise ZeroDivisionError("broken framework")

        monkeypatch.setattr(Context, "in_time", broken)
        driver.fall(Lost("fell"))
        await one.gone()
        fault = one.runner.state.fault
        while fault is None or fault.code != "device.driver_crashed":
            await asyncio.sleep(0.01)
            fault = one.runner.state.fault
        await one.online()
        assert (await one.do("set_power", on=True)).outcome == "done"

    play(scene)
    assert "broken framework" in caplog.text


@pytest.mark.parametrize("when", ["dialling", "connected"])
def test_a_wrong_password_is_tried_slowly_even_while_somebody_looks(when: str) -> None:
    """Cameras lock out whoever is refused some times within minutes."""

    async def scene(one: Scene) -> None:
        driver, runner = one.driver, one.runner
        if when == "dialling":
            driver.refuses_us = WrongPassword()
            driver.fall(Lost("fell"))
        else:
            driver.polls = WrongPassword()
            runner.watch(True)
        fault = None
        while fault is None or fault.code != "device.password":
            await asyncio.sleep(0.1)
            fault = runner.state.fault
        driver.dials = 0
        for second in range(600):
            runner.watch(second % 2 == 0)
            await asyncio.sleep(1)
        assert 4 < driver.dials <= 10
        driver.refuses_us = driver.polls = None
        await one.online()
        driver.fall(Lost("fell"))
        await one.gone()
        begun = asyncio.get_running_loop().time()
        await one.online()
        assert asyncio.get_running_loop().time() - begun < 10, "it counts for that loss alone"

    play(scene)


def test_who_begins_to_look_at_a_device_that_is_away_has_it_dialled_soon() -> None:
    async def scene(one: Scene) -> None:
        one.driver.refuses_us = Lost("silent")
        one.driver.fall(Lost("fell"))
        await one.gone()
        await asyncio.sleep(3600.2)
        dials = one.driver.dials
        one.runner.watch(True)
        await asyncio.sleep(1.0)
        assert one.driver.dials == dials + 1

    play(scene)
