"""Drivers that packages bring: really installed, found by their entry point, and harming only their own device."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devices import DeviceConfig, DeviceRequest, DeviceSettingsError, apart, discover
from devices.emulators import ViscaEmulator
from devices.registry import Registry
from tests.devices import wheels
from tests.devices.stage import camera, nothing_left_behind, stage
from wire.devices import Connection, DeviceCommand, Role

MODULE = """
import asyncio, sys, threading, time
import msgspec
from devices.capabilities import On, Reply
from devices.driver import Driver, Manifest

GATE = threading.Event()   # opened by the test: what blocks goes on
THREADS = set()

class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass

def manifest(name):
    return Manifest(name, "1", name, Nothing, ("usb",), "third_party:Good")

class Good(Driver[Nothing]):
    manifest = manifest("good")

    async def run(self, context):
        self.context = context
        THREADS.add(threading.current_thread())
        context.connected(model="Good")
        context.heard("hello")
        context.ask("set_mute", on=True)
        await asyncio.Event().wait()

    async def poll(self, *, whole):
        self.context.report("power", "on")

    async def set_power(self, args: On) -> Reply:
        return Reply.DONE

class Blocks(Good):
    manifest = manifest("blocks")

    async def set_power(self, args: On) -> Reply:
        GATE.wait()
        return Reply.DONE

    @classmethod
    async def discover(cls, seconds):
        GATE.wait()
        return []

class Crashes(Good):
    manifest = manifest("crashes")

    async def set_power(self, args: On) -> Reply:
        self.crash.set()
        return Reply.DONE

    async def run(self, context):
        self.context, self.crash = context, asyncio.Event()
        context.connected(model="Crashes")
        await self.crash.wait()
        raise ZeroDivisionError("oops")

class Exits(Crashes):
    manifest = manifest("exits")

    async def run(self, context):
        self.context, self.crash = context, asyncio.Event()
        context.connected(model="Exits")
        await self.crash.wait()
        sys.exit(3)

class Faceless(Good):
    manifest = manifest("faceless")

    @property
    def address(self):
        raise AttributeError("no face")

class Listless(Good):
    manifest = manifest("listless")

    @property
    def inputs(self):
        return ["one", 2]

class Odd(Good):
    manifest = manifest("odd")

    async def poll(self, *, whole):
        for report in REPORTS:
            report(self.context)

REPORTS = []

class Watchful(Good):
    manifest = manifest("watchful")

    async def poll(self, *, whole):
        self.context.report("power", "on" if self.context.watched else "off")

class Unmade(Good):
    manifest = manifest("unmade")

    def __init__(self, config, settings):
        raise ZeroDivisionError("never ready")
