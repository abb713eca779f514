"""A device in memory whose driver does what a test says: how long each command takes, and what it raises."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec

from devices.capabilities import Arguments, Operation, Reply, Velocity
from devices.config import DeviceConfig
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.runner import DeviceRunner
from devices.sharing import Shared
from devices.timing import Timing
from tests.devices import virtual
from wire.devices import Connection, DeviceCommand, DeviceResult, Role, Value
from wire.problems import Notice

CAPABILITIES = ["power", "input", "volume", "mute", "ptz", "presets", "framing", "ports"]
ROOMS = replace(Timing(), keepalive=60.0, idle=600.0)  # a room's, with few polls in between


class Nothing(msgspec.Struct, frozen=True):
    """No settings."""


class Scripted(Driver[Nothing]):
    """Obeys its test. Times are of the loop."""

    manifest = Manifest("scripted", "1", "Scripted", Nothing, ("usb",), "tests.devices.scripted:Scripted")

    def __init__(self, config: DeviceConfig, settings: Nothing) -> None:
        super().__init__(config, settings)
        self.context: Context | None = None
        self.dialling = 0.0  # seconds before it answers
        self.dials = 0
        self.absent = False  # what holds the way to it answers each dial, it does not until `comes`
        self.comes = asyncio.Event()
        self.refuses_us: BaseException | None = None  # raised at each dial
        self.polls: BaseException | None = None  # raised at the next polls
        self.takes: dict[str, float] = {}  # operation to seconds
        self.raises: dict[str, BaseException] = {}  # operation to what it says instead
        self.done: list[tuple[float, str, Arguments]] = []  # carried out, and when
        self.begun: list[tuple[float, str, Arguments]] = []  # given to the driver, and when
        self.moving = False
        self.moved_at: list[float] = []  # when each move reached the device
        self.online_at = 0.0  # when it last answered a dial
        self.still_at = 0.0  # when the last stop reached it
        self.says: dict[str, Value] = {}  # reported at each whole poll
        self._end: asyncio.Future[None] | None = None

    @classmethod
    def capabilities(cls) -> list[str]:
        return CAPABILITIES

    async def run(self, context: Context) -> None:
        self.dials += 1
        await asyncio.sleep(self.dialling)
        if self.refuses_us is not None:
            raise self.refuses_us
        self.context = context
        self._end = asyncio.get_running_loop().create_future()
        if self.absent:
            context.absent(Notice("device.unplugged"))
            await self.comes.wait()
        self.online_at = asyncio.get_running_loop().time()
        context.connected(model="Scripted")
        await self._end

    def fall(self, error: BaseException) -> None:
        """The connection ends with `error`."""
        if self._end is not None and not self._end.done():
            self._end.set_exception(error)

    async def poll(self, *, whole: bool) -> None:
        if self.polls is not None:
            raise self.polls
        for name, value in self.says.items() if whole else ():
            assert self.context is not None
            self.context.report(name, value)

    async def execute(self, operation: Operation, args: Arguments) -> Reply:
        loop = asyncio.get_running_loop()
        self.begun.append((loop.time(), operation.name, args))
        await asyncio.sleep(self.takes.get(operation.name, 0.0))
        if (error := self.raises.get(operation.name)) is not None:
            raise error
        self.done.append((loop.time(), operation.name, args))
        if isinstance(args, Velocity):
            self.moving = True
            self.moved_at.append(loop.time())
        elif operation.name == "stop":
            self.moving, self.still_at = False, loop.time()
        return Reply.DONE


class Scene:
    """One scripted device and its runner."""

    def __init__(self, timing: Timing = ROOMS, kind: type[Scripted] = Scripted) -> None:
        self.driver = kind(DeviceConfig("d", Role.MAIN_CAMERA, "scripted", "Appareil"), Nothing())
        self.runner = DeviceRunner(self.driver, timing, Shared(), random.Random(5), lambda: None)

    async def do(self, op: str, **args: Any) -> DeviceResult:
        """Ask it."""
        return await self.runner.execute(DeviceCommand(Role.MAIN_CAMERA, op, args))

    def ask(self, op: str, **args: Any) -> asyncio.Task[DeviceResult]:
        """Ask it and go on."""
        return asyncio.create_task(self.do(op, **args))

    async def online(self) -> None:
        """Until its first whole poll is over."""
        while not self.runner.state.settled or self.runner.state.connection is not Connection.ONLINE:
            await asyncio.sleep(0.01)

    async def gone(self) -> None:
        """Until it is away."""
        while self.runner.state.connection is not Connection.UNREACHABLE:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(one: Scene) -> AsyncIterator[Scene]:
    """Run it for as long as the context lasts."""
    task = asyncio.create_task(one.runner.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


def play(scene: Callable[[Scene], Coroutine[Any, Any, None]], timing: Timing = ROOMS) -> None:
    """`scene` in virtual time, with the device online."""

    async def main(_: virtual.VirtualLoop) -> None:
        async with running(Scene(timing)) as one:
            await one.online()
            await scene(one)

    virtual.run(main)
