"""The mute key and light of an emulated speakerphone, behind a socket that carries what hidraw would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from devices import DeviceConfig, DeviceSettingsError
from devices.capabilities import On
from devices.emulators.hid import BUTTON, SPEAKERPHONE, HidEmulator
from devices.errors import Rejected
from devices.hid.descriptor import parse
from devices.hid.driver import HidSettings, HidTelephony
from devices.hid.held import EVERY, FIRST, MOST, Held
from devices.hid.keys import Keys
from devices.hid.telephony import LED_OFF_HOOK, Telephony
from devices.registry import Registry
from tests.devices import virtual
from tests.devices.stage import Stage, nothing_left_behind, stage
from tests.devices.usbtree import usb_tree
from wire.devices import Connection, Property, Role


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[HidEmulator]:
    async with nothing_left_behind(), HidEmulator(tmp_path / "hid", reboot=0.2, patience=0.05) as one:
        yield one


def key(emulator: HidEmulator, **settings: Any) -> DeviceConfig:
    return DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Touche", {"node": emulator.address, **settings})


async def wished(room: Stage, emulator: HidEmulator, count: int) -> list[tuple[str, object]]:
    """The wishes heard, once there are so many: words from the device are no change, so look at every answer."""
    await emulator.until(lambda: emulator.requests > 0)
    await room.until(lambda device: True)
    for _ in range(100):
        if len(room.requests) >= count:
            break
        await room.do("set_mute", on=emulator.light)  # a round trip behind the report
    return [(one.op, next(iter(one.args.values()))) for one in room.requests]


async def test_a_press_asks_the_room_and_changes_nothing_until_it_answers(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.press()
        assert await wished(room, phone, 1) == [("set_mute", True)]
        assert not phone.light
        assert room.property("mute").reported is False

        assert (await room.do("set_mute", on=True)).outcome == "done"
        assert (phone.light, phone.muted) == (True, True)
        assert room.property("mute").reported is True

        phone.press()
        assert await wished(room, phone, 2) == [("set_mute", True), ("set_mute", False)]


async def test_a_press_that_the_room_does_not_answer_reverts_at_the_device(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.press()
        assert phone.muted
        await phone.until(lambda: not phone.muted)
        assert room.property("mute").reported is False


async def test_a_light_that_cannot_be_read_is_assumed_and_lit_again_after_a_replug(tmp_path: Path) -> None:
    async with (
        nothing_left_behind(),
        HidEmulator(tmp_path / "hid", descriptor=BUTTON, readable=False) as button,
        stage(key(button)) as room,
    ):
        await room.online()
        await room.do("set_mute", on=True)
        assert button.light
        shown = room.property("mute")
        assert (shown.desired, shown.reported, shown.assumed) == (True, None, True)
        await room.reboots(button)
        assert not button.light
        await room.online()
        await button.until(lambda: button.light)


async def test_a_phone_is_off_hook_in_a_call_and_only_then_says_its_mute_key(tmp_path: Path) -> None:
    async with (
        nothing_left_behind(),
        HidEmulator(tmp_path / "hid", needs_call=True, patience=0.05) as phone,
        stage(key(phone)) as room,
    ):
        assert (await room.online()).capabilities == ["mute", "call"]
        assert not phone.off_hook
        phone.press()
        assert (await room.do("set_call", on=True)).outcome == "done"
        assert phone.off_hook
        assert phone.lifted
        assert room.property("call").reported is True
        assert room.requests == [], "neither the press on hook nor the hook switch that followed us"
        phone.press()
        assert await wished(room, phone, 1) == [("set_mute", True)]
        await room.reboots(phone)
        await room.online()
        await phone.until(lambda: phone.off_hook)
        assert (await room.do("set_call", on=False)).outcome == "done"
        assert not phone.off_hook


async def test_the_hook_switch_takes_and_ends_calls_and_falls_back_when_the_room_says_no(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.hook()
        assert await wished(room, phone, 1) == [("set_call", True)]
        await room.do("set_call", on=False)  # nobody calls
        assert not phone.lifted
        phone.hook()
        assert await wished(room, phone, 2) == [("set_call", True)] * 2
        await room.do("set_call", on=True)
        phone.hook()
        assert await wished(room, phone, 3) == [("set_call", True), ("set_call", True), ("set_call", False)]


@pytest.mark.parametrize(("off_hook", "lit"), [("always", True), ("never", False)])
async def test_a_phone_that_is_not_to_follow_the_meeting_stays(off_hook: str, lit: bool, phone: HidEmulator) -> None:
    async with stage(key(phone, off_hook=off_hook)) as room:
        assert (await room.online()).capabilities == ["mute"]
        assert phone.off_hook is lit
        assert (await room.do("set_call", on=not lit)).outcome == "unsupported"
        phone.hook()
        await room.do("set_mute", on=True)
        assert room.requests == []
        assert phone.off_hook is lit


async def test_volume_keys_ask_for_steps(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.turn(up=True)
        phone.turn(up=True)
        phone.turn(up=False)
        await wished(room, phone, 3)
        assert [(one.op, one.args) for one in room.requests] == [
            ("step_volume", {"up": up}) for up in (True, True, False)
        ]


async def test_a_volume_key_that_is_held_asks_for_steps_until_it_is_let_go(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.hold(up=False)
        async with asyncio.timeout(8):
            while len(room.requests) < 4:
                await asyncio.sleep(0.02)
        phone.hold(up=None)
        phone.press()
        async with asyncio.timeout(8):
            while room.requests[-1].op != "set_mute":
                await asyncio.sleep(0.02)
        steps = len(room.requests) - 1
        await asyncio.sleep(3 * EVERY)
        assert [(one.op, one.args) for one in room.requests[:steps]] == [("step_volume", {"up": False})] * steps
        assert len(room.requests) == steps + 1, "it was let go"


def held(*changes: tuple[float, bool | None]) -> list[tuple[float, bool]]:
    """The repetitions within a minute, when the key that is down changes so (seconds, which)."""
    steps: list[tuple[float, bool]] = []

    async def hold(loop: virtual.VirtualLoop) -> None:
        one = Held(lambda up: steps.append((round(loop.time(), 2), up)))
        for at, up in changes:
            await asyncio.sleep(at - loop.time())
            one.now(up)
        await asyncio.sleep(60)

    virtual.run(hold)
    return steps


def test_steps_come_at_their_pace_and_end_though_nobody_hears_of_the_release() -> None:
    assert held((0, True), (FIRST + 1.5 * EVERY, None)) == [(0.5, True), (0.65, True)]
    assert held((0, True), (0.3, None), (0.4, True), (0.8, None)) == [], "short presses are one step each"
    assert held((0, True), (0.6, False), (1.2, None)) == [(0.5, True), (1.1, False)]
    lost = held((0, True))
    assert len(lost) == MOST
    assert lost[-1][0] < 4


def test_only_one_volume_key_at_a_time_is_held() -> None:
    keys = Keys(Telephony(parse(SPEAKERPHONE)))
    seen = []
    for bits in (b"\x01\x01", b"\x01\x03", b"\x01\x02", b"\x01\x00"):
        keys.hear(bits, 0.0, muted=False, in_call=False)
        seen.append(keys.held)
    assert seen == [True, None, False, None]


async def test_a_held_key_ends_with_its_device(phone: HidEmulator) -> None:
    async with stage(key(phone)) as room:
        await room.online()
        phone.hold(up=True)
        await wished(room, phone, 1)
        phone.fault("unplugged")
        await room.gone()
        steps = len(room.requests)
        await asyncio.sleep(FIRST + 2 * EVERY)
        assert len(room.requests) == steps


async def test_lights_that_are_always_read_back_as_out_are_assumed(tmp_path: Path) -> None:
    async with (
        nothing_left_behind(),
        HidEmulator(tmp_path / "hid", forgetful=True) as phone,
        stage(key(phone)) as room,
    ):
        await room.shows("mute", False)
        assert (await room.do("set_mute", on=True)).outcome == "done"
        assert phone.light
        assert room.property("mute").assumed is True
        heard = phone.requests
        await phone.until(lambda: phone.requests > heard + 3)  # polls
        assert phone.light, "the next poll must not believe it either"
        phone.press()
        assert await wished(room, phone, 1) == [("set_mute", False)]


@pytest.mark.parametrize(("setting", "wishes"), [("auto", [True]), ("press", [True]), ("switch", [True, False])])
async def test_a_key_without_relative_reports_is_a_press_or_a_switch_as_set(
    setting: str, wishes: list[bool], tmp_path: Path
) -> None:
    async with (
        nothing_left_behind(),
        HidEmulator(tmp_path / "hid", descriptor=BUTTON) as button,
        stage(key(button, key=setting)) as room,
    ):
        await room.online()
        button.press()
        assert await wished(room, button, len(wishes)) == [("set_mute", on) for on in wishes]


async def test_a_device_without_a_mute_key_is_named_as_such(tmp_path: Path) -> None:
    keyboard = bytes.fromhex("0501 0906 A101 0507 19E0 29E7 1500 2501 7501 9508 8102 C0")
    async with (
        nothing_left_behind(),
        HidEmulator(tmp_path / "hid", descriptor=keyboard) as one,
        stage(key(one)) as room,
    ):
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.garbage"


async def test_a_device_is_found_again_by_place_and_serial_whatever_its_node(tmp_path: Path) -> None:
    usb = usb_tree(tmp_path)
    usb.add("1-3.2", "hidraw", "hidraw7", serial="A1", descriptor=SPEAKERPHONE)
    usb.add("1-4", "hidraw", "hidraw8", serial="B2", descriptor=SPEAKERPHONE)
    config = DeviceConfig("k", Role.MUTE_BUTTON, "hid", "T", {"usb": "1-3.2", "serial": "A1", "root": str(tmp_path)})
    async with nothing_left_behind(), stage(config) as room:
        async with HidEmulator(tmp_path / "dev" / "hidraw7"):
            await room.online()
        assert (await room.gone()).fault is not None
        usb.remove("hidraw7")
        usb.add("1-3.2", "hidraw", "hidraw2", serial="A1", descriptor=SPEAKERPHONE)
        async with HidEmulator(tmp_path / "dev" / "hidraw2"):
            await room.online()


async def test_of_a_device_with_several_interfaces_the_telephone_is_opened(tmp_path: Path) -> None:
    usb = usb_tree(tmp_path)
    usb.add("1-3.2", "hidraw", "hidraw1", serial="A1", descriptor=bytes.fromhex("0501 0906 A101 C0"))
    usb.add("1-3.2", "hidraw", "hidraw2", serial="A1", descriptor=SPEAKERPHONE, interface=3)
    config = DeviceConfig("k", Role.MUTE_BUTTON, "hid", "T", {"usb": "1-3.2", "root": str(tmp_path)})
    async with nothing_left_behind(), HidEmulator(tmp_path / "dev" / "hidraw2"), stage(config) as room:
        await room.online()


def test_settings_that_name_no_device_are_refused() -> None:
    with pytest.raises(DeviceSettingsError, match="none is given"):
        Registry([HidTelephony]).build([DeviceConfig("k", Role.MUTE_BUTTON, "hid", "T", {"key": "press"})])


def test_only_devices_with_a_mute_key_are_found(tmp_path: Path) -> None:
    usb = usb_tree(tmp_path)
    usb.add("1-3", "hidraw", "hidraw0", serial="A1", descriptor=SPEAKERPHONE, name="Salle Phone")
    usb.add("1-4", "hidraw", "hidraw1", serial="", descriptor=bytes.fromhex("0501 0906 A101 C0"))
    found = HidTelephony.found(str(tmp_path))
    assert [(one.settings, one.model, one.identity) for one in found] == [
        ({"usb": "1-3", "serial": "A1"}, "Acme Salle Phone", "1209:0001:A1")
    ]


async def test_a_node_that_another_program_holds_is_refused(phone: HidEmulator) -> None:
    phone.fault("single_client")
    async with stage(key(phone)) as room:
        device = await room.until(lambda device: device.connection is Connection.UNREACHABLE)
        assert device.fault is not None
        assert device.fault.code == "device.refused"
        assert room.property("mute") == Property()


class Node:
    """The node and the context of a driver in one: what was written, and whether it is taken."""

    refuses: BaseException | None = None

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def retrying(self, ask: Any) -> Any:
        return await ask()

    async def write(self, report: bytes) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.written.append(report)

    def assume(self, name: str, value: bool) -> None:
        """Nobody looks."""


@pytest.mark.parametrize("refusal", [Rejected("stalled"), asyncio.CancelledError()])
async def test_a_light_that_was_refused_is_not_lit_with_the_next(refusal: BaseException, tmp_path: Path) -> None:
    one, device = Node(), Telephony(parse(SPEAKERPHONE))
    driver = HidTelephony(DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Touche", {}), HidSettings(node="/dev/hidraw0"))
    driver._device, driver._node, driver._context, driver._believed = device, cast(Any, one), cast(Any, one), False
    one.refuses = refusal
    with pytest.raises(type(refusal)):
        await driver.set_mute(On(on=True))
    one.refuses = None
    await driver.set_call(On(on=True))
    assert one.written == device.lights(frozenset({LED_OFF_HOOK})), "and not the mute light"
