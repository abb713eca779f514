"""The demo's rooms have the equipment of their kind; where a server is missing its devices are named, and the rest runs."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from demo.acts import drain, shown_by
from demo.emulated import Emulated, Equipment
from demo.faults import EVERYWHERE, FaultsPage
from demo.files import EmulatedRoom, EquipmentFile
from demo.fittings import Fitter
from demo.layout import Layout
from demo.life import breathe, supply
from demo.network import network
from devices import DeviceHub, DeviceRequest
from devices.emulators.mqtt import MqttSensorEmulator
from devices.emulators.ups import UpsServer
from devices.registry import Registry
from web import LANGUAGES
from web.catalogs import load
from wire.devices import Connection, Device, Role, Value

BOARD, MEETING, HUDDLE = 0, 1, 4  # Lauzelle, Hocaille, Bruyères


@pytest.fixture
def folder() -> Iterator[Path]:
    """A path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="roomctl-") as path:
        yield Path(path)


def fitted(folder: Path, *indices: int) -> EquipmentFile:
    """What those rooms need, on ports of their own."""
    layout = Layout(25900, folder)
    rooms = [
        EmulatedRoom(room.id, room.name, room.center, 0, Fitter(layout, index, room).devices())
        for index, room in enumerate(network().rooms)
        if index in indices
    ]
    return EquipmentFile(25903, layout.agents, "", layout.pulse, layout.sockets, layout.broker_host, rooms)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_faults_page_has_words_for_all_that_can_be_done(folder: Path, language: str) -> None:
    known, equipment = load(language), Equipment(fitted(folder, *range(31)))
    every = [*equipment.all, *equipment.everywhere.values()]
    keys = {f"faults.fault.{fault}" for one in every for fault in one.emulator.available_faults}
    keys |= {f"faults.hand.{act}" for one in every for act in one.acts}
    keys |= {
        f"faults.shows.{name}.{word}"
        for one in every
        for name, value in shown_by(one.emulator).items()
        if isinstance(value, bool)
        for word in ("on", "off")
    }
    assert sorted(key for key in keys if key not in known) == []


def test_every_room_has_what_its_kind_has(folder: Path) -> None:
    rooms = network().rooms
    kinds = {room.id: room.equipment for room in rooms}
    file = fitted(folder, *range(31))
    drivers = {kind: Counter[str]() for kind in ("board", "meeting", "huddle")}
    for room in file.rooms:
        drivers[kinds[room.id]].update({device.driver for device in room.devices})
        roles = [device.role for device in room.devices]
        assert {Role.MAIN_CAMERA, Role.FRONT_DISPLAY, Role.ROOM_MIC, Role.ROOM_SPEAKER} <= set(roles)
        assert len(roles) == len(set(roles))
    boards = len([1 for kind in kinds.values() if kind == "board"])
    assert {drivers["board"][one] for one in ("visca", "pjlink", "cec", "mqtt", "ups")} == {boards}
    assert drivers["board"]["snmp"] == 2
    assert drivers["meeting"]["onvif"] > 3
    assert drivers["meeting"]["visca"] > 3
    assert drivers["huddle"].keys() == {"uvc", "cec", "pulse"}


def test_every_room_has_a_display_that_can_pretend_to_obey(folder: Path) -> None:
    for id, (_, devices) in Equipment(fitted(folder, *range(31))).rooms.items():
        able = {one.role for one in devices.values() if "pretends" in one.emulator.available_faults}
        assert Role.FRONT_DISPLAY in able, id


@pytest.mark.parametrize("index", [BOARD, MEETING, HUDDLE])
def test_the_configurations_are_right(folder: Path, index: int) -> None:
    (room,) = fitted(folder, index).rooms
    Registry.installed().build(room.devices)


@pytest.mark.timeout(60)
async def test_a_board_room_and_a_meeting_room_come_up_whole_and_hands_are_seen(folder: Path) -> None:
    equipment = Equipment(fitted(folder, BOARD, MEETING))
    await equipment.start()
    try:
        for room, devices in equipment.rooms.values():
            assert [device.name for device in devices.values() if device.missing] == []
            async with running(room) as hub:
                await hub.until(hub.whole)
                await _come_and_go(equipment, room.id, hub)
    finally:
        await equipment.stop()


async def _come_and_go(equipment: Equipment, room: str, hub: Watched) -> None:
    devices = equipment.rooms[room][1]
    devices["presence"].acts["enter"]()
    devices["presence"].acts["enter"]()
    await hub.until(lambda: hub.reported("presence", "people") == 2 and hub.reported("presence", "occupied") is True)
    for _ in range(2):
        devices["presence"].acts["leave"]()
    await hub.until(lambda: hub.reported("presence", "people") == 0 and hub.reported("presence", "occupied") is False)
    if "ups" in devices:
        drain(cast(UpsServer, devices["ups"].emulator))
        await hub.until(lambda: hub.reported("ups", "supply") == "low" and hub.reported("ups", "charge") == 8)
    if "key" in devices:
        devices["key"].acts["press"]()
        await hub.until(lambda: [request.op for request in hub.requests] == ["set_mute"])
        await _phone(devices, hub)


