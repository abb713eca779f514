"""Scenes: what the devices of a room do together, as commands by role. Power first, then the rest in parallel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from wire.devices import Device, DeviceCommand, DeviceResult, Role

if TYPE_CHECKING:
    from devices.rtsp.feed import VideoFeed


class Scene(StrEnum):
    """How the room is set up. The values are those of `DisplayView.scene`."""

    IDLE = "idle"  # screens on, camera and microphone closed
    CALL = "call"  # people on the screens
    PRESENT = "present"  # content on one screen, people on the other
    STANDBY = "standby"  # everything off


class Equipment(Protocol):
    """The devices of a room: the face of `devices.DeviceHub` that the room uses."""

    async def run(self) -> None:
        """Own the connections until cancelled."""

    async def execute(self, command: DeviceCommand) -> DeviceResult:
        """Do one command; answers within the framework's time limits and does not raise for a device's failure."""

    def snapshot(self) -> dict[str, Device]:
        """Every device by id, as last seen."""

    def heard(self) -> dict[str, Device]:
        """The same with only those properties that a device reported since it was last away."""

    def video(self, role: Role) -> VideoFeed | None:
        """Pictures of the device of a role; None where it shows none."""

    def watch(self, active: bool) -> None:
        """Poll often while in a meeting or on a page, rarely otherwise."""


SCREENS = (Role.FRONT_DISPLAY, Role.SECOND_DISPLAY)
MICROPHONES = (Role.ROOM_MIC, Role.MUTE_BUTTON)


def power_step(scene: Scene, roles: frozenset[Role], *, camera: bool) -> list[DeviceCommand]:
    """First step of `scene` for a room that has `roles`. A closed camera is switched off, so that it cannot see."""
    power = [power_command(role, scene is not Scene.STANDBY) for role in SCREENS]
    power.append(power_command(Role.MAIN_CAMERA, camera))
    return [command for command in power if command.role in roles]


def second_step(scene: Scene, roles: frozenset[Role], *, mic: bool, volume: float | None) -> list[DeviceCommand]:
    """Second step, made after the first is over, so that a microphone closed meanwhile stays closed. `volume` 0..1."""
    rest = mute_commands(not mic)
    if scene in (Scene.CALL, Scene.PRESENT) and volume is not None:
        rest.append(volume_command(volume))
    return [command for command in rest if command.role in roles]


def power_command(role: Role, on: bool) -> DeviceCommand:
    """Switch a device on or to standby."""
    return DeviceCommand(role, "set_power", {"on": on})


def mute_commands(muted: bool, *roles: Role) -> list[DeviceCommand]:
    """Mute or open the room's microphone at the device, and let the light of a mute key agree."""
    return [DeviceCommand(role, "set_mute", {"on": muted}) for role in roles or MICROPHONES]


def call_commands(devices: Mapping[str, Device], scene: Scene) -> list[DeviceCommand]:
    """Tell every device that wants to know whether the room is in a call: a speakerphone goes off its hook."""
    on = scene in (Scene.CALL, Scene.PRESENT)
    return [DeviceCommand(one.role, "set_call", {"on": on}) for one in devices.values() if "call" in one.capabilities]


def volume_command(volume: float) -> DeviceCommand:
    """Set the loudness of the room, 0..1."""
    return DeviceCommand(Role.ROOM_SPEAKER, "set_volume", {"volume": volume})


async def together(equipment: Equipment, commands: list[DeviceCommand]) -> list[DeviceResult]:
    """Run commands in parallel; one result each, in order. A failure stops nothing else."""
    return list(await asyncio.gather(*(equipment.execute(command) for command in commands)))


def present(commands: list[DeviceCommand], equipment: Equipment) -> list[DeviceCommand]:
    """Those for which the room has a device."""
    roles = roles_of(equipment.snapshot())
    return [command for command in commands if command.role in roles]


def roles_of(devices: Mapping[str, Device]) -> frozenset[Role]:
    """The roles a room's devices fill."""
    return frozenset(device.role for device in devices.values())
