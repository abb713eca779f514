"""All devices of a room: commands by role, one picture of each device, one call when anything changed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devices.config import DeviceConfig
from devices.driver import Driver
from devices.registry import Registry
from devices.request import DeviceRequest
from devices.runner import DeviceRunner
from devices.sharing import Shared
from devices.timing import Timing
from devices.unusable import Unusable
from wire.devices import Connection, Device, DeviceCommand, DeviceResult, Role
from wire.problems import Code

if TYPE_CHECKING:
    from devices.rtsp.feed import VideoFeed  # brings FFmpeg, which only cameras with pictures load

log = logging.getLogger(__name__)


class DeviceHub:
    """Runs a room's devices. Raises DeviceSettingsError when the configuration is wrong.

    `tolerant`: it does not, but logs each mistake and shows a device of which one was made as unreachable.
    `on_change` is called on the loop, once for any number of changes of one turn, when anything but an age changed
    (`last_seen`, `observed_at` and `last_words` move without it: take them from `snapshot`).
    `on_request` is called on the loop when somebody at a device wishes something of the room (a mute key): the room
    decides and commands. `shared` lets the hubs of one process use one connection to one sound server. `clock` gives
    Unix seconds for people to read; nothing here waits by it.
    """

    def __init__(
        self,
        room: str,
        devices: list[DeviceConfig],
        on_change: Callable[[], None],
        *,
        timing: Timing | None = None,
        registry: Registry | None = None,
        shared: Shared | None = None,
        dice: random.Random | None = None,
        on_request: Callable[[DeviceRequest], None] | None = None,
        clock: Callable[[], float] = time.time,
        tolerant: bool = False,
    ) -> None:
        self.room = room
        self._on_change = on_change
        self._told = False
        timing, shared, dice = timing or Timing(), shared or Shared(), dice or random.Random()  # noqa: S311
        registry = registry or Registry.installed()
        drivers = _in_spite(registry, devices) if tolerant else registry.build(devices)
        self._runners = [
            DeviceRunner(driver, timing, shared, dice, self._changed, on_request=on_request, clock=clock)
            for driver in drivers
        ]
        self._by_role = {runner.config.role: runner for runner in reversed(self._runners)}

    async def run(self) -> None:
        """Until cancelled; then every camera that moves is stopped and every connection closed."""
        async with asyncio.TaskGroup() as group:
            for runner in self._runners:
                group.create_task(runner.run(), name=f"device {self.room}/{runner.config.id}")

    async def execute(self, command: DeviceCommand) -> DeviceResult:
        """Ask the device of a role; never raises for what the device does, and answers within the deadline."""
        runner = self._by_role.get(command.role)
        if runner is None:
            detail = f"the room has no {command.role.value}"
            return DeviceResult("", command.op, "unsupported", Code.DEVICE_UNKNOWN, detail=detail)
        return await runner.execute(command)

    def video(self, role: Role) -> VideoFeed | None:
        """Pictures of the device of a role: `async with feed.watch() as pictures`; None where it shows none.

        The camera is opened for the first who watches and closed after the last. A driver that runs on a loop of its
        own (a third party's) offers none.
        """
        runner = self._by_role.get(role)
        return runner.video if runner is not None else None

    def snapshot(self) -> dict[str, Device]:
        """Every device by id, as it is known now."""
        return {runner.config.id: runner.state.device() for runner in self._runners}

    def heard(self) -> dict[str, Device]:
        """The same with only those properties that a device reported since it was last away."""
        return {runner.config.id: runner.state.device(heard=True) for runner in self._runners}

    def is_known(self, device: str) -> bool:
        """It answered a first whole poll, or is known not to answer."""
        return any(
            runner.state.settled or runner.state.connection is Connection.UNREACHABLE
            for runner in self._runners
            if runner.config.id == device
        )

    def guesses_inputs(self, device: str) -> bool:
        """It is in standby and has not told yet which inputs it has, nor do its settings name them."""
        return any(
            one.tells_inputs and one.state.reported("power") == "off" and not one.state.told_inputs
            for one in self._runners
            if one.config.id == device and not one.config.settings.get("inputs")
        )

    def watch(self, active: bool) -> None:
        """Somebody looks at the room, or it is in a meeting: poll faster, dial sooner."""
        for runner in self._runners:
            runner.watch(active)

    def _changed(self) -> None:
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._told = False
        self._on_change()


def _in_spite(registry: Registry, devices: list[DeviceConfig]) -> list[Driver[Any]]:
    """A driver per device id, in the devices' order; those with a mistake say so in the log, and behave as away."""
    built, mistakes = registry.usable(devices)
    for mistake in mistakes:
        log.error("%s", mistake)
    drivers: dict[str, Driver[Any]] = {driver.config.id: driver for driver in built}
    return [drivers.get(one.id) or Unusable(one) for one in {one.id: one for one in devices}.values()]
