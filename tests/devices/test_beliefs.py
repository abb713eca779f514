"""Wishes of devices that cannot say what they did: a belief closes them, and whoever stands at the device still wins."""

from __future__ import annotations

from pathlib import Path

from devices import DeviceConfig
from devices.config import DeviceConfig as Config
from devices.emulators.cec import CecEmulator
from devices.state import DeviceState
from tests.devices.stage import stage
from wire.devices import Role
from wire.problems import Notice

CONFIG = Config("tv", Role.FRONT_DISPLAY, "cec", "Écran", {})


def online() -> DeviceState:
    state = DeviceState(CONFIG, ["power"], {}, on_change=lambda: None, clock=lambda: 50.0)
    state.connected("M", None)
    return state


def test_a_wish_believed_to_be_met_is_closed_and_whoever_stands_at_the_device_wins() -> None:
    state = online()
    state.desire("power", "off")
    state.assume("power", "off")
    state.unreachable(Notice("device.unreachable"))
    state.connected("", None)
    assert state.unmet == {"power": "off"}
    state.assume("power", "off")
    assert state.unmet == {}
    state.report("power", "on", None, None)
    assert state.desired("power") is None


def test_what_is_believed_counts_before_an_older_report() -> None:
    state = online()
    state.report("power", "on", None, None)
    state.assume("power", "off")
    state.desire("power", "on")
    state.report("power", "off", None, None)
    assert state.desired("power") == "on", "it was off when that was asked"


def test_a_belief_against_a_wish_does_not_close_it() -> None:
    state = online()
    state.desire("power", "on")
    state.unreachable(Notice("device.unreachable"))
    state.connected("", None)
    state.assume("power", "off")
    assert state.unmet == {"power": "on"}


def test_a_wish_that_somebody_undid_is_not_open() -> None:
    state = online()
    state.desire("power", "on")
    state.report("power", "on", None, None)
    state.reopen("power")
    state.report("power", "off", None, None)
    assert not state.open_wishes


def test_heard_is_what_was_reported_since_the_device_was_away() -> None:
    state = online()
    state.report("power", "off", None, None)
    assert set(state.device(heard=True).properties) == {"power"}
    state.assume("input", "hdmi1")
    state.unreachable(Notice("device.unreachable"))
    state.connected("", None)
    assert state.device().properties["power"].reported == "off", "shown, with its age"
    assert state.device(heard=True).properties == {}
    state.report("power", "on", None, None)
    state.connected("", ["power", "volume"])
    assert set(state.device(heard=True).properties) == {"power"}, "it can do more than was thought: no other connection"


async def test_a_television_without_edid_is_sent_to_standby_once_and_its_remote_works(tmp_path: Path) -> None:
    async with (
        CecEmulator(tmp_path / "cec", power="on", edid_asleep=False) as tv,
        stage(DeviceConfig("tv", Role.FRONT_DISPLAY, "cec", "Écran", {"node": tv.address})) as room,
    ):
        await room.shows("power", "on")
        await room.do("set_power", on=False)
        await room.until(lambda device: device.properties["power"].assumed == "off")
        tv.fault("unplugged")
        await room.gone()
        before = tv.commands.count("standby")
        tv.fault("unplugged", False)
        await room.online()
        for _ in range(2):  # whole polls
            tv.requests, heard = 0, 8
            await tv.until(lambda heard=heard: tv.requests > heard)  # type: ignore[misc]
        assert tv.commands.count("standby") == before
        tv.remote()
        await room.shows("power", "on")
        await tv.until(lambda before=tv.requests: tv.requests > before + 16)  # type: ignore[misc]
        assert tv.power == "on"
