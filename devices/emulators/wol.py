"""A computer asleep: its network card hears magic packets, and it answers on a TCP port once it is up.

Nobody answers a packet: `duplicate`, `garbage` and `half` are done to the packets themselves on their way, `delay` to
its start; `reset` resets whoever comes to its port.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from devices.emulators.faults import Emulator
from devices.wol.packet import hardware, read

MAC = "02:00:5e:10:00:01"


class WolEmulator(Emulator):
    """State for tests: `on`, `packets` (how many were for it). Hears at `address`; when it is on `port` is open.

    A machine that is off refuses nothing: its port then drops whoever comes, as one whose queue is full does.
    """

    available_faults = ("drop", "delay", "duplicate", "garbage", "half", "reset")

    def __init__(
        self,
        *,
        mac: str = MAC,
        password: str = "",
        on: bool = False,
        boot: float = 2.0,
        delay: float = 0.4,
        host: str = "127.0.0.1",
        seed: int = 1,
    ) -> None:
        super().__init__(delay=delay, seed=seed)
        self.address = (host, 0)
        self.port = 0
        self.on = on
        self.packets = 0
        self._host = host
        self._wanted_mac, self._password = hardware(mac), hardware(password)
        self._boot = boot
        self._ear: asyncio.BaseTransport | None = None
        self._server: asyncio.Server | None = None
        self._deaf: list[socket.socket] = []
        self._starting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen for packets, and on the port when it is on."""
        loop = asyncio.get_running_loop()
        self._ear, _ = await loop.create_datagram_endpoint(lambda: _Card(self), local_addr=self.address)
        self.address = self._ear.get_extra_info("sockname")[:2]
        self._lie_still()
        if self.on:
            await self.start_up()

    def _lie_still(self) -> None:
        """A queue of one, which two fill: the kernel drops every further call."""
        ear = socket.create_server((self._host, self.port), backlog=0)
        self.port = ear.getsockname()[1]
        self._deaf = [ear]
        for _ in range(2):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex((self._host, self.port))
            self._deaf.append(caller)

    def _stir(self) -> None:
        for one in self._deaf:
            one.close()
        self._deaf = []

    async def start_up(self) -> None:
        """It is up."""
        self._stir()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Desk(self), self._host, self.port, reuse_address=True)
        self.on = True
        self.done("up")

    @property
    def up(self) -> bool:
        """It is on, and so far that its port answers."""
        return self._server is not None

    async def shut_down(self) -> None:
        """Somebody switched it off."""
        self.on = False
        if self._server is not None:
            self._server.close()
            self._server = None
            self._lie_still()

    async def close(self) -> None:
        """Release the ports."""
        if self._ear is not None:
            self._ear.close()
        if self._starting is not None:
            self._starting.cancel()
        if self._server is not None:
            self._server.close()
        self._stir()

    def forget(self) -> None:
        """Nothing to forget."""

    def hear(self, data: bytes) -> None:
        """A datagram came, as the way to it left it."""
        if not self.lost():
            for packet in self.sent(data):
                self._look(packet)

    def _look(self, packet: bytes) -> None:
        magic = read(packet)
        if magic is None or (magic.mac, magic.password) != (self._wanted_mac, self._password):
            return
        self.packets += 1
        self.done("wake")
        if not self.on:
            self.on = True
            self.after(self._boot, self._wake_up)

    def _wake_up(self) -> None:
        self._starting = asyncio.get_running_loop().create_task(self.start_up())


class _Card(asyncio.DatagramProtocol):
    def __init__(self, computer: WolEmulator) -> None:
        self._computer = computer

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._computer.hear(data)


class _Desk(asyncio.Protocol):
    def __init__(self, computer: WolEmulator) -> None:
        self._computer = computer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if "reset" in self._computer.faults:
            cast(asyncio.Transport, transport).abort()
