"""The faults that emulators know, and the part that they share: starting, stopping, rebooting, hearing.

Every emulator of a device on a network declares `FAULTS`:

drop       every other request is lost, the first too  delay     answers come late
duplicate  answers come twice                          half      only the first half of each answer comes
garbage    answers are random bytes                    silent    holds its sockets but says nothing
reset      connections are reset at the next request   unplugged its sockets are closed, as off the network
reboot     off for a moment, then back with its volatile state lost; ends by itself
reboot_in_command  the same, the moment it carried out its next command and before it says so; ends by itself

and those of `PARTICULAR` that it has a place for:

single_client   it serves one client, and that is another: ours are shown the door
wrong_password  its password was changed
clock           its own clock jumps by a day (an emulator whose protocol carries a time)

`pretends`, of those whose protocol lets it be noticed: it confirms what it is told, and stays as it is.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

FAULTS = (
    *("drop", "delay", "duplicate", "garbage", "half"),
    *("reset", "silent", "unplugged", "reboot", "reboot_in_command"),
)
PARTICULAR = ("single_client", "wrong_password", "clock")
PRETENDS = "pretends"


class Emulator(ABC):
    """Base of the emulators. Durations in seconds; `seed` makes garbage the same each time."""

    available_faults: tuple[str, ...] = FAULTS

    def __init__(self, *, delay: float = 0.4, reboot: float = 3.0, seed: int = 1) -> None:
        self.delay = delay
        self.reboot_time = reboot
        self.requests = 0  # heard so far, lost ones included
        self.commands: list[str] = []  # carried out, for tests; the last 200
        self._on: set[str] = set()
        self._dropped = False  # the last request, by `drop`
        self._news = asyncio.Event()
        self._dice = random.Random(seed)  # noqa: S311
        self._started = False
        self._power_up: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._settled = asyncio.Event()  # its sockets are as its faults ask
        self._timers: set[asyncio.TimerHandle] = set()

    # --- faults -------------------------------------------------------------------------------------------------

    @property
    def faults(self) -> set[str]:
        """Those on now."""
        return set(self._on)

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; raises KeyError for a name this emulator does not know."""
        if name not in self.available_faults:
            raise KeyError(name)
        if on == (name in self._on):
            return
        (self._on.add if on else self._on.discard)(name)
        if name == "reboot":
            self._reboot(on)
        self._settled.clear()
        self._wanted.set()

    def _reboot(self, on: bool) -> None:
        if self._power_up is not None:
            self._power_up.cancel()
            self._power_up = None
        if on:
            self.forget()
            self._power_up = asyncio.get_running_loop().call_later(self.reboot_time, self.fault, "reboot", False)

    @property
    def plugged(self) -> bool:
        """Its sockets are open."""
        return not self._on & {"unplugged", "reboot"}

    async def until(self, condition: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until `condition` holds, looking whenever something was asked or done; raises TimeoutError."""
        async with asyncio.timeout(within):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def settled(self) -> None:
        """Wait until it is open or closed as its faults ask: some take a moment to go."""
        await self._settled.wait()

    # --- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open its sockets."""
        await self.open()
        self._started = True
        self._work = asyncio.create_task(self._keep(), name=f"emulator {type(self).__name__}")

    async def stop(self) -> None:
        """Close its sockets and forget every timer."""
        if self._power_up is not None:
            self._power_up.cancel()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
            self._work = None
        if self._started:
            await self.close()
        self._started = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _keep(self) -> None:
        """Open and close the sockets as the faults ask."""
        is_open = True
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if is_open and (not self.plugged or self.broken):
                await self.close()
                is_open = False
            if self.plugged and not is_open:
                await self.open()
                is_open = True
            if not self._wanted.is_set():
                self._settled.set()

    @property
    def broken(self) -> bool:
        """What it rests on ended without being asked to; it is opened again."""
        return False

    @abstractmethod
    async def open(self) -> None:
        """Open the sockets, always at the same address."""

    @abstractmethod
    async def close(self) -> None:
        """Close the sockets and the connections."""

    @abstractmethod
    def forget(self) -> None:
        """Lose the volatile state, as when the power goes."""

    # --- what faults do to requests and answers -----------------------------------------------------------------

    def lost(self) -> bool:
        """Count a request; True when it is lost."""
        self.requests += 1
        self._news.set()
        self._dropped = "drop" in self._on and not self._dropped
        return "silent" in self._on or not self.plugged or self._dropped

    def sent(self, answer: bytes) -> tuple[bytes, ...]:
        """What leaves the device instead of `answer`: nothing, itself, twice, half of it, or random bytes."""
        if "silent" in self._on or not self.plugged:
            return ()
        if "garbage" in self._on:
            answer = self._dice.randbytes(max(4, len(answer)))
        elif "half" in self._on:
            answer = answer[: len(answer) // 2]
        return (answer, answer) if "duplicate" in self._on else (answer,)

    def done(self, command: str) -> None:
        """Note that a command was carried out; call it before the answer is sent."""
        self.commands = [*self.commands[-199:], command]
        self._news.set()
        if "reboot_in_command" in self._on:
            self.fault("reboot_in_command", False)
            self.fault("reboot")

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Answer after so many seconds, at once for 0, plus what the fault `delay` adds."""
        seconds += self.delay if "delay" in self._on else 0.0
        if seconds:
            self.later(seconds, call)
        else:
            call()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call after so many seconds, unless stopped before."""

        def fire() -> None:
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)
