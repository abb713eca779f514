"""Ports of a switch through net-snmp's agent, v2c and v3: seen, switched, and power that always comes back."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceSettingsError
from devices.emulators.cable import Cable
from devices.emulators.snmp import COMMUNITY, USER, SnmpSwitchEmulator
from devices.emulators.switch_ports import answer
from devices.registry import Registry
from tests.devices.cases.snmp import PORTS, V3, switch
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Connection


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[SnmpSwitchEmulator]:
    async with nothing_left_behind(), SnmpSwitchEmulator(tmp_path, reboot=0.3) as one:
        yield one


async def power(agent: SnmpSwitchEmulator, port: str, wanted: int) -> None:
    """Wait until a port's power is so."""
    async with asyncio.timeout(8):
        while agent.ports[port]["power"] != wanted:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("login", [{"community": COMMUNITY}, V3])
async def test_ports_are_seen_as_the_switch_says(agent: SnmpSwitchEmulator, login: dict[str, str]) -> None:
    async with stage(switch(agent.address, **login)) as room:
        assert (await room.online()).model == "Emulated switch"
        await room.shows("port_3", "up")
        await room.shows("power_3", True)
        assert room.property("port_1").reported == "down"
        assert "power_1" not in room.device.properties
        agent.plug(1, True)
        await room.shows("port_1", "up")
        assert (await room.do("set_port", port=1, on=False)).outcome == "done"
        assert room.property("port_1").reported == "off"
        assert agent.ports["1"]["admin"] == 2


async def test_a_cycled_port_loses_its_power_and_gets_it_back(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, **V3)) as room:
        await room.shows("power_3", True)
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        assert agent.ports["3"]["power"] == 2
        assert room.property("power_3").reported is False
        await power(agent, "3", 1)
        await room.shows("power_3", True)


async def test_the_power_comes_back_though_the_way_to_the_switch_was_cut(agent: SnmpSwitchEmulator) -> None:
    async with Cable(agent.address, kind="udp", reboot=0.3) as cable, stage(switch(cable.address)) as room:
        await room.online()
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        cable.fault("unplugged")
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.unreachable"
        assert agent.ports["3"]["power"] == 2
        cable.fault("unplugged", False)
        await power(agent, "3", 1)


async def test_the_power_comes_back_when_the_program_ends(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, off=60)) as room:
        await room.online()
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        assert agent.ports["3"]["power"] == 2
    assert agent.ports["3"]["power"] == 1


async def test_ports_that_are_not_listed_are_never_touched(agent: SnmpSwitchEmulator) -> None:
    before = agent.ports
    async with stage(switch(agent.address)) as room:
        await room.online()
        for op, args in (
            ("set_port", {"port": 2, "on": False}),
            ("cycle_port", {"port": 4}),
            ("cycle_port", {"port": 1}),
        ):
            assert (await room.do(op, **args)).outcome == "unsupported"
    assert agent.ports == before


async def test_a_wrong_password_is_said_and_a_wrong_community_is_silence(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, user=USER, password="not-this-one")) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"
    async with stage(switch(agent.address, community="other")) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.unreachable"


async def test_an_agent_that_restarts_counts_anew_and_is_heard_again(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, **V3)) as room:
        await room.online()
        agent.fault("reboot")
        await room.gone()
        assert (await room.online()).connection is Connection.ONLINE


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": {}},
        {"ports": {"0": {"interface": 1}}},
        {"user": USER, "community": "both"},
        {"user": USER, "privacy": "without-password"},
        {"user": USER, "password": "short"},
        {"ports": PORTS | {"2": {"interface": 2, "power": "one"}}},
    ],
)
def test_settings_without_ports_or_with_half_a_login_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DeviceSettingsError):
        Registry.installed().build([switch(("x", 161), **wrong)])


@given(
    st.sampled_from(["get", "getnext", "set"]),
    st.lists(st.integers(0, 200), min_size=1, max_size=14),
    st.text(max_size=9),
)
def test_the_emulated_ports_answer_any_question(command: str, oid: list[int], words: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"1": {"admin": 1, "power": 1, "plugged": False}}, file)
        file.flush()
        assert answer(Path(file.name), command, "." + ".".join(map(str, oid)), words)
