"""A device that says yes and does nothing has a notice of its own, which only the framework ends."""

from __future__ import annotations

import asyncio

from tests.devices.scripted import Scene, play
from wire.problems import Notice

PATIENCE = 60.0  # seconds of virtual time, in which a watched device is polled many times
LAMP = Notice("device.lamp", {"device": "Appareil"})


def not_followed(name: str) -> Notice:
    return Notice("device.not_followed", {"device": "Appareil", "property": name})


def told(one: Scene) -> list[Notice]:
    """What is shown to be wrong, first things first."""
    device = one.runner.state.device()
    assert device.fault is not None or not device.besides
    return ([] if device.fault is None else [device.fault]) + device.besides


async def lies(one: Scene) -> None:
    """It takes `set_power` and stays off."""
    one.runner.watch(True)
    one.driver.says["power"] = "off"
    await asyncio.sleep(PATIENCE)
    assert (await one.do("set_power", on=True)).outcome == "done"
    assert told(one) == [], "it may have been lost on the way: it is asked again"
    await asyncio.sleep(PATIENCE)


def test_a_wish_that_is_taken_three_times_and_not_met_is_said() -> None:
    async def scene(one: Scene) -> None:
        await lies(one)
        assert [name for _, name, _ in one.driver.done] == ["set_power"] * 3
        assert told(one) == [not_followed("power")]

    play(scene)


def test_a_television_that_says_standby_for_ten_seconds_is_no_liar() -> None:
    async def scene(one: Scene) -> None:
        one.runner.watch(True)
        one.driver.says["power"] = "off"
        await asyncio.sleep(PATIENCE)
        await one.do("set_power", on=True)
        await asyncio.sleep(10.0)
        assert told(one) == []
        assert one.runner.state.desired("power") == "on"
        one.driver.says["power"] = "on"
        await asyncio.sleep(PATIENCE)
        assert told(one) == []
        assert len(one.driver.done) <= 3, "nor is it asked without end"

    play(scene)


def test_it_ends_when_somebody_changes_it_by_hand() -> None:
    async def scene(one: Scene) -> None:
        one.runner.watch(True)
        one.driver.says["volume"] = 0.2
        await asyncio.sleep(PATIENCE)
        await one.do("set_volume", volume=0.9)
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("volume")]
        one.driver.says["volume"] = 0.5
        await asyncio.sleep(PATIENCE)
        assert told(one) == []

    play(scene)


def test_what_is_off_owes_nobody_a_volume() -> None:
    async def scene(one: Scene) -> None:
        one.runner.watch(True)
        one.driver.says |= {"power": "on", "volume": 0.2}
        await asyncio.sleep(PATIENCE)
        await one.do("set_volume", volume=0.9)
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("volume")]
        one.driver.says["power"] = "off"
        await asyncio.sleep(PATIENCE)
        assert told(one) == []

    play(scene)


def test_what_a_driver_says_neither_ends_nor_hides_it() -> None:
    async def scene(one: Scene) -> None:
        await lies(one)
        assert one.driver.context is not None
        one.driver.context.trouble(None)
        assert told(one) == [not_followed("power")]
        one.driver.context.trouble(Notice("device.lamp"))
        assert told(one) == [LAMP, not_followed("power")], "which may be why"
        one.driver.context.connected(model="It can do more than was thought")
        assert not_followed("power") in told(one)

    play(scene)


def test_it_ends_when_the_device_does_it_after_all_and_leaves_the_drivers_own() -> None:
    async def scene(one: Scene) -> None:
        await lies(one)
        assert one.driver.context is not None
        one.driver.context.trouble(Notice("device.lamp"))
        one.driver.says["power"] = "on"
        await asyncio.sleep(PATIENCE)
        assert told(one) == [LAMP]

    play(scene)


def test_it_ends_when_somebody_asks_anew_and_begins_again_when_that_is_not_followed_either() -> None:
    async def scene(one: Scene) -> None:
        await lies(one)
        await one.do("set_power", on=True)
        assert told(one) == []
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("power")]
        await one.do("set_power", on=False)
        await asyncio.sleep(PATIENCE)
        assert told(one) == [], "off it is"

    play(scene)


def test_it_ends_when_the_device_is_opened_again() -> None:
    async def scene(one: Scene) -> None:
        await lies(one)
        one.driver.fall(OSError("cut"))
        await one.gone()
        assert [notice.code for notice in told(one)] == ["device.driver_crashed"]
        await one.online()
        assert told(one) == []

    play(scene)


def test_each_property_has_its_own() -> None:
    async def scene(one: Scene) -> None:
        one.driver.says["mute"] = False
        await lies(one)
        await one.do("set_mute", on=True)
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("power")], "what is off need not be muted"
        one.driver.says["power"] = "on"
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("mute")]

    play(scene)


def test_a_device_whose_steps_are_coarse_is_no_liar() -> None:
    async def scene(one: Scene) -> None:
        one.runner.watch(True)
        one.driver.says["volume"] = 0.6
        await asyncio.sleep(PATIENCE)
        await one.do("set_volume", volume=0.63)
        await asyncio.sleep(PATIENCE)
        assert told(one) == []
        await one.do("set_volume", volume=0.9)
        await asyncio.sleep(PATIENCE)
        assert told(one) == [not_followed("volume")]

    play(scene)


def test_what_is_not_asked_again_is_not_said_to_be_refused() -> None:
    """A camera may be on its way to its position, or tell none."""

    async def scene(one: Scene) -> None:
        one.runner.watch(True)
        one.driver.says["preset"] = 1
        await asyncio.sleep(PATIENCE)
        await one.do("recall_preset", preset=2)
        await asyncio.sleep(PATIENCE)
        assert told(one) == []

    play(scene)