async def _phone(devices: Mapping[str, Emulated], hub: Watched) -> None:
    acts = devices["key"].acts
    for act in ("hook", "volume_up", "volume_down"):
        acts[act]()
    await hub.until(lambda: len(hub.requests) == 4)
    assert [(one.op, one.args) for one in hub.requests[1:]] == [
        ("set_call", {"on": True}),
        ("step_volume", {"up": True}),
        ("step_volume", {"up": False}),
    ]
    await cast(Awaitable[None], acts["volume_hold"]())
    await hub.until(lambda: len(hub.requests) > 6)
    assert {(one.op, one.args["up"]) for one in hub.requests[4:]} == {("step_volume", False)}


async def test_without_mosquitto_the_rest_runs_and_the_page_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def which(name: str, path: str | None = None) -> str | None:
        return "/nowhere/mosquitto" if name == "mosquitto" else found(name, path=path)

    found = shutil.which
    monkeypatch.setattr(shutil, "which", which)
    equipment = Equipment(fitted(folder, MEETING))
    await equipment.start()
    try:
        app = web.Application()
        app.add_routes(FaultsPage(equipment.rooms, equipment.everywhere, "http://127.0.0.1:1", "").routes())
        async with TestClient(TestServer(app)) as client:
            async with client.get("/faults/state") as answer:
                rooms = (await answer.json())["rooms"]
            missing = {name: device["missing"] for name, device in rooms["lln-hocaille"]["devices"].items()}
            assert missing == dict.fromkeys(missing, "") | {"presence": "mosquitto", "air": "mosquitto"}
            assert rooms[EVERYWHERE]["devices"]["broker"]["missing"] == "mosquitto"
            wanted = {"room": "lln-hocaille", "device": "presence", "act": "enter"}
            async with client.post("/faults/acts", json=wanted) as answer:
                assert (await answer.json())["code"] == "unavailable"
            async with client.post("/faults/acts", json=wanted | {"device": "key", "act": "press"}) as answer:
                assert answer.status == 200
            async with client.post("/faults/acts", json=wanted | {"device": "key", "act": "kick"}) as answer:
                assert (await answer.json())["code"] == "bad_request"
    finally:
        await equipment.stop()


def test_air_gets_stale_with_people_and_a_battery_empties_without_mains(folder: Path) -> None:
    equipment = Equipment(fitted(folder, BOARD))
    devices = equipment.rooms["lln-lauzelle"][1]
    presence, air = (cast(MqttSensorEmulator, devices[id].emulator) for id in ("presence", "air"))
    ups = cast(UpsServer, devices["ups"].emulator)
    (fitted(folder, BOARD).folder / "lln-lauzelle" / "ups").mkdir(parents=True)
    presence.values["people"] = 12
    for _ in range(40):
        breathe(list(devices.values()))
    assert 1400 < float(air.values["co2"]) < 1600
    assert float(air.values["temperature"]) > 22
    ups.fault("power")
    before = ups.supplies["ups"]["battery.charge"]
    supply(ups)
    assert int(ups.supplies["ups"]["battery.charge"]) < int(before)
    for _ in range(30):
        supply(ups)
    assert ups.supplies["ups"]["ups.status"] == "OB DISCHRG LB"
    ups.fault("power", False)
    for _ in range(40):
        supply(ups)
    assert ups.supplies["ups"]["ups.status"] == "OL"


class Watched:
    """A room's hub, and what it says."""

    def __init__(self, room: EmulatedRoom) -> None:
        self.requests: list[DeviceRequest] = []
        self._news = asyncio.Event()
        self._hub = DeviceHub(room.id, room.devices, self._changed, on_request=self.requests.append)

    def _changed(self) -> None:
        self._news.set()

    @property
    def devices(self) -> dict[str, Device]:
        return self._hub.snapshot()

    def whole(self) -> bool:
        """Every device answers."""
        return all(device.connection is Connection.ONLINE for device in self.devices.values())

    def reported(self, device: str, name: str) -> Value:
        property = self.devices[device].properties.get(name)
        return property.reported if property else None

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def run(self) -> None:
        self._hub.watch(True)
        await self._hub.run()


@asynccontextmanager
async def running(room: EmulatedRoom) -> AsyncIterator[Watched]:
    hub = Watched(room)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
