"""Writes what the demo's processes read: configurations, keys of agents, a fresh token for the demo's own calls."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from demo.fittings import Fitter
from demo.layout import Layout
from demo.network import RINGING_CENTER, RUNNING_MEETING, network
from devices import DeviceConfig
from roomctl.config import AnswerSettings, MediaSettings, PageSettings, RoomConfig, ServerSettings
from roomctl.keys import AgentKey
from signaling.config import DEMO_KEY, DEMO_SECRET, is_loopback
from wire.places import Center, Room

POSITIONS = {
    0: {"pan": 0, "tilt": 0, "zoom": 100},
    1: {"pan": 90000, "tilt": 18000, "zoom": 400},
    2: {"pan": -144000, "tilt": 0, "zoom": 250},
}  # of USB cameras, in their units
PEOPLE_INSIDE = 4  # in a room that is in a meeting from the start


class EmulatedRoom(msgspec.Struct, frozen=True):
    """A room's equipment, to be emulated, and how many people are in it at the start."""

    id: str
    name: str
    center: str
    people: int
    devices: list[DeviceConfig]


class EquipmentFile(msgspec.Struct, frozen=True):
    """What `demo.equipment` reads."""

    port: int
    agents: str
    dashboard: str
    pulse: Path
    folder: Path  # for the servers behind the emulated devices
    broker: str  # address of the sensors' broker
    rooms: list[EmulatedRoom]


class RoomsFile(msgspec.Struct, frozen=True):
    """What `demo.rooms` reads."""

    port: int
    rooms: list[RoomConfig]


def write_files(layout: Layout, token: str) -> None:
    """Write (or refresh) everything in the demo's data folder, readable by its owner only."""
    layout.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (layout.data / "links.json").unlink(missing_ok=True)
    demo = network()
    centers = {center.id: center for center in demo.centers}
    keys = {room.id: _key(layout, room.id) for room in demo.rooms}
    emulated = [
        EmulatedRoom(
            id=room.id,
            name=room.name,
            center=centers[room.center].name,
            people=PEOPLE_INSIDE if room.id in RUNNING_MEETING else 0,
            devices=Fitter(layout, index, room).devices(),
        )
        for index, room in enumerate(demo.rooms)
    ]
    for equipment in emulated:
        _positions(equipment)
    rooms = [
        _room(layout, room, centers[room.center], equipment)
        for room, equipment in zip(demo.rooms, emulated, strict=True)
    ]
    entries = [{**msgspec.to_builtins(room), "agent_keys": [keys[room.id].public]} for room in demo.rooms]
    _write(layout.data / "network.json", {"centers": demo.centers, "rooms": entries})
    _write(layout.data / "rooms.json", RoomsFile(layout.port + 1, rooms))
    _write(
        layout.data / "equipment.json",
        EquipmentFile(
            layout.port + 3,
            layout.agents,
            f"{layout.server}/dashboard",
            layout.pulse,
            layout.sockets,
            layout.broker_host,
            emulated,
        ),
    )
    _private(layout.data / "signaling.toml", _server(layout, token))


def _server(layout: Layout, token: str) -> bytes:
    config = {
        "bind": f"127.0.0.1:{layout.port}",
        "public_url": layout.server,
        "data": "server",
        "network": "network.json",
        "media": {"bind": [layout.media], "announce": [], "shards": 1},
        "keys": {DEMO_KEY: DEMO_SECRET} if is_loopback(layout.media_host) else {},
        "api": {"tokens": [token]},
        "demo": {"links": "links.json"},
    }
    return msgspec.toml.encode(config)


def _room(layout: Layout, room: Room, center: Center, equipment: EmulatedRoom) -> RoomConfig:
    return RoomConfig(
        room=room,
        center=center,
        server=ServerSettings(url=layout.server, key_file=str(_key_file(layout, room.id))),
        data=str(layout.data / "agents"),
        pages=PageSettings(port=layout.port + 1),
        media=MediaSettings(mode="agent"),
        answer=AnswerSettings(auto=room.center != RINGING_CENTER),
        devices=tuple(equipment.devices),
        device_retry=5.0,  # mended devices are seen within 10 s
        demo=True,
    )


def _positions(equipment: EmulatedRoom) -> None:
    """What an installer would have stored in a camera that keeps no positions itself."""
    for device in equipment.devices:
        memory = device.settings.get("memory")
        if memory is not None and not Path(memory).exists():
            Path(memory).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(Path(memory), POSITIONS)


def _key_file(layout: Layout, room: str) -> Path:
    return layout.data / "keys" / f"{room}.pem"


def _key(layout: Layout, room: str) -> AgentKey:
    """The agent's key: made at the demo's first start, kept after that."""
    file = _key_file(layout, room)
    if not file.exists():
        AgentKey.generate().write(file)
    return AgentKey.read(file)


def _write(path: Path, value: object) -> None:
    _private(path, msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=1))


def _private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
