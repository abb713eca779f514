"""What drivers are built on: searching, wishes of a device, the machine's clock."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

import msgspec
import pytest

from devices import DeviceConfig, DeviceRequest, Found, discover
from devices.context import Context
from devices.discovery import MOST, seconds_for, takes_long
from devices.driver import Driver, Manifest
from devices.pjlink.driver import PjlinkDisplay
from devices.registry import Registry
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Role


class NoSettings(msgspec.Struct, frozen=True):
    """None."""


class Key(Driver[NoSettings]):
    """A mute key: asks the room as soon as it is there."""

    manifest = Manifest("key", "0", "Key", NoSettings, ("usb",), "tests.devices.test_seams:Key")

    async def run(self, context: Context) -> None:
        context.connected(model="Key")
        context.ask("set_mute", on=True)
        await asyncio.Event().wait()

    async def poll(self, *, whole: bool) -> None:
        pass

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        return [Found("key", name, settings={"path": path}, identity=path) for name, path in (("B", "1"), ("A", "1"))]


class Stuck(Key):
    """Its search never ends."""

    manifest = Manifest("stuck", "0", "Stuck", NoSettings, ("usb",), "tests.devices.test_seams:Key")

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        await asyncio.Event().wait()
        return []


class Broken(Key):
    """Its search fails."""

    manifest = Manifest("broken", "0", "Broken", NoSettings, ("usb",), "tests.devices.test_seams:Key")

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        raise ZeroDivisionError


class Flood(Key):
    """It finds more than anybody has, the last first."""

    manifest = Manifest("flood", "0", "Flood", NoSettings, ("usb",), "tests.devices.test_seams:Key")

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        return [Found("flood", f"{number:04}", identity=str(number)) for number in reversed(range(MOST + 100))]


class Unhurried(Key):
    """Answers a search when it pleases."""

    manifest = Manifest("unhurried", "0", "Unhurried", NoSettings, ("usb",), "tests.devices.test_seams:Key")
    answers_within = 7.0
    asked: ClassVar[list[float]] = []

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        cls.asked.append(seconds)
        return []


async def test_who_may_take_long_to_answer_is_searched_for_so_long_unless_told_otherwise() -> None:
    for seconds in (None, 0.5):
        await discover(Registry([Unhurried]), seconds)
    assert Unhurried.asked == [7.0, 0.5]
    assert (seconds_for(Key, None), takes_long(Key, None), takes_long(Unhurried, 0.5)) == (3.0, False, False)
    assert seconds_for(PjlinkDisplay, None) > 10, "at random, up to ten seconds"


async def test_a_wish_of_a_device_goes_up_to_the_room() -> None:
    registry = Registry([Key])
    config = DeviceConfig("b", Role.MUTE_BUTTON, "key", "Touche")
    async with nothing_left_behind(), stage(config, registry=registry) as room:
        await room.online()
        assert room.requests == [DeviceRequest("b", Role.MUTE_BUTTON, "set_mute", {"on": True})]


async def test_a_search_gives_each_device_once_whatever_some_drivers_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("devices.discovery.GRACE", 0.05)
    found = await discover(Registry([Key, Stuck, Broken]), 0.0)
    assert [(one.driver, one.identity) for one in found] == [("key", "1")]
    assert "stuck" in caplog.text
    assert "broken" in caplog.text
    assert await discover(Registry([Key, Stuck]), 0.0, ["nobody"]) == []


async def test_a_search_is_bounded_and_in_order() -> None:
    found = await discover(Registry([Key, Flood]), 0.0)
    names = [one.name for one in found if one.driver == "flood"]
    assert len(names) == MOST
    assert names == sorted(names)
    assert found[-1].driver == "key"
    assert {one.driver for one in await discover(Registry([Key, Flood]), 0.0, ["key"])} == {"key"}


async def test_ages_are_told_by_the_clock_of_the_room() -> None:
    config = DeviceConfig("b", Role.MUTE_BUTTON, "key", "Touche")
    async with stage(config, registry=Registry([Key])) as room:
        room.jumped = -1e9
        device = await room.online()
        assert device.last_seen is not None
        assert device.last_seen < time.time() - 9e8