"""
ALL = ("Good", "Blocks", "Crashes", "Exits", "Faceless", "Listless", "Odd", "Watchful", "Unmade")
DRIVERS = {one.lower(): f"third_party:{one}" for one in ALL}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("packages")
    crash = "import sys\nsys.exit('no luck')\n"
    wheels.install(folder, "broken_import", {"broken_import.py": crash}, {"broken": "broken_import:Driver"})
    yield wheels.install(folder, "third_party", {"third_party.py": MODULE}, DRIVERS)
    sys.modules.pop("third_party", None)


@pytest.fixture
def module(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The installed package's module; whatever blocks in it goes on at the end."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(apart, "BEAT", 0.05)
    monkeypatch.setattr(apart, "BLOCKED", 0.3)
    monkeypatch.setattr(apart, "END", 0.2)
    import third_party  # type: ignore[import-not-found]

    third_party.GATE.clear()
    yield third_party
    third_party.GATE.set()
    for thread in threading.enumerate():
        if thread.name.startswith(("driver ", "search ")):
            thread.join(5)


def device(driver: str) -> DeviceConfig:
    return DeviceConfig("odd", Role.CONTENT_INPUT, driver, "Étrange")


async def test_a_package_adds_a_driver_that_runs_on_its_own_thread(module: Any) -> None:
    async with nothing_left_behind(), stage(device("good")) as room:
        await room.online()
        await room.shows("power", "on")
        assert (await room.do("set_power", on=True)).outcome == "done"
        assert room.device.last_words == "hello"
        assert room.requests == [DeviceRequest("odd", Role.CONTENT_INPUT, "set_mute", {"on": True})]
        assert threading.current_thread() not in module.THREADS
    for thread in module.THREADS:
        thread.join(5)
        assert not thread.is_alive()


async def test_one_that_blocks_is_named_and_harms_only_its_device(
    module: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with ViscaEmulator() as cam, stage(device("blocks"), camera(cam.address)) as room:
        await room.online()
        await room.until(lambda _: room.hub.snapshot()["cam"].connection is Connection.ONLINE)
        blocked = asyncio.create_task(room.do("set_power", on=True))
        told = await room.until(lambda device: device.fault is not None)
        assert told.fault is not None
        assert told.fault.code == "device.driver_blocked"
        assert (await blocked).outcome in ("failed", "timed_out")
        result = await room.hub.execute(DeviceCommand(Role.MAIN_CAMERA, "set_power", {"on": True}))
        assert result.outcome == "done"
        said = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
        assert "driver blocks of device odd blocks for" in said[0]
        assert "in wait" in said[0], "where it blocks"
        module.GATE.set()
        await room.online()
        assert (await room.do("set_power", on=True)).outcome == "done"


@pytest.mark.parametrize("name", ["crashes", "exits"])
async def test_one_that_crashes_is_started_again(name: str, module: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with nothing_left_behind(), ViscaEmulator() as cam, stage(device(name), camera(cam.address)) as room:
        await room.online()
        await room.do("set_power", on=True)
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.driver_crashed")
        assert (await room.hub.execute(DeviceCommand(Role.MAIN_CAMERA, "stop"))).outcome == "done"
        await room.online()
    assert f"driver {name} of device odd crashed" in caplog.text


def test_one_that_fails_when_imported_or_made_is_refused_with_the_reason(module: Any) -> None:
    registry = Registry.installed()
    assert "good" in registry.ids
    for name, why in (("broken", "tried to end the program.*no luck"), ("unmade", "never ready")):
        with pytest.raises(DeviceSettingsError, match=why):
            registry.build([device(name)])
    assert len(registry.build([device("good"), camera(("127.0.0.1", 1))])) == 2


@pytest.mark.parametrize(("name", "why"), [("faceless", "no face"), ("listless", "Expected `str`, got `int`")])
async def test_one_whose_facts_cannot_be_had_harms_only_its_device(name: str, why: str, module: Any) -> None:
    with pytest.raises(DeviceSettingsError, match=why):
        Registry.installed().build([device(name)])
    async with (
        nothing_left_behind(),
        ViscaEmulator() as cam,
        stage(device(name), camera(cam.address), tolerant=True) as room,
    ):
        told = await room.gone()
        assert told.fault is not None
        assert told.fault.code == "device.misconfigured"
        await room.until(lambda _: room.hub.snapshot()["cam"].connection is Connection.ONLINE)


@pytest.mark.parametrize(
    "tell",
    [
        lambda context: context.report("power", object()),
        lambda context: context.report("power", ["on"]),
        lambda context: context.report("power", "x" * 100_000),
        lambda context: context.report("x" * 1000, "on"),
        lambda context: context.report(3, "on"),
        lambda context: context.report("power", "on", remaining="soon"),
        lambda context: context.assume("power", {}),
        lambda context: context.connected(model=b"x"),
        lambda context: context.connected(capabilities=[1]),
        lambda context: context.heard(7),
        lambda context: context.garbled(None),
        lambda context: context.trouble("bad"),
        lambda context: context.absent("gone"),
        lambda context: context.ask("mute", on=object()),
        lambda context: [context.report(f"property {number}", 1) for number in range(1000)],
    ],
)
async def test_what_no_page_could_show_ends_that_driver_and_nothing_else(
    tell: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    monkeypatch.setattr(module, "REPORTS", [tell])
    async with nothing_left_behind(), stage(device("odd")) as room:
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.driver_crashed")
        assert len(msgspec.json.encode(room.hub.snapshot())) < 10_000
        monkeypatch.setattr(module, "REPORTS", [])
        await room.until(lambda device: device.fault is None)
    assert complaints == []


async def test_a_number_that_is_none_is_no_value(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    level = lambda context: context.report("level", float("nan"))  # noqa: E731
    monkeypatch.setattr(module, "REPORTS", [level, lambda context: context.report("power", "on")])
    async with nothing_left_behind(), stage(device("odd")) as room:
        await room.shows("power", "on")
        assert room.property("level").reported is None


async def test_it_knows_whether_somebody_looks(module: Any) -> None:
    async with nothing_left_behind(), stage(device("watchful")) as room:
        await room.shows("power", "off")
        room.hub.watch(True)
        await room.shows("power", "on")
        room.hub.watch(False)
        await room.shows("power", "off")


async def test_one_that_blocks_its_search_finds_nothing(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.discovery.GRACE", 0.1)
    begun = time.monotonic()
    assert await discover(Registry.installed(), 0.0, ["blocks"]) == []
    assert time.monotonic() - begun < 5


def test_what_takes_too_long_to_load_is_given_up(module: Any) -> None:
    with pytest.raises(TimeoutError, match=r"driver slow did not end within 0\.05 s"):
        apart.within(0.05, module.GATE.wait, "driver slow")
