"""Follow rules: when they act, in virtual time, and what the agent does with them."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomctl.config import read_config
from roomctl.errors import ConfigError
from roomctl.follow import Action, Condition, Follower, Rule
from roomctl.scenes import Scene
from tests.roomctl.conftest import MakeRoom, running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.test_agent import press
from tests.roomctl.test_config import GOOD
from wire.devices import Connection, Device, DeviceCommand, Property, Role, Value
from wire.link import Phase
from wire.problems import Notice

OFF = Rule(Condition(Role.FRONT_DISPLAY, "power", value="off"), Action(scene="standby"))
EMPTY = Rule(Condition(Role.OCCUPANCY_SENSOR, "occupied", value=False, seconds=600), Action(scene="standby"))
STUFFY = Rule(
    Condition(Role.AIR_SENSOR, "co2", above=1500, phases=(Phase.IDLE, Phase.IN_MEETING)), Action(notice="device.other")
)


def says(role: Role, name: str, value: Value, connection: Connection = Connection.ONLINE) -> dict[str, Device]:
    return {"d": Device("d", role, "x", "Appareil", connection, properties={name: Property(reported=value)})}


def power(value: Value, connection: Connection = Connection.ONLINE) -> dict[str, Device]:
    return says(Role.FRONT_DISPLAY, "power", value, connection)


def test_acts_once_each_time_the_condition_begins() -> None:
    follower = Follower([OFF])
    acted = [
        len(follower.observe(power(value), Phase.IDLE, now))
        for now, value in enumerate(["on", "off", "off", "on", "off"])
    ]
    assert acted == [0, 1, 0, 0, 1]


def test_acts_only_in_its_phases() -> None:
    follower = Follower([OFF])
    assert follower.observe(power("off"), Phase.IN_MEETING, 0) == []
    assert follower.observe(power("off"), Phase.IDLE, 1) == [OFF.then]


def test_a_condition_must_hold_without_a_break() -> None:
    follower = Follower([EMPTY])

    def room(occupied: bool) -> dict[str, Device]:
        return says(Role.OCCUPANCY_SENSOR, "occupied", occupied)

    assert follower.observe(room(False), Phase.IDLE, 0) == []
    assert follower.pause(100) == 500
    assert follower.observe(room(True), Phase.IDLE, 599) == []
    assert follower.pause(599) is None
    assert follower.observe(room(False), Phase.IDLE, 601) == []
    assert follower.observe(room(False), Phase.IDLE, 1200) == []
    assert follower.observe(room(False), Phase.IDLE, 1201) == [EMPTY.then]
    assert follower.pause(1201) is None


@pytest.mark.parametrize("connection", [Connection.UNREACHABLE, Connection.CONNECTING])
def test_a_silent_device_fulfils_nothing(connection: Connection) -> None:
    follower = Follower([OFF])
    assert follower.observe(power("off", connection), Phase.IDLE, 0) == []
    assert follower.observe({}, Phase.IDLE, 1) == []


def test_a_notice_stands_as_long_as_its_condition_and_hides_nothing_worse() -> None:
    follower = Follower([STUFFY])
    air = says(Role.AIR_SENSOR, "co2", 1600)
    assert follower.observe(air, Phase.IN_MEETING, 0) == [STUFFY.then]
    assert follower.marked(air)["d"].fault == Notice("device.other", {"device": "Appareil"})
    broken = {"d": msgspec.structs.replace(air["d"], fault=Notice("device.lamp"))}
    assert follower.marked(broken)["d"].fault == Notice("device.lamp")
    fresh = says(Role.AIR_SENSOR, "co2", 800)
    assert follower.observe(fresh, Phase.IN_MEETING, 1) == []
    assert follower.marked(fresh)["d"].fault is None


@pytest.mark.parametrize(
    ("condition", "value", "met"),
    [
        ({"value": False}, False, True),
        ({"value": False}, 0, False),
        ({"value": 1}, True, False),
        ({"value": "off"}, None, False),
        ({"above": 2.0}, 2.5, True),
        ({"above": 2.0}, 2, False),
        ({"above": 0.0}, True, False),
        ({"below": 10.0}, 3, True),
        ({"below": 10.0}, "3", False),
    ],
)
def test_what_a_value_fulfils(condition: dict[str, float], value: Value, met: bool) -> None:
    assert Condition(Role.UPS, "x", **condition).met(value) is met  # type: ignore[arg-type]


VALUES = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5))


@given(st.lists(st.tuples(VALUES, st.sampled_from(Phase), st.floats(0, 1000)), max_size=30), VALUES.filter(bool))
def test_any_words_of_a_device_act_at_most_once_per_beginning(
    words: list[tuple[Value, Phase, float]], value: str | float | bool
) -> None:
    rule = Rule(Condition(Role.FRONT_DISPLAY, "power", value=value), Action(scene="idle"))
    follower, now, held = Follower([rule]), 0.0, False
    for said, phase, later in words:
        now += later
        holds = phase is Phase.IDLE and rule.when.met(said)
        assert len(follower.observe(power(said), phase, now)) == int(holds and not held)
        held = holds


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('when = { role = "ups", property = "supply" }\nthen = { scene = "idle" }', r"follow\[0\].when needs exactly"),
        (
            'when = { role = "ups", property = "supply", value = "battery" }\nthen = {}',
            r"follow\[0\].then needs exactly",
        ),
        ('when = { role = "ups", property = "x", value = 1 }\nthen = { notice = "nope" }', r"then.notice no notice"),
        (
            'when = { role = "ups", property = "x", above = 1 }\nthen = { command = { role = "ups", op = "dance" } }',
            r"then.command.op no operation",
        ),
        (
            'when = { role = "oven", property = "x", above = 1 }\nthen = { scene = "idle" }',
            r"follow\[0\].when.role|role",
        ),
        (
            'when = { role = "ups", property = "x", above = 1, phases = [] }\nthen = { scene = "idle" }',
            r"when.phases is empty",
        ),
        (
            'when = { role = "ups", property = "x", above = 1 }\nthen = { scene = "idle" }',
            "when.role is 'ups', and no device",
        ),
        (
            'when = { role = "main_camera", property = "x", above = 1 }\n'
            'then = { command = { role = "front_display", op = "set_power" } }',
            "then.command.role is 'front_display'",
        ),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "room.toml"
    file.write_text(f"{GOOD}\n[[follow]]\n{text}\n")
    with pytest.raises(ConfigError, match=key):
        read_config(file)


def test_rules_are_read_from_the_rooms_file(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    rule = 'when = { role = "main_camera", property = "power", value = "off", for = 5 }\nthen = { scene = "standby" }'
    file.write_text(f"{GOOD}\n[[follow]]\n{rule}\n")
    condition = Condition(Role.MAIN_CAMERA, "power", value="off", seconds=5)
    assert read_config(file).follow == (Rule(condition, Action(scene="standby")),)


async def test_a_display_switched_off_by_its_remote_sends_the_room_to_standby(
    server: LinkServer, make_room: MakeRoom
) -> None:
    mute = Rule(
        Condition(Role.FRONT_DISPLAY, "power", value="off"),
        Action(command=DeviceCommand(Role.ROOM_SPEAKER, "set_volume", {"volume": 0.0})),
    )
    lit = Rule(Condition(Role.FRONT_DISPLAY, "power", value="on"), Action(notice="device.other"))
    room = make_room(follow=(OFF, mute, lit))
    async with running(room.agent):
        await server.linked()
        room.agent.feed(room.agent.room.follow(Scene.IDLE, time.time()))
        await room.agent.scene_settled()
        await room.shows(lambda view: view.devices["front_display"].fault is not None)  # the rules saw it on
        await press(room, "set_volume", volume=0.5)
        assert room.agent.room.scene is Scene.IDLE
        assert room.devices.reported(Role.FRONT_DISPLAY, "power") == "on"
        room.devices.say(Role.FRONT_DISPLAY, "power", "off")
        await room.shows(lambda view: view.devices["room_speaker"].properties["volume"].reported == 0.0)
        assert room.agent.room.scene.value == "standby"
        await room.agent.scene_settled()


async def test_a_rule_does_not_act_on_what_a_device_said_before_it_was_away(
    server: LinkServer, make_room: MakeRoom
) -> None:
    seen = Rule(
        Condition(Role.OCCUPANCY_SENSOR, "occupied", value=True),
        Action(command=DeviceCommand(Role.ROOM_SPEAKER, "set_volume", {"volume": 0.0})),
    )
    room = make_room(follow=(OFF, seen), extra=(Role.OCCUPANCY_SENSOR,))
    async with running(room.agent):
        await server.linked()
        room.agent.feed(room.agent.room.follow(Scene.IDLE, time.time()))
        await room.agent.scene_settled()
        room.devices.say(Role.FRONT_DISPLAY, "power", "off")
        room.devices.old.add((Role.FRONT_DISPLAY, "power"))  # the power strip was off, it is there again
        room.devices.say(Role.OCCUPANCY_SENSOR, "occupied", True)
        await room.shows(lambda view: "volume" in view.devices["room_speaker"].properties)
        assert room.agent.room.scene is Scene.IDLE, "both rules were looked at"
        room.devices.say(Role.FRONT_DISPLAY, "power", "off")
        await room.shows(lambda view: room.agent.room.scene is Scene.STANDBY)


async def test_a_room_that_stays_empty_goes_to_standby_and_its_notice_is_shown(
    server: LinkServer, make_room: MakeRoom
) -> None:
    soon = Rule(
        Condition(Role.OCCUPANCY_SENSOR, "occupied", value=False, seconds=0.2), Action(notice="device.temperature")
    )
    room = make_room(follow=(soon,), extra=(Role.OCCUPANCY_SENSOR,))
    async with running(room.agent):
        room.devices.say(Role.OCCUPANCY_SENSOR, "occupied", False)
        view = await room.shows(lambda view: view.devices["occupancy_sensor"].fault is not None)
        assert view.devices["occupancy_sensor"].fault == Notice("device.temperature", {"device": "occupancy_sensor"})
        room.devices.say(Role.OCCUPANCY_SENSOR, "occupied", True)
        await room.shows(lambda view: view.devices["occupancy_sensor"].fault is None)
