"""Ports of a switch through net-snmp's agent, v2c and v3: seen, switched, and power that always comes back."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysnmp.carrier.asyncio.dgram.udp import DOMAIN_NAME
from pysnmp.hlapi.v3arch.asyncio import SnmpEngine

from devices import DeviceSettingsError
from devices.capabilities import PortState
from devices.emulators.cable import Cable, End
from devices.emulators.process import free_port
from devices.emulators.snmp import COMMUNITY, PASSWORD, PRIVACY, USER, SnmpSwitchEmulator
from devices.emulators.switch_ports import answer
from devices.registry import Registry
from devices.snmp.driver import SnmpSwitch
from devices.snmp.engines import Engines
from devices.snmp.link import SnmpLink
from devices.snmp.login import Login
from devices.snmp.place import SnmpPlace
from tests.devices.cases.snmp import PORTS, V3, switch
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection
from wire.problems import Notice


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


async def test_a_port_that_the_switch_does_not_have_is_named(agent: SnmpSwitchEmulator) -> None:
    ports = {**PORTS, "5": {"interface": 77}}
    async with stage(switch(agent.address, ports=ports)) as room:
        device = await room.until(lambda device: device.fault is not None)
        assert device.connection is Connection.ONLINE
        assert device.fault == Notice("device.no_such_port", {"device": "Commutateur", "ports": "5, interface 77"})
        assert room.property("port_3").reported == "up"
        assert room.property("port_5").reported is None
    async with stage(switch(agent.address)) as room:
        await room.shows("port_3", "up")
        await room.until(lambda device: device.properties["port_1"].reported == "down")
        assert room.device.fault is None


async def test_a_cycled_port_loses_its_power_and_gets_it_back(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, **V3)) as room:
        await room.shows("power_3", True)
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        assert "3 power 2" in agent.settings
        await power(agent, "3", 1)
        await room.shows("power_3", True)
    assert agent.settings[-1] == "3 power 1"


async def test_the_power_comes_back_though_the_way_to_the_switch_was_cut(agent: SnmpSwitchEmulator) -> None:
    async with Cable(agent.address, kind="udp", reboot=0.3) as cable, stage(switch(cable.address, off=1)) as room:
        await room.online()
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        cable.fault("unplugged")
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.unreachable"
        assert agent.ports["3"]["power"] == 2
        cable.fault("unplugged", False)
        await power(agent, "3", 1)


async def test_no_late_try_to_take_the_power_away_comes_after_it_is_given_back(agent: SnmpSwitchEmulator) -> None:
    slow = 1.2 * QUICK.reply  # the second try is on its way before the first is answered
    async with Cable(agent.address, kind="udp", delay=slow) as cable, stage(switch(cable.address, off=0.1)) as room:
        await room.online()
        cable.fault("delay")
        await room.do("cycle_port", port=3)
        await power(agent, "3", 1)
    assert agent.settings[:2] == ["3 power 2"] * 2
    assert agent.settings[-1] == "3 power 1"
    assert agent.settings == sorted(agent.settings, reverse=True)


async def test_who_switches_a_port_while_it_gets_its_power_back_is_obeyed(agent: SnmpSwitchEmulator) -> None:
    """The second try of "on" is on its way before the first is answered, and must not come after "off"."""
    slow = 1.6 * QUICK.reply
    async with Cable(agent.address, kind="udp", delay=slow) as cable, stage(switch(cable.address, off=0.3)) as room:
        await room.online()
        await room.do("cycle_port", port=3)
        cable.fault("delay")
        await power(agent, "3", 1)
        await room.do("set_port", port=3, on=False)
        await power(agent, "3", 2)
        await asyncio.wait_for(room.shows("power_3", False), 8)
    since = agent.settings[agent.settings.index("3 power 1") :]
    assert since[-1] == "3 power 2"
    assert since == sorted(since)


async def test_several_ports_of_a_slow_switch_are_asked_for_at_once(agent: SnmpSwitchEmulator) -> None:
    ports = {str(number): {"interface": number, "power": f"1.{number}"} for number in range(1, 5)}
    slow, timing = 1.6 * QUICK.reply, replace(QUICK, poll=3 * QUICK.reply, attempts=6)
    async with Cable(agent.address, kind="udp", delay=slow) as cable:
        cable.fault("delay")
        async with stage(switch(cable.address, ports=ports), timing=timing) as room:
            await room.shows("port_3", "up")
            assert room.property("port_1").reported == "down"
            assert room.property("power_4").reported is False


async def test_an_agent_that_drops_long_questions_is_heard_all_the_same(agent: SnmpSwitchEmulator) -> None:
    class Tight(Cable):
        def ask(self, end: End, data: bytes) -> None:
            if len(data) < 160:
                super().ask(end, data)

    ports = {str(number): {"interface": number, "power": f"1.{number}"} for number in range(1, 5)}
    async with Tight(agent.address, kind="udp") as cable, stage(switch(cable.address, ports=ports)) as room:
        await room.shows("port_3", "up")
        await room.shows("power_4", False)


@pytest.mark.parametrize("waits", [True, False])
async def test_who_switches_a_port_off_as_it_is_to_get_its_power_back_is_obeyed(waits: bool) -> None:
    """`waits`: its setting is under way when the power is due, else that of another port which is due as well."""
    ports = {number: {"interface": int(number), "power": f"1.{number}"} for number in ("1", "3")}
    (driver,) = Registry.installed().build([switch(("127.0.0.1", 161), ports=ports)])
    assert isinstance(driver, SnmpSwitch)
    link = driver._link = cast(Any, Turns())
    driver._context = cast(Any, Asked())
    driver._dark = dark = {"1": 1.0, "3": 1.0}
    if waits:
        del dark["1"]
        off = asyncio.create_task(driver.set_port(PortState(3, False)))
        await link.turn.wait()
        back = asyncio.create_task(driver._give_back(dict(dark)))
    else:
        back = asyncio.create_task(driver._give_back(dict(dark)))
        await link.turn.wait()
        off = asyncio.create_task(driver.set_port(PortState(3, False)))
    await asyncio.sleep(0)
    link.go.set()
    await asyncio.gather(off, back)
    assert [value for oid, value in link.told if oid.endswith("1.3")] == [2]
    assert not driver._dark


class Turns:
    """A link whose settings wait for `go`."""

    def __init__(self) -> None:
        self.turn, self.go = asyncio.Event(), asyncio.Event()
        self.told: list[tuple[str, int]] = []

    async def get(self, *oids: str) -> list[int]:
        return [1 for _ in oids]

    async def set(self, oid: str, value: int) -> None:
        self.turn.set()
        await self.go.wait()
        self.told.append((oid, value))


class Asked:
    """A context that asks once."""

    async def persistently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        return await ask()

    def heard(self, words: str) -> None:
        """Nothing comes of it."""

    def report(self, name: str, value: object) -> None:
        """Nor of this."""


async def test_the_power_comes_back_when_the_program_ends(agent: SnmpSwitchEmulator) -> None:
    async with stage(switch(agent.address, off=60)) as room:
        await room.online()
        assert (await room.do("cycle_port", port=3)).outcome == "accepted"
        assert agent.ports["3"]["power"] == 2
        assert room.property("power_3").reported is False
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
        await room.reboots(agent)
        assert (await room.online()).connection is Connection.ONLINE


async def test_an_agent_slower_than_a_try_is_not_asked_in_vain(agent: SnmpSwitchEmulator) -> None:
    slow = 1.6 * QUICK.reply
    async with Cable(agent.address, kind="udp", delay=slow) as cable, stage(switch(cable.address)) as room:
        await room.online()
        cable.fault("delay")
        assert (await room.do("set_port", port=1, on=False)).outcome == "done"
        assert agent.ports["1"]["admin"] == 2


async def test_a_switch_that_is_away_costs_no_new_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SnmpEngine] = []

    def make() -> SnmpEngine:
        made.append(SnmpEngine())
        return made[-1]

    monkeypatch.setattr("devices.snmp.engines.SnmpEngine", make)
    dials = asyncio.Semaphore(0)

    class Deaf(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            dials.release()

    async with nothing_left_behind():
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
        async with stage(switch(transport.get_extra_info("sockname"))) as room:
            await room.gone()
            for _ in range(3 * QUICK.attempts):
                await dials.acquire()
        transport.close()
    assert len(made) == 1


async def test_an_engine_that_takes_longer_than_a_dial_is_made_once(
    agent: SnmpSwitchEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[SnmpEngine] = []

    def make() -> SnmpEngine:
        made.append(SnmpEngine())
        time.sleep(1.5 * QUICK.connect)  # a busy machine
        return made[-1]

    monkeypatch.setattr("devices.snmp.engines.SnmpEngine", make)
    async with stage(switch(agent.address)) as room:
        await room.gone()
        await room.online()
    assert len(made) == 1


async def test_an_engine_that_learnt_of_an_agent_is_not_lent_again(agent: SnmpSwitchEmulator) -> None:
    login = Login(user=USER, password=PASSWORD, privacy=PRIVACY)
    async with Engines.kept(login) as kept:
        async with kept.lend() as silent:
            pass
        async with kept.lend() as learnt, kept.lend() as beside:
            assert beside is learnt is silent
            link = await SnmpLink.open(learnt, agent.address, login, 2.0)
            assert await link.get("1.3.6.1.2.1.1.3.0")
        async with kept.lend() as another:
            assert another is not learnt


async def test_what_comes_while_the_engine_is_closed_troubles_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with Engines.kept(Login(COMMUNITY)) as engines, engines.lend() as one:
        link = await SnmpLink.open(one, ("127.0.0.1", free_port("udp")), Login(COMMUNITY), 1.0)
        asked = asyncio.ensure_future(link.get("1.3.6.1.2.1.1.1.0"))
        await asyncio.sleep(0)
        socket = one.transport_dispatcher.get_transport(DOMAIN_NAME)
        socket.datagram_received(b"\x30\x03\x02\x01\x01", ("127.0.0.1", 161))
    await asyncio.sleep(0)
    socket.datagram_received(b"\x30", ("127.0.0.1", 161))
    asked.cancel()
    await asyncio.wait({asked})
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_any_datagram_is_thrown_away_or_read() -> None:
    troubles: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    dice = random.Random(5)
    truth = bytes.fromhex("302902010104047075626c6963a21e0204010203040201000201003010300e06082b06010201010100040241")
    async with Engines.kept(Login(COMMUNITY)) as engines, engines.lend() as one:
        link = await SnmpLink.open(one, ("127.0.0.1", free_port("udp")), Login(COMMUNITY), 1.0)
        asked = asyncio.ensure_future(link.get("1.3.6.1.2.1.1.1.0"))
        await asyncio.sleep(0)
        socket = one.transport_dispatcher.get_transport(DOMAIN_NAME)
        for _ in range(400):
            torn = bytearray(truth[: dice.randint(1, len(truth))])
            torn[dice.randrange(len(torn))] = dice.randrange(256)
            socket.datagram_received(dice.choice([bytes(torn), dice.randbytes(40)]), ("127.0.0.1", 161))
        assert not asked.done()
        asked.cancel()
        await asyncio.wait({asked})
    assert not troubles


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"community": "c"},
        {"hosts": "10.0.0.0/23", "community": "c"},
        {"hosts": "switch", "community": "c"},
        {"hosts": "::1", "community": "c"},
        {"hosts": "10.0.0.1"},
        {"hosts": "10.0.0.1", "user": "u", "community": "c"},
        {"hosts": "10.0.0.1", "user": "u", "privacy": "long-enough"},
        {"hosts": "10.0.0.1", "user": "u", "password": "short"},
        {"hosts": "10.0.0.1", "user": "u", "authentication": "none"},
    ],
)
def test_a_search_is_told_few_addresses_and_one_way_in(wrong: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, SnmpPlace)
    assert msgspec.convert({"hosts": "10.0.0.0/24", "community": "c"}, SnmpPlace).addresses[-1] == "10.0.0.254"
    assert msgspec.convert({"hosts": "10.0.0.1", "community": "c"}, SnmpPlace).addresses == ["10.0.0.1"]


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
