"""What each demo room is equipped with, by its kind (board, meeting, huddle), as its agent's configuration says it.

The emulators of the same room are made from the same configuration (`demo.emulated`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.layout import Layout
from devices import DeviceConfig
from wire.devices import Role
from wire.places import Room

PRESETS = {"0": "Toute la table", "1": "Orateur", "2": "Tableau"}
TIMES = {"warmup": 20.0, "cooldown": 10.0}  # seconds, as the emulated projectors take
PASSWORD = "demo-only"  # of every emulated device that has one
USER = "room"
SWITCH_USER, SWITCH_PRIVACY = "roomctl", "private-12"
SWITCH_PASSWORD = "authentic-1"
VISCA_UDP, VISCA_TCP, PJLINK, ONVIF, MQTT, UPS, SNMP = 52381, 5678, 4352, 8080, 1883, 3493, 1161
FOLLOWING = {"on": "81 01 04 7D 02 FF", "off": "81 01 04 7D 03 FF"}  # what the emulated camera knows
SENSOR_TTL = 120.0  # seconds; they speak every 20
SWITCHED = ("lln-lauzelle", "isn-crealys")  # rooms with a managed switch of their own


@dataclass(frozen=True)
class Fitter:
    """Equips the `index`th room."""

    layout: Layout
    index: int
    room: Room

    def devices(self) -> list[DeviceConfig]:
        """Every device of the room."""
        match self.room.equipment:
            case "board":
                return self._board()
            case "meeting":
                return self._meeting()
            case "huddle":
                return self._huddle()

    def _board(self) -> list[DeviceConfig]:
        following = {"framing": FOLLOWING} if self.index % 2 == 0 else {}
        devices = [
            self._visca(**following),
            self._device("projector", Role.FRONT_DISPLAY, "pjlink", "Projecteur", **self._pjlink()),
            self._television("screen", Role.SECOND_DISPLAY, "Écran latéral"),
            *self._sound("Micros de plafond", "Haut-parleurs"),
            *self._sensors(),
            self._device("ups", Role.UPS, "ups", "Onduleur", ups="ups", host=self._host, port=UPS),
        ]
        return [*devices, self._switch()] if self.room.id in SWITCHED else devices

    def _meeting(self) -> list[DeviceConfig]:
        camera = self._onvif() if self.index % 2 else self._visca(transport="tcp", port=VISCA_TCP)
        return [
            camera,
            self._television("screen", Role.FRONT_DISPLAY, "Écran"),
            *self._sound("Micro de conférence", "Haut-parleur de conférence"),
            self._device("key", Role.MUTE_BUTTON, "hid", "Touche micro", node=self._node("key")),
            *self._sensors(),
        ]

    def _huddle(self) -> list[DeviceConfig]:
        memory = str(self.layout.data / "cameras" / f"{self.room.id}.json")
        return [
            self._device(
                "camera", Role.MAIN_CAMERA, "uvc", "Caméra USB",
                node=self._node("cam"), presets=PRESETS, memory=memory,
            ),
            self._television("screen", Role.FRONT_DISPLAY, "Écran"),
            *self._sound("Micro USB", "Haut-parleur USB"),
        ]  # fmt: skip

    # --- devices ------------------------------------------------------------------------------------------------

    def _visca(self, **settings: Any) -> DeviceConfig:
        return self._device("camera", Role.MAIN_CAMERA, "visca", "Caméra", host=self._host, presets=PRESETS, **settings)

    def _onvif(self) -> DeviceConfig:
        login = {"host": self._host, "port": ONVIF, "username": USER, "password": PASSWORD}
        return self._device("camera", Role.MAIN_CAMERA, "onvif", "Caméra", presets=PRESETS, **login)

    def _pjlink(self) -> dict[str, Any]:
        inputs = {"Ordinateur de la salle": "31", "Câble de table": "32"}
        return {"host": self._host, "password": PASSWORD, "inputs": inputs, **TIMES}

    def _television(self, id: str, role: Role, name: str) -> DeviceConfig:
        inputs = {"Ordinateur de la salle": "self", "Câble de table": "2.0.0.0"}
        return self._device(id, role, "cec", name, node=self._node("tv"), inputs=inputs)

    def _sound(self, mic: str, speaker: str) -> list[DeviceConfig]:
        server, id = self.layout.pulse_server, self.room.id
        return [
            self._device("speaker", Role.ROOM_SPEAKER, "pulse", speaker, server=server, sink=f"{id}.speaker"),
            self._device("mic", Role.ROOM_MIC, "pulse", mic, server=server, source=f"{id}.mic"),
        ]

    def _sensors(self) -> list[DeviceConfig]:
        host, id = self.layout.broker_host, self.room.id
        broker = {"host": host, "port": MQTT, "username": USER, "password": PASSWORD, "ttl": SENSOR_TTL}
        counted = {"people": {"topic": f"sensors/{id}-presence", "value": "{{ value_json.people }}"}}
        return [
            self._device(
                "presence", Role.OCCUPANCY_SENSOR, "mqtt", "Capteur de présence",
                device=f"{id}-presence", sources=counted, **broker,
            ),
            self._device("air", Role.AIR_SENSOR, "mqtt", "Capteur d’air", device=f"{id}-air", **broker),
        ]  # fmt: skip

    def _switch(self) -> DeviceConfig:
        login = {"user": SWITCH_USER, "password": SWITCH_PASSWORD, "privacy": SWITCH_PRIVACY}
        ports = {"3": {"interface": 3, "power": "1.3"}, "4": {"interface": 4, "power": "1.4"}}
        return self._device(
            "switch", Role.NETWORK_SWITCH, "snmp", "Commutateur", host=self._host, port=SNMP, ports=ports, **login
        )

    def _device(self, id: str, role: Role, driver: str, name: str, **settings: Any) -> DeviceConfig:
        return DeviceConfig(id=id, role=role, driver=driver, name=name, settings=settings)

    @property
    def _host(self) -> str:
        return self.layout.device_host(self.index)

    def _node(self, kind: str) -> str:
        return str(Path(self.layout.nodes, f"{self.room.id}.{kind}"))
