"""A private mosquitto broker, the real one, and sensors that publish to it as those that Home Assistant finds do."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec

from devices.emulators.faults import Emulator
from devices.emulators.process import ServerProcess, answers, free_port
from devices.mqtt.broker import Address, BrokerLink
from devices.mqtt.packets import Published

MISSING = "Is the package `mosquitto` installed?"
Reading = bool | int | float


class MqttBroker(Emulator):
    """Listens at `address`. `password` is that of the user `room`, none: everybody may come in.

    Faults: `silent` (stopped in its tracks), `unplugged` (not running), `reboot` (restarts without what it kept),
    `wrong_password`. With `certificate` and `key` (PEM files) it speaks TLS only.
    """

    available_faults = ("silent", "unplugged", "reboot", "wrong_password")

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        password: str = "",
        certificate: Path | None = None,
        key: Path | None = None,
        reboot: float = 3.0,
    ) -> None:
        super().__init__(reboot=reboot)
        self.address = ("127.0.0.1", port or free_port())
        self.password = password
        self._folder = folder
        self.sensors: list[MqttSensorEmulator] = []
        self._tls = (certificate, key)
        self._secret = password  # that the running server was started with
        self._process: ServerProcess | None = None

    async def open(self) -> None:
        """Start it, wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        host, port = self.address
        settings = self._folder / "mosquitto.conf"
        lines = [f"listener {port} {host}", "persistence false", "max_queued_messages 10000"]
        lines += [f"user {self._folder.owner()}"]  # instead of its own user, who may not read here
        if self.password:
            self._secret = "changed" if "wrong_password" in self._on else self.password
            passwords = await self._passwords()
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            lines += ["allow_anonymous true"]
        if all(self._tls):
            lines += [f"certfile {self._tls[0]}", f"keyfile {self._tls[1]}"]
        settings.write_text("\n".join(lines) + "\n")
        command = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/bin:/usr/local/bin") or "mosquitto"
        self._process = ServerProcess([command, "-c", str(settings)], MISSING)
        await self._process.start(lambda: answers(host, port))
        for sensor in self.sensors:
            await sensor.open()

    @property
    def running(self) -> bool:
        """The server is there."""
        return self._process is not None and self._process.running

    async def _passwords(self) -> Path:
        path = self._folder / "passwords"
        path.write_text(f"room:{self._secret}\n")
        path.chmod(0o600)
        process = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(path))
        await process.wait()
        return path

    async def close(self) -> None:
        """End it."""
        for sensor in self.sensors:
            await sensor.close()
        if self._process is not None:
            await self._process.stop()
            self._process = None

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; a new password is known after a restart."""
        super().fault(name, on)
        if name == "silent" and self._process is not None:
            self._process.pause(on)
        elif name == "wrong_password":
            super().fault("reboot")

    def forget(self) -> None:
        """It keeps nothing on disk."""

    def link(self, will: Published | None = None) -> AbstractAsyncContextManager[BrokerLink]:
        """A connection for a sensor."""
        host, port = self.address
        name, password = ("room", self._secret) if self.password else ("", "")
        ca = str(self._tls[0]) if self._tls[0] else None
        return BrokerLink.open(Address(host, port, name, password, ca is not None, ca), will)


class MqttSensorEmulator(Emulator):
    """A sensor named `device` that announces itself and publishes all of `values` in one JSON message when they change.

    `retain`: the broker keeps its messages. `stamp`: Unix time it says it measured at. Faults: `unplugged` (its
    connection breaks and the broker says its last will), `reboot`, `stuck` (it says nothing more), `garbage`.
    """

    available_faults = ("unplugged", "reboot", "stuck", "garbage")
    CLASSES = {
        "occupied": ("binary_sensor", "occupancy", ""),
        "co2": ("sensor", "carbon_dioxide", "ppm"),
        "temperature": ("sensor", "temperature", "°C"),
        "humidity": ("sensor", "humidity", "%"),
        "battery": ("sensor", "battery", "%"),
    }

    def __init__(
        self,
        broker: MqttBroker,
        device: str,
        values: dict[str, Reading] | None = None,
        *,
        retain: bool = False,
        expire_after: int | None = None,
        availability: bool = True,
        reboot: float = 3.0,
        seed: int = 1,
    ) -> None:
        super().__init__(reboot=reboot, seed=seed)
        self.device = device
        self.values = dict(values or {"occupied": True, "co2": 612, "temperature": 21.4, "battery": 87})
        self.retain = retain
        self.stamp: float | None = None
        self._broker = broker
        self._expire_after = expire_after
        self._availability = f"sensors/{device}/availability" if availability else None
        self._link: BrokerLink | None = None
        self._opened: AbstractAsyncContextManager[BrokerLink] | None = None

    @property
    def address(self) -> str:
        """What it calls itself."""
        return self.device

    @property
    def topic(self) -> str:
        """Where its values come."""
        return f"sensors/{self.device}"

    async def open(self) -> None:
        """Connect, announce, say that it is there and what it measures; the broker does so whenever it comes back."""
        if self not in self._broker.sensors:
            self._broker.sensors.append(self)
        if self._link is not None or not self.plugged or not self._broker.running:
            return
        will = Published(self._availability, b"offline", retained=True) if self._availability else None
        self._opened = self._broker.link(will)
        self._link = await self._opened.__aenter__()
        for name in self.values:
            if name in self.CLASSES:  # Home Assistant has no class for a number of people
                self._announce(name)
        if self._availability:
            self._link.publish(Published(self._availability, b"online", retained=True))
        self.say()
        await self._link.ping()

    def _announce(self, name: str) -> None:
        component, device_class, unit = self.CLASSES[name]
        config: dict[str, object] = {
            "name": name,
            "uniq_id": f"{self.device}_{name}",
            "stat_t": "~",
            "~": self.topic,
            "dev_cla": device_class,
            "val_tpl": f"{{{{ value_json.{name} }}}}",
            "dev": {"ids": [self.device], "name": f"Sensor {self.device}", "mf": "roomctl", "mdl": "emulated"},
        }
        config |= {"unit_of_meas": unit} if unit else {"pl_on": True, "pl_off": False}
        config |= {"exp_aft": self._expire_after} if self._expire_after else {}
        config |= {"avty_t": self._availability} if self._availability else {}
        topic = f"homeassistant/{component}/{self.device}/{name}/config"
        assert self._link is not None
        self._link.publish(Published(topic, msgspec.json.encode(config), retained=True))

    async def close(self) -> None:
        """Break the connection: the broker says the last will."""
        if self._opened is not None and self._link is not None:
            self._link.drop()
            await self._opened.__aexit__(None, None, None)
        self._opened = self._link = None

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; the next message follows at once, as the faults let it."""
        super().fault(name, on)
        if name in ("garbage", "stuck") and self._link is not None:
            self.say()

    def measure(self, **values: Reading) -> None:
        """Something changed in the room."""
        self.values |= values
        self.say()

    def say(self) -> None:
        """Publish every value."""
        said: dict[str, object] = dict(self.values)
        if self.stamp is not None:
            said["last_seen"] = self.stamp
        if self._link is not None and "stuck" not in self._on:
            for payload in self.sent(msgspec.json.encode(said)):
                self._link.publish(Published(self.topic, payload, retained=self.retain))

    async def stop(self) -> None:
        """It is taken away."""
        if self in self._broker.sensors:
            self._broker.sensors.remove(self)
        await super().stop()

    def forget(self) -> None:
        """It measures again at once."""
