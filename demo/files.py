"""Writes what the demo's processes read: configurations, keys of agents, a fresh token for the demo's own calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from demo.layout import Layout
from demo.network import RINGING_CENTER, network
from devices import DeviceConfig
from roomctl.config import AnswerSettings, MediaSettings, PageSettings, RoomConfig, ServerSettings
from roomctl.keys import AgentKey
from signaling.config import DEMO_KEY, DEMO_SECRET, is_loopback
from wire.devices import Role
from wire.places import Center, Room

VISCA_PORT, PJLINK_PORT = 52381, 4352
PRESETS = {"0": "Toute la table", "1": "Orateur", "2": "Tableau"}
TIMES = {"warmup": 20.0, "cooldown": 10.0}  # seconds, as the emulated projectors take


class EmulatedRoom(msgspec.Struct, frozen=True):
    """A room's emulated equipment: the address of its camera and display, the names of its sink and source."""

    id: str
    name: str
    center: str
    host: str
    sink: str
    source: str


class EquipmentFile(msgspec.Struct, frozen=True):
    """What `demo.equipment` reads."""

    port: int
    agents: str
    dashboard: str
    pulse: Path
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
            host=layout.device_host(index),
            sink=f"{room.id}.speaker",
            source=f"{room.id}.mic",
        )
        for index, room in enumerate(demo.rooms)
    ]
    rooms = [
        _room(layout, room, centers[room.center], equipment)
        for room, equipment in zip(demo.rooms, emulated, strict=True)
    ]
    entries = [{**msgspec.to_builtins(room), "agent_keys": [keys[room.id].public]} for room in demo.rooms]
    _write(layout.data / "network.json", {"centers": demo.centers, "rooms": entries})
    _write(layout.data / "rooms.json", RoomsFile(layout.port + 1, rooms))
    _write(
        layout.data / "equipment.json",
        EquipmentFile(layout.port + 3, layout.agents, f"{layout.server}/dashboard", layout.pulse, emulated),
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
        devices=tuple(_devices(layout, equipment)),
        device_retry=5.0,  # mended devices are seen within 10 s
        demo=True,
    )


def _devices(layout: Layout, equipment: EmulatedRoom) -> list[DeviceConfig]:
    def device(id: str, role: Role, driver: str, name: str, **settings: Any) -> DeviceConfig:
        return DeviceConfig(id=id, role=role, driver=driver, name=name, settings=settings)

    pulse = layout.pulse_server
    return [
        device("camera", Role.MAIN_CAMERA, "visca", "Caméra", host=equipment.host, presets=PRESETS),
        device("projector", Role.FRONT_DISPLAY, "pjlink", "Projecteur", host=equipment.host, **TIMES),
        device("speaker", Role.ROOM_SPEAKER, "pulse", "Haut-parleurs", server=pulse, sink=equipment.sink),
        device("mic", Role.ROOM_MIC, "pulse", "Micros de table", server=pulse, source=equipment.source),
    ]


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
