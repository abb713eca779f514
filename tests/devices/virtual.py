"""An event loop in virtual time with a network in memory: weeks pass in seconds, the same each time.

Time goes on only when nothing can be done now, and then at once to the next timer. Sockets are pairs of objects: what one
writes, the other receives in the next turn. Device nodes are the kernel's own sockets of packets within this process: what
is sent there has arrived before time goes on. What would run in a thread runs at once. The drivers and emulators that run
here are the real ones.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any
from unittest.mock import patch

Address = tuple[str, int]
TURN = 1e-9
"""Seconds that each turn takes. Loops call timers that are due within their clock's resolution, which is as much: who looks
at the time then would find it a little too early, and without this for ever where another does so in every second turn."""


class _Selector(selectors.DefaultSelector):
    """Never waits: waiting is time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if ready := super().select(0):
            return ready
        if timeout is None:
            raise RuntimeError("nothing will ever happen any more")
        self.now += max(TURN, timeout)
        return []


class _AtOnce:
    """An executor without threads."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Whatever a ThreadPoolExecutor takes."""

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(call(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def shutdown(self, **_: Any) -> None:
        """Nothing is under way."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. `connections`: how many were opened so far."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._servers: dict[Address, Callable[[], Any]] = {}
        self._bound: dict[Address, _Air] = {}
        self._port = 30000
        self.connections = 0

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def free(self, address: Address) -> Address:
        """The address, its port 0 replaced by a free one."""
        if address[1]:
            return address
        self._port += 1
        return address[0], self._port

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Done when it returns."""
        return asyncio.wrap_future(_AtOnce().submit(func, *args), loop=self)

    async def create_server(self, factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:  # type: ignore[override]
        """Listen in memory."""
        address = self.free((host, port))
        self._servers[address] = factory
        return _Server(self, address)

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:  # type: ignore[override]
        """Connect to a server of this loop; raises ConnectionRefusedError."""
        served = self._servers.get((host, port))
        await asyncio.sleep(0)
        if served is None:
            raise ConnectionRefusedError(f"nobody listens at {host}:{port}")
        self.connections += 1
        ours, theirs = _Stream(self, factory()), _Stream(self, served())
        ours.peer, theirs.peer = theirs, ours
        for one in (theirs, ours):
            one.protocol.connection_made(one)
        return ours, ours.protocol

    async def create_datagram_endpoint(  # type: ignore[override]
        self, factory: Any, local_addr: Any = None, remote_addr: Any = None, **_: Any
    ) -> Any:
        """A socket that hears what is sent to its address."""
        air = _Air(self, factory(), self.free(local_addr or ("127.0.0.1", 0)), remote_addr)
        self._bound[air.address] = air
        self.connections += 1
        air.protocol.connection_made(air)
        return air, air.protocol

    def stop_listening(self, address: Address) -> None:
        """Nobody is there any more."""
        self._servers.pop(address, None)
        self._bound.pop(address, None)

    def carry(self, data: bytes, source: _Air, to: Address) -> None:
        """Bring a datagram to whoever is there, or say that nobody is."""

        def arrive() -> None:
            target = self._bound.get(to)
            if target is not None:
                target.protocol.datagram_received(data, source.address)
            elif source.remote is not None and not source.is_closing():
                source.protocol.error_received(ConnectionRefusedError("nobody is there"))

        self.call_soon(arrive)


class _Server:
    def __init__(self, loop: VirtualLoop, address: Address) -> None:
        self._loop, self._address = loop, address
        self.sockets = [self]

    def getsockname(self) -> Address:
        return self._address

    def close(self) -> None:
        self._loop.stop_listening(self._address)


class _Stream(asyncio.Transport):
    peer: _Stream

    def __init__(self, loop: VirtualLoop, protocol: Any) -> None:
        super().__init__()
        self._loop = loop
        self.protocol = protocol
        self._closed = False

    def write(self, data: Any) -> None:
        if data and not self._closed:
            self._loop.call_soon(self.peer.receive, bytes(data))

    def receive(self, data: bytes) -> None:
        if not self._closed:
            self.protocol.data_received(data)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self.protocol.connection_lost, None)
            self._loop.call_soon(self.peer.close)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closed


class _Air(asyncio.DatagramTransport):
    def __init__(self, loop: VirtualLoop, protocol: Any, address: Address, remote: Address | None) -> None:
        super().__init__({"sockname": address})
        self._loop = loop
        self.protocol, self.address, self.remote = protocol, address, remote
        self._closed = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        to = addr or self.remote
        if not self._closed and to is not None:
            self._loop.carry(bytes(data), self, to)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.stop_listening(self.address)
            self._loop.call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closed


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> VirtualLoop:
    """Run `main` to its end in virtual time, and see that no task is left."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        with patch("devices.kernel.node.ThreadPoolExecutor", _AtOnce):
            loop.run_until_complete(main(loop))
        left = asyncio.all_tasks(loop)
        assert not left, f"tasks left: {left}"
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return loop
