"""PJLink: password, slow changes with their seconds, what must wait until it is on, idle close."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.emulators import PjlinkEmulator
from devices.pjlink import lines, troubles
from devices.pjlink.inputs import Inputs, read_inputs, read_name
from devices.pjlink.slow_change import SlowChange
from tests.devices.stage import display, stage
from wire.devices import Connection, Property
from wire.problems import Notice


async def test_warming_shows_its_seconds_and_what_cannot_be_done_yet_is_done_when_it_is_on() -> None:
    async with (
        PjlinkEmulator(warmup=0.8, cooldown=0.3) as pj,
        stage(display(pj.address, warmup=0.8, cooldown=0.3)) as room,
    ):
        await room.shows("power", "off")
        assert (await room.do("set_power", on=True)).outcome == "accepted"
        power = room.property("power")
        assert (power.desired, power.reported, power.total) == ("on", "warming", 0.8)
        assert power.remaining is not None
        assert 0.5 < power.remaining <= 0.8
        assert (await room.do("select_input", input="hdmi2")).outcome == "accepted"
        assert (await room.do("set_mute", on=True)).outcome == "accepted"
        assert room.property("input").reported is None
        await room.shows("power", "on")
        await room.shows("input", "hdmi2")
        await room.shows("mute", True)
        assert pj.commands == ["POWR 1", "INPT 32", "AVMT 21"], "asked once each, not again and again"
        assert room.property("power").remaining is None

        assert (await room.do("set_power", on=False)).outcome == "accepted"
        assert room.property("power").reported == "cooling"
        assert (await room.do("set_power", on=True)).outcome == "accepted", "on again, once it is cool"
        await room.shows("power", "on")


async def test_a_wrong_password_is_said_and_a_corrected_one_is_taken() -> None:
    async with PjlinkEmulator(password="secret") as pj, stage(display(pj.address, password="secret")) as room:
        await room.online()
        pj.fault("wrong_password")
        pj.fault("reset")
        await room.do("set_power", on=True)
        pj.fault("reset", False)
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.password")
        pj.fault("wrong_password", False)
        await room.online()


async def test_a_projector_that_takes_sha256_alone_is_controlled_by_it() -> None:
    async with PjlinkEmulator(password="secret") as pj:
        pj.strong = True
        async with stage(display(pj.address, password="secret", authentication="sha256")) as room:
            assert (await room.online()).fault is None
        for wrong in ({"password": "other", "authentication": "sha256"}, {"password": "secret"}):
            async with stage(display(pj.address, **wrong)) as room:
                device = await room.gone()
                assert device.fault is not None
                assert device.fault.code == "device.password"
        pj.strong = False  # one that knows nothing of it
        async with stage(display(pj.address, password="secret", authentication="sha256")) as room:
            assert (await room.gone()).fault == Notice("device.password", {"device": "Projecteur"})


async def test_a_missing_password_is_said() -> None:
    async with PjlinkEmulator(password="secret") as pj, stage(display(pj.address)) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"


async def test_one_connection_is_kept_through_the_idle_close() -> None:
    async with PjlinkEmulator(idle_close=1.0) as pj, stage(display(pj.address)) as room:
        await room.online()
        heard = pj.requests
        await pj.until(lambda: pj.requests > heard + 8)
        assert pj.connections == 1
        assert (await room.online()).fault is None


async def test_class_1_devices_work_too() -> None:
    async with PjlinkEmulator(level=1, power="on") as pj, stage(display(pj.address)) as room:
        await room.shows("input", "hdmi1")
        assert (await room.do("select_input", input="hdmi2")).outcome == "done"
        assert (await room.do("set_blank", on=True)).outcome == "done"
        await room.shows("blank", True)
        assert not room.property("mute").reported
        assert (pj.input, pj.blank, pj.mute) == ("32", True, False)


async def test_an_input_the_room_does_not_name_is_unsupported() -> None:
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address, inputs={"hdmi1": "31"})) as room:
        await room.online()
        result = await room.do("select_input", input="scart")
        assert result.outcome == "unsupported"
        assert "hdmi1" in result.detail
        assert room.property("input").desired is None


async def test_lamp_and_errors_are_told() -> None:
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address)) as room:
        await room.shows("lamp_hours", 1234)
        pj.fault("lamp")
        await room.shows("errors", "lamp:error")
        device = await room.until(lambda device: device.fault is not None)
        assert device.fault is not None
        assert device.fault.code == "device.lamp"


async def test_somebody_at_the_projector_wins() -> None:
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address)) as room:
        await room.online()
        await room.do("set_mute", on=True)
        await room.shows("mute", True)
        pj.mute = False  # the remote control
        await room.shows("mute", False)
        await room.until(lambda device: device.properties.get("mute", Property()).desired is None)


async def test_a_rebooted_projector_gets_its_state_again() -> None:
    async with (
        PjlinkEmulator(power="on", warmup=0.1) as pj,
        stage(display(pj.address, warmup=0.1)) as room,
    ):
        await room.online()
        await room.do("set_power", on=True)
        await room.do("select_input", input="hdmi2")
        await room.shows("input", "hdmi2")
        await room.reboots(pj)
        await pj.until(lambda: pj.power == "on" and pj.input == "32")


def test_the_password_digest_of_the_specification() -> None:
    assert lines.digest(b"498e4a67", "JBMIAProjectorLink") == b"5d8409bc1c3fa39749434aa3a5c38682"


def test_the_strong_digest_is_of_both_random_numbers_and_the_password() -> None:
    theirs, ours = bytes.fromhex("3db25e10f69c47a85adb24cf361897e0"), bytes.fromhex("ff" * 16)
    mixed = b"c24da1ef0963b857a524db30c9e7681f"  # each bit the other way round
    wanted = ours.hex().encode() + hashlib.sha256(mixed + b"JBMIAProjectorLink").hexdigest().encode()
    assert lines.strong_digest(theirs, ours, "JBMIAProjectorLink") == wanted
    assert lines.read_line(b"PJLINK 2 3db25e10f69c47a85adb24cf361897e0") == lines.Greeting(random=theirs)


def test_replies_are_read_as_the_specification_says() -> None:
    assert lines.read_line(b"%1POWR=3") == lines.Answer("POWR", "3")
    assert lines.read_line(b"PJLINK 1 498e4a67") == lines.Greeting(b"498e4a67")
    assert lines.read_line(b"PJLINK ERRA") == lines.Greeting(refused=True)
    assert troubles.read("021000") == {"lamp": "error", "temperature": "warning"}
    assert lines.read_lamp_hours("22 1 1300 0") == 1300
    assert lines.read_mutes("31") == (True, True)
    assert lines.read_mutes("11") == (False, True)
    assert lines.read_mutes("x") is None


def test_the_seconds_are_learned_from_the_last_time() -> None:
    slow = SlowChange({"warming": 30.0})
    assert slow.saw("off", 1.0) == (None, None)
    assert slow.saw("warming", 10.0) == (30.0, 30.0)
    assert slow.saw("warming", 22.0) == (18.0, 30.0)
    assert slow.saw("warming", 60.0) == (0.0, 30.0)
    slow.saw("on", 64.0)
    slow.saw("off", 100.0)
    assert slow.saw("warming", 200.0) == (54.0, 54.0)
    slow.lost_sight()
    assert slow.saw("warming", 220.0) == (54.0, 54.0), "when it began is not known"


class _Liar(PjlinkEmulator):
    """Says that it muted, and does not."""

    asked = 0

    def answer(self, line: str) -> str:
        if "AVMT 2" in line or "AVMT 3" in line:
            self.asked += 1
            return "%1AVMT=OK"
        return super().answer(line)


async def test_one_that_says_it_did_and_does_not_is_asked_twice_more_and_shown_as_it_is() -> None:
    async with _Liar(power="on") as pj, stage(display(pj.address)) as room:
        await room.online()
        assert (await room.do("set_mute", on=True)).outcome == "done"
        await room.until(lambda device: device.properties["mute"].desired is None)
        assert (room.property("mute").reported, pj.asked) == (False, 3)


class _Reserved(PjlinkEmulator):
    """In standby it refuses what it answers when it is on, or says that it does not know it."""

    refusal = "ERR3"

    def answer(self, line: str) -> str:
        if self.power == "off" and line[2:6] in ("CLSS", "INST", "INF1", "INF2", "LAMP"):
            return f"{line[:6]}={self.refusal}"
        return super().answer(line)


@pytest.mark.parametrize("refusal", ["ERR1", "ERR3"])
async def test_one_that_tells_its_class_only_when_it_is_on_comes_online_in_standby(refusal: str) -> None:
    async with _Reserved(warmup=0.1) as pj, stage(display(pj.address)) as room:
        pj.refusal = refusal
        await room.shows("power", "off")
        assert (await room.online()).fault is None
        await room.do("set_power", on=True)
        await room.until(lambda device: "computer" in device.inputs)  # of class 2, and told when it is on
        await room.shows("input", "hdmi1")


class _Mum(PjlinkEmulator):
    """In standby it says neither what is wrong with it nor how old its lamp is."""

    refusal, refused = "ERR3", 0

    def answer(self, line: str) -> str:
        if self.power == "on" or line[2:6] not in ("ERST", "LAMP"):
            return super().answer(line)
        self.refused += line[2:6] == "ERST"
        return f"{line[:6]}={self.refusal}"

    async def asked_in_vain(self) -> None:
        """Until it refused twice more: what the first refusal led to is known then."""
        enough = self.refused + 2
        await self.until(lambda: self.refused >= enough)


@pytest.mark.parametrize("refusal", ["ERR1", "ERR3"])
async def test_what_it_refuses_to_say_in_standby_stays_as_it_said_last(refusal: str) -> None:
    async with _Mum(power="on") as pj, stage(display(pj.address)) as room:
        pj.refusal = refusal
        pj.fault("lamp")
        await room.shows("errors", "lamp:error")
        await room.shows("lamp_hours", 1234)
        pj.power = "off"
        await pj.asked_in_vain()
        said = [room.property(name) for name in ("errors", "lamp_hours")]
        await pj.asked_in_vain()
        assert [one.reported for one in said] == ["lamp:error", 1234]
        assert [room.property(name) for name in ("errors", "lamp_hours")] == said, "nor is it said anew"
        assert room.device.fault == Notice("device.lamp", {"device": "Projecteur"})
        await room.reboots(pj)
        await room.online()
        await pj.asked_in_vain()
        assert room.device.fault == Notice("device.lamp", {"device": "Projecteur"})
        pj.fault("lamp", False)
        pj.power = "on"
        await room.shows("errors", "")
        assert room.device.fault is None


async def test_what_it_never_said_is_not_known() -> None:
    async with _Mum() as pj, stage(display(pj.address)) as room:
        await pj.asked_in_vain()
        assert (await room.online()).properties.keys().isdisjoint({"errors", "lamp_hours"})


class _Broken(PjlinkEmulator):
    """Asked for its power, it says that it failed."""

    broken = True

    def answer(self, line: str) -> str:
        return "%1POWR=ERR4" if self.broken and "POWR" in line else super().answer(line)


async def test_one_that_says_it_failed_is_not_well() -> None:
    async with _Broken(power="on") as pj, stage(display(pj.address)) as room:
        device = await room.until(lambda device: device.fault is not None)
        assert device.fault is not None
        assert (device.connection, device.fault.code) == (Connection.ONLINE, "device.other")
        assert room.property("power").reported is None
        pj.fault("lamp")
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.lamp")
        pj.fault("lamp", False)
        pj.broken = False
        await room.until(lambda device: device.fault is None)
        await room.shows("power", "on")


async def test_only_inputs_that_exist_are_offered_by_their_kind_or_by_their_names() -> None:
    for level, names in ((1, ["rgb 1", "video 1"]), (2, ["Computer", "Video"])):
        async with PjlinkEmulator(power="on", level=level) as pj, stage(display(pj.address)) as room:
            pj.inputs, pj.input = {"11": "Computer", "21": "Video"}, "11"
            await room.until(lambda device, names=names: device.inputs == names)  # type: ignore[misc]
            await room.shows("input", names[0])
            assert (await room.do("select_input", input="hdmi1")).outcome == "unsupported"
            assert (await room.do("select_input", input=names[1])).outcome == "done"
            await room.shows("input", names[1])
            assert pj.input == "21"


async def test_an_input_asked_for_by_its_usual_name_is_called_so() -> None:
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address)) as room:
        pj.inputs = {"11": "PC", "31": "HDMI 1", "32": "HDMI 2"}
        await room.until(lambda device: "HDMI 2" in device.inputs)
        assert (await room.do("select_input", input="hdmi2")).outcome == "done"
        await room.shows("input", "hdmi2")
        assert room.device.inputs == ["PC", "HDMI 1", "hdmi2"]


async def test_inputs_of_the_settings_that_the_projector_has_not_are_named() -> None:
    settings = {"PC": "31", "Table": "26"}
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address, inputs=settings)) as room:
        device = await room.until(lambda device: device.fault is not None)
        assert device.fault is not None
        said = {"device": "Projecteur", "inputs": "Table = 26", "there": "11 31 32 51"}
        assert (device.fault.code, device.fault.args) == ("device.no_input", said)
        assert device.inputs == ["PC"]
        pj.fault("lamp")
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.lamp")


def test_names_that_two_inputs_share_tell_nothing_of_either() -> None:
    one = Inputs({})
    one.learn(["11", "31", "32"], {"11": "PC", "31": "HDMI", "32": "HDMI"})
    assert one.names == ["rgb 1", "hdmi1", "hdmi2"]
    assert (one.name("32"), one.name("5A"), one.name("")) == ("hdmi2", "network A", None)


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=3), st.text(max_size=80)))
def test_whatever_a_projector_says_of_its_inputs(value: str, told: dict[str, str]) -> None:
    codes = read_inputs(value)
    one = Inputs({})
    one.learn(codes, {code: read_name(name) for code, name in told.items()})
    assert [one.choose(name) for name in one.names] == codes
    one.name(value)
