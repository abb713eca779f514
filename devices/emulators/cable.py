"""A cable to a real server that can be cut: what goes through it suffers the faults, whatever the protocol.

`drop` loses every other piece of what is asked, `delay`, `duplicate`, `garbage` and `half` are done to what is
answered; over UDP to each datagram, over TCP to each piece as it comes. `reboot_in_command` is there where the cable is
told what a command looks like: the server carries it out, and its answer is the first thing that is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, cast

from devices.emulators.faults import FAULTS, Emulator

Address = tuple[str, int]


class Cable(Emulator):
    """Listens at `address` and connects each client to `server`; `on_reboot` makes the server forget.

    `commands` tells a command among requests.
    """

    available_faults = tuple(fault for fault in FAULTS if fault != "reboot_in_command")

    def __init__(
        self,
        server: Address,
        *,
        kind: Literal["tcp", "udp"] = "tcp",
        port: int = 0,
        delay: float = 0.4,
        reboot: float = 3.0,
        on_reboot: Callable[[], None] = lambda: None,
        commands: Callable[[bytes], bool] | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(delay=delay, reboot=reboot, seed=seed)
        self.address: Address = ("127.0.0.1", port)
        self._server = server
        self.kind = kind
        self._on_reboot = on_reboot
        self._is_command = commands
        if commands is not None:
            self.available_faults = (*self.available_faults, "reboot_in_command")
        self._listening: asyncio.BaseTransport | asyncio.Server | None = None
        self._ends: set[End] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """Clients now."""
        return sum(isinstance(end, Far) for end in self._ends)

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        host, port = self.address
        if self.kind == "tcp":
            self._listening = await loop.create_server(lambda: Stream(self), host, port, reuse_address=True)
            self.address = (host, self._listening.sockets[0].getsockname()[1])
        else:
            self._listening, _ = await loop.create_datagram_endpoint(lambda: _Mouth(self), local_addr=(host, port))
            self.address = (host, self._listening.get_extra_info("sockname")[1])

    async def close(self) -> None:
        """Release every socket."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for task in self._connecting:
            task.cancel()
        for end in list(self._ends):
            end.abort()

    def forget(self) -> None:
        """As the server does."""
        self._on_reboot()

    # --- used by the ends ---------------------------------------------------------------------------------------

    def joined(self, end: End) -> None:
        """An end is open."""
        self._ends.add(end)

    def left(self, end: End) -> None:
        """An end was closed."""
        self._ends.discard(end)

    def ask(self, end: End, data: bytes) -> None:
        """From the client to the server."""
        if "reset" in self._on and self.kind == "tcp":
            end.abort()
        elif not self.lost() and end.pair is not None:
            end.commanded = self._is_command is not None and self._is_command(data)
            end.pair.write(data)

    def answer(self, end: End, data: bytes) -> None:
        """From the server to the client."""
        pair = end.pair
        if pair is not None and pair.commanded:
            pair.commanded = False
            self.done("command")

        def say() -> None:
            for one in self.sent(data):
                if pair is not None:
                    pair.write(one)

        self.after(0.0, say)

    def connect(self, client: End) -> None:
        """Open the other end for a new client."""
        task = asyncio.get_running_loop().create_task(self._connect(client, Far(self, client)))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, client: End, far: Far) -> None:
        try:
            await self.dial(far)
        except OSError:
            client.abort()

    async def dial(self, far: Far) -> None:
        """Open the server's side of a client; raises OSError."""
        loop = asyncio.get_running_loop()
        if self.kind == "tcp":
            await loop.create_connection(lambda: far, *self._server)
        else:
            await loop.create_datagram_endpoint(lambda: far, remote_addr=self._server)


class End(asyncio.Protocol, asyncio.DatagramProtocol):
    """One side of one client's connection; bytes wait until the other side is open."""

    def __init__(self, cable: Cable) -> None:
        self._cable = cable
        self._transport: asyncio.BaseTransport | None = None
        self._waiting: list[bytes] = []
        self.pair: End | None = None
        self.commanded = False  # what it asked last is a command, and is not answered yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = transport
        self._cable.joined(self)
        for data in self._waiting:
            self.write(data)

    def write(self, data: bytes) -> None:
        """Send to whoever is at this side."""
        if self._transport is None:
            self._waiting.append(data)
        elif self._cable.kind == "udp":  # asyncio's datagram transports are no DatagramTransport
            cast(asyncio.DatagramTransport, self._transport).sendto(data)
        elif not self._transport.is_closing():
            cast(asyncio.WriteTransport, self._transport).write(data)

    def abort(self) -> None:
        """Cut both sides."""
        for end in (self, self.pair):
            if end is not None and end._transport is not None:
                cast(asyncio.WriteTransport, end._transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side ends as well."""
        self._cable.left(self)
        self.abort()


class Far(End):
    """The side of the server."""

    def __init__(self, cable: Cable, client: End) -> None:
        super().__init__(cable)
        self.pair, client.pair = client, self

    def data_received(self, data: bytes) -> None:
        """A piece of the stream."""
        self._cable.answer(self, data)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A datagram."""
        self._cable.answer(self, data)


class Stream(End):
    """A TCP client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect it to the server."""
        super().connection_made(transport)
        self._cable.connect(self)

    def data_received(self, data: bytes) -> None:
        """A piece of the stream."""
        self._cable.ask(self, data)


class _Mouth(asyncio.DatagramProtocol):
    """Where the datagrams of all clients come in; each client has an end of its own."""

    def __init__(self, cable: Cable) -> None:
        self._cable = cable
        self._transport: asyncio.DatagramTransport | None = None
        self._clients: dict[object, _Peer] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """From some client."""
        assert self._transport is not None
        if (peer := self._clients.get(addr)) is None:
            peer = self._clients[addr] = _Peer(self._cable, self._transport, addr)
            self._cable.connect(peer)
        self._cable.ask(peer, data)


class _Peer(End):
    """A UDP client."""

    def __init__(self, cable: Cable, transport: asyncio.DatagramTransport, address: object) -> None:
        super().__init__(cable)
        self._out = transport
        self._address = address

    def write(self, data: bytes) -> None:
        """Send to this client."""
        if not self._out.is_closing():
            self._out.sendto(data, self._address)  # type: ignore[arg-type]
