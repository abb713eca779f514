"""Bytes to and from a device over UDP or TCP: a socket with a callback, no task, and a future that ends with it.

A device that floods us harms only itself: reading what it says may take `BURST` seconds of the processor and then `SHARE`
of each second. A stream beyond that waits in its socket, datagrams end the connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import thread_time
from typing import cast

from devices.errors import Lost
from devices.names import NAMES

Receive = Callable[[bytes], None]

BURST = 1.0  # seconds of the processor
SHARE = 0.05


class Channel(asyncio.Protocol, asyncio.DatagramProtocol):
    """One connected socket. `receive` gets each datagram, or the stream's bytes as they come."""

    def __init__(self, receive: Receive, *, datagrams: bool) -> None:
        self._receive = receive
        self._datagrams = datagrams
        self._transport: asyncio.BaseTransport | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_lost: list[Callable[[Lost], None]] = []
        self._loop = asyncio.get_running_loop()
        self._credit, self._credited_at = BURST, self._loop.time()
        self._pause: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of the stream."""
        if (debt := self._read(data)) > 0 and not self._lost.done():
            cast(asyncio.Transport, self._transport).pause_reading()
            self._pause = self._loop.call_later(debt / SHARE, self._go_on)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One datagram."""
        if not self._lost.done() and self._read(data) > 0:
            self._end(Lost("it floods us", code="device.garbage"))

    def _read(self, data: bytes) -> float:
        """Hand them over; the seconds of the processor that this took beyond what it may."""
        begun = thread_time()
        self._receive(data)
        now = self._loop.time()
        self._credit = min(BURST, self._credit + SHARE * (now - self._credited_at)) - (thread_time() - begun)
        self._credited_at = now
        return -self._credit

    def _go_on(self) -> None:
        self._pause = None
        transport = cast(asyncio.Transport, self._transport)
        if not transport.is_closing():
            transport.resume_reading()

    def error_received(self, exc: Exception) -> None:
        """The network says that nobody listens there."""
        self._end(Lost(str(exc)))

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream ended."""
        self._end(Lost(str(exc) if exc else "closed by the device"))

    def send(self, data: bytes) -> None:
        """Send; raises Lost when the connection is gone."""
        if self._lost.done() or self._transport is None:
            raise Lost("connection is closed")
        if self._datagrams:
            cast(asyncio.DatagramTransport, self._transport).sendto(data)
        else:
            cast(asyncio.Transport, self._transport).write(data)

    def on_lost(self, tell: Callable[[Lost], None]) -> None:
        """Call `tell` once when the connection ends."""
        self._on_lost.append(tell)

    async def until_lost(self) -> None:
        """Hold the connection; raises Lost when it ends."""
        await asyncio.shield(self._lost)

    def close(self) -> None:
        """Release the socket now."""
        if self._transport is not None:
            cast(asyncio.Transport, self._transport).abort()
        self._end(Lost("connection is closed"))

    def _end(self, error: Lost) -> None:
        if self._lost.done():
            return
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._lost.set_exception(error)
        self._lost.exception()  # somebody may never wait for it
        for tell in self._on_lost:
            tell(error)


@asynccontextmanager
async def open_udp(host: str, port: int, receive: Receive) -> AsyncIterator[Channel]:
    """A UDP socket connected to the device; raises Lost."""
    loop = asyncio.get_running_loop()
    address = (await NAMES.addresses(host))[0]
    try:
        _, channel = await loop.create_datagram_endpoint(
            lambda: Channel(receive, datagrams=True), remote_addr=(address, port)
        )
    except OSError as error:
        raise Lost(str(error)) from error
    try:
        yield channel
    finally:
        channel.close()


@asynccontextmanager
async def open_tcp(
    host: str, port: int, receive: Receive, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Channel]:
    """A TCP connection to the device, inside TLS where a context is given; raises Lost."""
    transport, channel = await _connected(host, port, receive, tls)
    if (raw := transport.get_extra_info("socket")) is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        yield channel
    finally:
        channel.close()


async def _connected(
    host: str, port: int, receive: Receive, tls: ssl.SSLContext | None
) -> tuple[asyncio.Transport, Channel]:
    """To the first address of `host` that takes us; raises Lost."""
    loop, said = asyncio.get_running_loop(), Lost(f"{host} has no address")
    name = host if tls is not None else None  # what its certificate is for
    for address in await NAMES.addresses(host):
        try:
            return await loop.create_connection(
                lambda: Channel(receive, datagrams=False), address, port, ssl=tls, server_hostname=name
            )
        except OSError as error:
            said = Lost(str(error))
            said.__cause__ = error
    raise said
