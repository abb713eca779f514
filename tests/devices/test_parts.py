"""The runner's parts: queue, back-off, state of wishes, configuration, registry, sharing, notices."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devices import registry as registry_module
from devices.backoff import LONG, Backoff, Breaker
from devices.capabilities import OPERATIONS, Arguments, On, Velocity
from devices.config import DeviceConfig, DeviceSettingsError
from devices.driver import Driver
from devices.notices import NOTICES
from devices.queue import CommandQueue, Task
from devices.registry import Registry
from devices.sharing import Shared
from devices.state import NOT_FOLLOWED, DeviceState
from devices.timing import Timing
from wire.devices import Connection, Role
from wire.problems import Notice

CONFIG = DeviceConfig("pj", Role.FRONT_DISPLAY, "pjlink", "Projecteur", {"host": "h"})


def task(name: str, args: Arguments) -> Task:
    loop = asyncio.get_running_loop()
    return Task(OPERATIONS[name], args, loop.time() + 1, loop.create_future())


async def test_a_newer_task_of_a_lane_supersedes_the_waiting_one_and_motion_goes_first() -> None:
    queue = CommandQueue()
    off, on, move = task("set_power", On(on=False)), task("set_power", On(on=True)), task("move", Velocity(pan=1))
    mute = task("set_mute", On(on=True))
    for one in (mute, off, on, move):
        queue.put(one)
    assert off.answer.result().superseded
    assert [await queue.get(0.0) for _ in range(4)] == [move, on, mute, None]


async def test_a_task_put_in_the_turn_the_wait_ends_is_not_lost() -> None:
    queue = CommandQueue()
    getting = asyncio.create_task(queue.get(0.0))
    await asyncio.sleep(0)
    stop = task("stop", Arguments())
    queue.put(stop)
    assert await getting is stop


def test_long_waits_of_many_end_together_and_short_ones_when_they_are_due() -> None:
    dice, timing = random.Random(5), Timing()
    instants = set()
    for _ in range(300):
        backoff = Backoff(timing, dice)
        backoff.failed(0.0)
        assert 100.3 <= backoff.due(100.3, watched=False) <= 100.3 + timing.backoff_first
        for _ in range(9):
            backoff.move(Breaker.TRYING)
            backoff.failed(0.0)
        due = backoff.due(100.3, watched=False)
        assert due <= 100.3 + timing.backoff_last + timing.together
        if due > 100.3 + LONG * timing.together:
            instants.add(due)
    assert len(instants) <= timing.backoff_last / timing.together
    assert len(instants) > 10, "spread all the same"


def test_backoff_jitters_below_a_doubling_ceiling_and_forgets_after_a_stable_connection() -> None:
    backoff = Backoff(Timing(), random.Random(3))
    for ceiling, least in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (30, 15), (30, 15)):
        backoff.failed(0.0)
        waits = [backoff.wait(watched=False) for _ in range(200)]
        assert least <= min(waits) < least + ceiling * 0.1
        assert ceiling * 0.9 < max(waits) <= ceiling
        assert max(backoff.wait(watched=True) for _ in range(50)) <= 5
        backoff.move(Breaker.TRYING)
    for _ in range(Timing().away_after):
        backoff.failed(0.0)
        backoff.move(Breaker.TRYING)
    assert 90 < max(backoff.wait(watched=False) for _ in range(200)) <= 120, "away for long: rarely"
    assert max(backoff.wait(watched=True) for _ in range(50)) <= 5, "unless somebody looks"
    backoff.move(Breaker.CLOSED)
    backoff.failed(held_for=60.0)
    assert max(backoff.wait(watched=False) for _ in range(50)) <= 1


def test_the_breaker_moves_only_by_its_table() -> None:
    backoff = Backoff(Timing(), random.Random(1))
    backoff.move(Breaker.CLOSED)
    with pytest.raises(RuntimeError):
        backoff.move(Breaker.TRYING)


def known() -> tuple[DeviceState, list[int]]:
    changes: list[int] = []
    state = DeviceState(CONFIG, ["power"], {}, on_change=lambda: changes.append(1), clock=lambda: 50.0)
    state.connected("M", None)
    return state, changes


def test_whoever_stands_at_the_device_wins_once_a_wish_was_met() -> None:
    state, _ = known()
    state.desire("volume", 0.4)
    state.report("volume", 0.4, None, None)
    state.report("volume", 0.7, None, None)
    assert state.desired("volume") is None


def test_a_wish_lost_in_a_reboot_is_open_again() -> None:
    state, _ = known()
    state.desire("power", "on")
    state.report("power", "on", None, None)
    state.unreachable(Notice("device.unreachable"))
    state.connected("", None)
    state.report("power", "off", None, None)
    assert state.unmet == {"power": "on"}
    state.report("power", "warming", 20.0, 30.0)
    assert state.unmet == {}, "not again while it warms up"
    state.report("power", "on", None, None)
    assert not state.open_wishes


def test_what_the_device_had_before_it_went_is_no_proof_that_a_wish_was_met() -> None:
    state, _ = known()
    state.desire("input", "hdmi2")
    state.report("input", "hdmi2", None, None)
    state.connected("", None)
    state.settled = True
    state.report("input", "hdmi1", None, None)
    assert state.unmet == {"input": "hdmi2"}


def test_reported_is_only_what_was_reported_and_keeps_its_age_when_the_device_is_gone() -> None:
    state, _ = known()
    state.desire("power", "on")
    state.assume("moving", True)
    assert state.device().properties["power"].reported is None
    state.report("power", "off", None, None)
    state.unreachable(Notice("device.unreachable"))
    device = state.device()
    assert device.connection is Connection.UNREACHABLE
    assert device.properties["power"].reported == "off"
    assert device.properties["power"].observed_at == 50.0
    assert device.properties["moving"].assumed is None


def test_ages_alone_are_no_change() -> None:
    state, changes = known()
    state.report("power", "on", None, None)
    before = len(changes)
    state.report("power", "on", None, None)
    state.heard("POWR=1")
    assert len(changes) == before


def mistakes(*configs: DeviceConfig) -> list[tuple[str, str]]:
    with pytest.raises(DeviceSettingsError) as raised:
        Registry.installed().build(list(configs))
    assert all(one.remedy for one in raised.value.mistakes)
    return [(one.device, one.field) for one in raised.value.mistakes]


def config(driver: str, role: Role, **settings: object) -> DeviceConfig:
    return DeviceConfig(role.value, role, driver, "X", settings)


def test_every_mistake_is_named_with_field_and_remedy() -> None:
    found = mistakes(
        config("visca", Role.MAIN_CAMERA, host="h", port="5678"),
        config("pjlink", Role.FRONT_DISPLAY, hots="h"),
        config("pulse", Role.ROOM_SPEAKER, sink="default"),
        config("pulse", Role.ROOM_MIC, sink="a", source="b"),
        config("teleport", Role.CONTENT_INPUT),
    )
    assert found == [
        ("main_camera", "settings.port"),
        ("front_display", "settings.hots"),
        ("room_speaker", "settings.sink"),
        ("room_mic", "settings.sink, settings.source"),
        ("content_input", "driver"),
    ]
    assert mistakes(config("visca", Role.MAIN_CAMERA)) == [("main_camera", "settings.host")]
    assert mistakes(CONFIG, CONFIG) == [("pj", "id"), ("pj", "role")]
    with pytest.raises(DeviceSettingsError, match=r"Use one of: .*pjlink, .*visca"):
        Registry.installed().build([config("teleport", Role.CONTENT_INPUT)])


def test_every_driver_has_a_full_manifest() -> None:
    registry = Registry.installed()
    for name in registry.ids:
        driver = registry.driver(name)
        assert driver is not None
        assert driver.capabilities()
        assert driver.manifest.schema()["$defs"]
        module, _, emulator = driver.manifest.emulator.partition(":")
        assert hasattr(__import__(module, fromlist=[emulator]), emulator)


def test_the_registry_takes_drivers_and_nothing_else() -> None:
    registry = Registry.installed()
    visca = registry.driver("visca")
    assert visca is not None
    with pytest.raises(ValueError, match="taken"):
        registry.add(visca)
    with pytest.raises(TypeError):
        registry.add(int)  # type: ignore[arg-type]
    assert issubclass(visca, Driver)


def test_a_driver_that_cannot_be_loaded_harms_only_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry_module.BUILT_IN, "pulse", "devices.no_such_module:X")
    registry = Registry.installed()
    assert "pulse" not in registry.ids
    assert {"pjlink", "visca"} < set(registry.ids)
    assert len(registry.build([CONFIG])) == 1
    with pytest.raises(DeviceSettingsError, match="cannot be loaded: No module named"):
        registry.build([config("pulse", Role.ROOM_SPEAKER, sink="a")])


async def test_shared_is_opened_once_and_closed_by_the_last() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def opener() -> AsyncIterator[int]:
        log.append("open")
        yield len(log)
        log.append("close")

    shared = Shared()
    async with shared.use("a", opener) as one:
        async with shared.use("a", opener) as two:
            assert one == two
        assert log == ["open"]
    assert log == ["open", "close"]


async def test_shared_is_opened_for_all_though_the_first_gives_up_waiting() -> None:
    going, opened = asyncio.Event(), 0

    @asynccontextmanager
    async def opener() -> AsyncIterator[str]:
        nonlocal opened
        opened += 1
        await going.wait()
        yield "open"

    async def use() -> str:
        async with shared.use("a", opener) as one:
            return one

    shared = Shared()
    first, second = asyncio.create_task(use()), asyncio.create_task(use())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    going.set()
    assert await second == "open"
    assert opened == 1
    assert not shared._entries


async def test_shared_that_cannot_be_opened_fails_for_all_and_is_tried_anew() -> None:
    outcomes: list[Exception | None] = [OSError("no"), None]

    @asynccontextmanager
    async def opener() -> AsyncIterator[str]:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome
        yield "open"

    async def use() -> str:
        async with shared.use("a", opener) as one:
            return one

    shared = Shared()

    async def insist() -> str:
        with pytest.raises(OSError, match="no"):
            await use()
        return await use()  # at once, before the other has seen that it failed

    assert list(await asyncio.gather(insist(), insist())) == ["open", "open"]


BESIDE_THE_DEVICE = {
    NOT_FOLLOWED: ["property"],
    "device.no_input": ["inputs", "there"],
    "device.no_such_port": ["ports"],
    "device.unread": ["sensors"],
}


def test_notices_speak_both_languages_and_name_the_device() -> None:
    for code, sentence in NOTICES.items():
        assert code.startswith("device.")
        places = ["device", *BESIDE_THE_DEVICE.get(code, ())]
        for text in (sentence.fr, sentence.en):
            assert [field for _, field, _, _ in string.Formatter().parse(text) if field] == places
        assert sentence.fr_next.endswith(".")
        assert sentence.en_next.endswith(".")
