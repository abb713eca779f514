"""Rooms for tests: configuration, doubles of devices and media, and waiting for what a panel would show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

from roomctl.agent import RoomAgent
from roomctl.config import AnswerSettings, MediaSettings, RoomConfig, ServerSettings
from roomctl.follow import Rule
from roomctl.keys import AgentKey
from roomctl.media.endpoint import Published
from wire.devices import Connection, Device, DeviceCommand, DeviceResult, Property, Role, Value
from wire.link import MediaAccess
from wire.live import Replica
from wire.places import Center, Room
from wire.problems import Code
from wire.views import PanelView

ROOM = Room("lln-lauzelle", "Lauzelle", "lln", 12, "board")
CENTER = Center("lln", "Louvain-la-Neuve", 50.668, 4.614)
ACCESS = MediaAccess("ws://127.0.0.1:25999", "token", "display-token", 600.0)


class Devices:
    """In-memory devices that do what they are told at once, unless `unplugged`."""

    def __init__(self, *extra: Role) -> None:
        self.commands: list[DeviceCommand] = []
        self.unplugged: set[Role] = set()
        self.old: set[tuple[Role, str]] = set()  # properties not reported since the device came back
        self.gate: asyncio.Event | None = None  # when set, power commands wait for it
        self.on_change: Callable[[], None] = lambda: None
        self.watched = False
        self._devices = {
            role.value: Device(role.value, role, "double", role.value, Connection.ONLINE, properties={})
            for role in (Role.FRONT_DISPLAY, Role.MAIN_CAMERA, Role.ROOM_MIC, Role.ROOM_SPEAKER, *extra)
        }

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def execute(self, command: DeviceCommand) -> DeviceResult:
        self.commands.append(command)
        if command.op == "set_power" and self.gate is not None:
            await self.gate.wait()
        if command.role in self.unplugged:
            return DeviceResult(command.role.value, command.op, "failed", Code.DEVICE_UNREACHABLE, retryable=True)
        name = command.op.removeprefix("set_")
        value = next(iter(command.args.values()), None)
        self.say(command.role, name, ("on" if value else "off") if name == "power" else value)
        return DeviceResult(command.role.value, command.op, "done")

    def say(self, role: Role, name: str, value: Value) -> None:
        """The device reports a property."""
        device = self._devices[role.value]
        properties = {**device.properties, name: Property(reported=value, observed_at=time.time())}
        self._devices[role.value] = msgspec.structs.replace(device, properties=properties)
        self.old.discard((role, name))
        self.on_change()

    def unplug(self, role: Role) -> None:
        """The device answers no more."""
        self.unplugged.add(role)
        self._devices[role.value] = msgspec.structs.replace(
            self._devices[role.value], connection=Connection.UNREACHABLE
        )
        self.on_change()

    def snapshot(self) -> dict[str, Device]:
        return dict(self._devices)

    def heard(self) -> dict[str, Device]:
        return {
            one.id: msgspec.structs.replace(
                one,
                properties={name: said for name, said in one.properties.items() if (one.role, name) not in self.old},
            )
            for one in self._devices.values()
        }

    def video(self, role: Role) -> None:
        return None

    def watch(self, active: bool) -> None:
        self.watched = active

    def reported(self, role: Role, name: str) -> Value:
        """What the device last said."""
        return self._devices[role.value].properties[name].reported


class Media:
    """An endpoint that joins at once."""

    def __init__(self) -> None:
        self.published = Published()
        self.opened: list[MediaAccess] = []
        self.on_change: Callable[[], None] = lambda: None

    def open(self, access: MediaAccess, *, mic: bool, camera: bool) -> None:
        self.opened.append(access)
        self._now(Published(True, mic, camera))

    def close(self) -> None:
        self._now(Published())

    def switch(self, *, mic: bool, camera: bool) -> None:
        if self.published.connected:
            self._now(Published(True, mic, camera))

    async def run(self) -> None:
        await asyncio.Event().wait()

    def _now(self, published: Published) -> None:
        self.published = published
        self.on_change()


class TestRoom:
    """An agent with doubles, and what its panel shows."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        auto: bool = False,
        after: float = 5.0,
        follow: tuple[Rule, ...] = (),
        extra: tuple[Role, ...] = (),
    ) -> None:
        self.key = AgentKey.generate()
        path = folder / "agent.key"
        path.unlink(missing_ok=True)
        self.key.write(path)
        self.config = RoomConfig(
            ROOM,
            CENTER,
            ServerSettings(url, str(path)),
            data=str(folder),
            media=MediaSettings("agent"),
            answer=AnswerSettings(auto, after),
            follow=follow,
        )
        self.devices = Devices(*extra)
        self.media = Media()
        self.agent = self.restart()

    def restart(self) -> RoomAgent:
        """A new agent process for the same room."""
        self.agent = RoomAgent(self.config, equipment=self.devices, endpoint=self.media, random=Random(7))
        self.devices.on_change = self.agent.devices_changed
        self.media.on_change = self.agent.changed
        return self.agent

    async def shows(self, wanted: Callable[[PanelView], bool], seconds: float = 10.0) -> PanelView:
        """Wait until the panel shows it."""
        replica = Replica()
        view = None
        self.agent.refresh()
        with self.agent.panel.subscribe() as changes:
            try:
                async with asyncio.timeout(seconds):
                    async for change in changes:
                        view = msgspec.convert(replica.apply(change), PanelView)
                        if wanted(view):
                            return view
            except TimeoutError:
                raise AssertionError(f"never shown; last: {view}") from None
        raise AssertionError("the topic ended")
