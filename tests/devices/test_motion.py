"""No camera runs away, however moves and stops meet: in virtual time, to the millisecond."""

from __future__ import annotations

import asyncio

import pytest

from devices import DeviceHub
from devices.emulators import ViscaEmulator
from devices.errors import Lost, Rejected
from tests.devices import virtual
from tests.devices.scripted import ROOMS, Scene, play
from tests.devices.stage import camera
from wire.devices import Connection, DeviceCommand, Role

LEASE = ROOMS.lease


def test_a_move_during_a_stop_has_its_own_lease() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["stop"] = 0.2
        await one.do("move", pan=0.5)
        stop = one.ask("stop")
        await asyncio.sleep(0.1)
        assert (await one.do("move", pan=0.5)).outcome == "done"
        assert (await stop).outcome == "done"
        assert one.runner.state.device().properties["moving"].assumed is True, "it moves, and that is shown"
        await asyncio.sleep(5)
        assert not one.driver.moving
        assert one.driver.still_at - one.driver.moved_at[-1] <= LEASE + 0.2

    play(scene)


@pytest.mark.parametrize("late", [number / 100 for number in range(0, 30, 2)])
def test_a_renewal_that_comes_about_when_the_lease_ends_keeps_a_lease(late: float) -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes.update(stop=0.1, move=0.05)
        await one.do("move", pan=0.1)
        await asyncio.sleep(LEASE - 0.15 + late)
        await one.do("move", pan=0.1)
        await asyncio.sleep(5)
        assert not one.driver.moving
        assert one.driver.still_at - one.driver.moved_at[-1] <= LEASE + 0.1

    play(scene)


def test_a_refused_stop_does_not_end_the_lease_of_a_later_move() -> None:
    async def scene(one: Scene) -> None:
        one.driver.raises["stop"] = Rejected("not now", retryable=True)
        await one.do("move", pan=0.5)
        await asyncio.sleep(60)  # by now it is asked every half a minute only
        one.driver.takes["stop"] = 0.2
        stop = one.ask("stop")
        await asyncio.sleep(0.1)
        await one.do("move", pan=0.5)
        assert (await stop).outcome == "failed"
        one.driver.raises.clear()
        await asyncio.sleep(5)
        assert not one.driver.moving
        assert one.driver.still_at - one.driver.moved_at[-1] <= LEASE + 0.2

    play(scene)


def test_a_camera_that_moved_when_it_was_pulled_out_is_stopped_once_it_is_back() -> None:
    async def scene(one: Scene) -> None:
        await one.do("move", pan=0.5)
        one.driver.absent = True
        one.driver.fall(Lost("pulled out"))
        await one.gone()
        await asyncio.sleep(60)
        assert one.driver.moving
        one.driver.comes.set()
        await asyncio.sleep(2)
        assert not one.driver.moving

    play(scene)


@pytest.mark.parametrize("pause", [0.0, 0.03, 0.06, 0.09])
def test_a_visca_camera_that_answers_late_stops_after_a_move_asked_during_a_stop(pause: float) -> None:
    async def main(loop: virtual.VirtualLoop) -> None:
        async with ViscaEmulator("127.0.0.1", 52381, delay=0.08) as real:
            hub = DeviceHub("r", [camera(real.address)], lambda: None, timing=ROOMS)
            running = asyncio.create_task(hub.run())
            while hub.snapshot()["cam"].connection is not Connection.ONLINE:
                await asyncio.sleep(0.01)
            try:
                await _move_during_a_stop(real, hub, pause)
            finally:
                running.cancel()
                await asyncio.wait({running})

    virtual.run(main)


async def _move_during_a_stop(real: ViscaEmulator, hub: DeviceHub, pause: float) -> None:
    move = DeviceCommand(Role.MAIN_CAMERA, "move", {"pan": 0.5})
    real.fault("delay")
    assert (await hub.execute(move)).outcome == "done"
    stopping = asyncio.create_task(hub.execute(DeviceCommand(Role.MAIN_CAMERA, "stop")))
    await asyncio.sleep(pause)
    await hub.execute(move)
    await stopping
    await asyncio.sleep(LEASE + 0.5)
    assert not real.moving
