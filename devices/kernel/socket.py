"""The packets between a `SocketNode` and the emulator behind it, little-endian over SOCK_SEQPACKET.

H  status:i32                                       first thing an emulator says: 0, or why it cannot be opened
C  call:u32 request:u32 pointer:u16 outer:u16 …     an ioctl: `outer` bytes of argument, the rest its buffer
W  call:u32 …                                       a write
A  call:u32 status:i32 outer:u16 …                  the answer to either; status is an error number
D  …                                                a packet the device sends by itself
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from devices.errors import DeviceError, Lost, Rejected
from devices.kernel.failure import device_error
from devices.kernel.request import size_of

HELLO = struct.Struct("<ci")
CALL = struct.Struct("<cIIHH")
WRITE = struct.Struct("<cI")
ANSWER = struct.Struct("<cIiH")
LARGEST = 65536  # bytes of a packet
PENDING = 64  # calls that may wait
Answer = tuple[bytes, bytes]


class SocketNode:
    """An emulated node. Made by `open`."""

    def __init__(self, connection: socket.socket, receive: Callable[[bytes], None] | None) -> None:
        loop = asyncio.get_running_loop()
        self._socket = connection
        self._receive = receive
        self._calls: dict[int, asyncio.Future[Answer]] = {}
        self._number = 0
        self._lost: asyncio.Future[None] = loop.create_future()
        self._hello: asyncio.Future[int] = loop.create_future()
        loop.add_reader(connection, self._readable)

    @classmethod
    async def open(cls, path: str, receive: Callable[[bytes], None] | None) -> SocketNode:
        """Connect, and wait to be let in; raises OSError, or Lost."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, path)
        except BaseException:
            connection.close()
            raise
        node = cls(connection, receive)
        try:
            status = await node._hello
            if status:
                raise OSError(status, os.strerror(status))
        except BaseException:
            node.close()
            raise
        return node

    async def ioctl(self, request: int, outer: bytes = b"", inner: bytes = b"", pointer: int = 0) -> Answer:
        """One request; raises DeviceError."""
        outer = outer.ljust(size_of(request), b"\0")
        number = self._next()
        return await self._call(number, CALL.pack(b"C", number, request, pointer, len(outer)) + outer + inner)

    async def write(self, data: bytes) -> None:
        """One packet; raises DeviceError."""
        number = self._next()
        await self._call(number, WRITE.pack(b"W", number) + data)

    def post(self, request: int, outer: bytes) -> None:
        """One request nobody waits for."""
        with suppress(DeviceError):
            self._send(CALL.pack(b"C", self._next(), request, 0, len(outer)) + outer)

    async def until_lost(self) -> None:
        """Hold the node; raises Lost."""
        await asyncio.shield(self._lost)

    def close(self) -> None:
        """Let go."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._end()

    def _next(self) -> int:
        self._number = (self._number + 1) & 0xFFFFFFFF
        return self._number

    async def _call(self, number: int, packet: bytes) -> Answer:
        if self._lost.done():
            raise Lost("the node ended", code="device.unplugged")
        if len(self._calls) >= PENDING:
            raise Rejected("too many calls wait", retryable=True)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        try:
            self._send(packet)
            return await answer
        except OSError as error:
            raise device_error(error) from error
        finally:
            del self._calls[number]

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
        except BlockingIOError:
            raise Rejected("it takes no more", retryable=True) from None
        except OSError:
            raise Lost("the node ended", code="device.unplugged") from None

    def _readable(self) -> None:
        try:
            packet = self._socket.recv(LARGEST)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            packet = b""
        if packet:
            self._take(packet)
        else:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._end()

    def _take(self, packet: bytes) -> None:
        kind = packet[:1]
        if kind == b"D" and self._receive is not None:
            self._receive(packet[1:])
        elif kind == b"H" and len(packet) == HELLO.size and not self._hello.done():
            self._hello.set_result(HELLO.unpack(packet)[1])
        elif kind == b"A" and len(packet) >= ANSWER.size:
            _, number, status, outer = ANSWER.unpack_from(packet)
            future, body = self._calls.get(number), packet[ANSWER.size :]
            if future is None or future.done():
                return
            if status:
                future.set_exception(OSError(status, os.strerror(status)))
            else:
                future.set_result((body[:outer], body[outer:]))

    def _end(self) -> None:
        waiting: list[asyncio.Future[Any]] = [self._hello, *self._calls.values(), self._lost]
        for future in waiting:
            if not future.done():
                future.set_exception(Lost("the node ended", code="device.unplugged"))
                future.exception()
