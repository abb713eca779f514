"""The room's microphone and camera, opened or closed from wherever: the panel, a mute key, the device itself, far away.

Every way ends here, so that what is sent, the devices and the light of a mute key agree.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from roomctl.media.endpoint import Endpoint
from roomctl.room import Room
from roomctl.scenes import Equipment, mute_commands, power_command, present, together
from wire.devices import DeviceCommand, DeviceResult, Role


class Switched(Protocol):
    """The agent as switches see it."""

    room: Room
    equipment: Equipment
    endpoint: Endpoint

    def changed(self) -> None:
        """Something people see has changed."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as one of the agent's tasks."""


async def turn(agent: Switched, *, mic: bool | None = None, camera: bool | None = None) -> list[DeviceResult]:
    """Open or close: what is sent at once, then the devices."""
    set_switches(agent, mic=mic, camera=camera)
    commands = [] if mic is None else mute_commands(not mic)
    if camera is not None:
        commands.append(power_command(Role.MAIN_CAMERA, camera))
    return await command(agent, *commands)


def set_switches(agent: Switched, *, mic: bool | None = None, camera: bool | None = None) -> None:
    """Begin or stop to send sound or picture."""
    agent.room.switch(mic=mic, camera=camera)
    switches = agent.room.switches
    agent.endpoint.switch(mic=switches.mic, camera=switches.camera)
    agent.changed()


async def command(agent: Switched, *commands: DeviceCommand) -> list[DeviceResult]:
    """Those commands that the room has a device for."""
    return await together(agent.equipment, present(list(commands), agent.equipment))


def close_from_afar(agent: Switched, kind: str) -> None:
    """Somebody with the right to do so closed the microphone (`audio`) or camera; nobody remote can open them."""
    closing = {"mic": False} if kind == "audio" else {"camera": False}
    agent.spawn(_turned(agent, **closing))


def muted_at_microphone(agent: Switched) -> None:
    """Somebody muted the microphone at the device: stop sending, and let the mute key's light say so."""
    set_switches(agent, mic=False)
    agent.spawn(show_mute(agent))


async def _turned(agent: Switched, **switches: bool) -> None:
    await turn(agent, **switches)


async def show_mute(agent: Switched) -> None:
    """The light of the mute key, as the microphone is."""
    await command(agent, *mute_commands(not agent.room.switches.mic, Role.MUTE_BUTTON))
