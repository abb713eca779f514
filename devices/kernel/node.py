"""A device node as drivers use it: ioctl requests and writes answered later, packets that come by themselves.

`KernelNode` is a node of this machine's kernel. `SocketNode` is the same face over a Unix socket of packets, behind
which an emulator (`devices.emulators.node`) stands: it carries the very bytes that the kernel would be given.
Both raise DeviceErrors (`devices.kernel.failure`).
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import fcntl
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from devices.errors import DeviceError, Garbage, Lost
from devices.kernel.failure import device_error
from devices.kernel.request import size_of
from devices.kernel.socket import SocketNode

Answer = TypeVar("Answer")
Receive = Callable[[bytes], None]

LARGEST = 8192  # bytes of one packet a device sends by itself
BURST = 64  # packets taken in one turn of the loop


class Node(Protocol):
    """An open device node."""

    async def ioctl(
        self, request: int, outer: bytes = b"", inner: bytes = b"", pointer: int = 0
    ) -> tuple[bytes, bytes]:
        """The argument and the buffer as the kernel leaves them. `pointer`: where in `outer` the address of `inner` is."""

    async def write(self, data: bytes) -> None:
        """Write one packet."""

    def post(self, request: int, outer: bytes) -> None:
        """The same, without waiting for what becomes of it."""

    async def until_lost(self) -> None:
        """Hold the node; raises Lost when it ends. A node that nothing is read from ends at a request instead."""


class KernelNode:
    """A node below /dev. Requests run one after the other in a thread of their own: a USB device may take seconds.

    `request`: how a packet is taken, when not by reading (CEC_RECEIVE).
    """

    def __init__(
        self, file: int, receive: Receive | None, request: int | None, worker: ThreadPoolExecutor | None = None
    ) -> None:
        self._file = file
        self._receive = receive
        self._request = request
        self._worker = worker or _worker()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if receive is not None:
            asyncio.get_running_loop().add_reader(file, self._readable)

    async def ioctl(
        self, request: int, outer: bytes = b"", inner: bytes = b"", pointer: int = 0
    ) -> tuple[bytes, bytes]:
        """One request; raises DeviceError."""
        return await self._run(lambda: _ioctl(self._file, request, outer, inner, pointer))

    async def write(self, data: bytes) -> None:
        """One packet; raises DeviceError."""
        await self._run(lambda: os.write(self._file, data))

    def post(self, request: int, outer: bytes) -> None:
        """One request nobody waits for."""
        self._worker.submit(_ioctl, self._file, request, outer, b"", 0)

    async def _run(self, call: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, call)
        except OSError as error:
            raise device_error(error) from error

    async def until_lost(self) -> None:
        """Hold the node; raises Lost."""
        await asyncio.shield(self._lost)

    def close(self) -> None:
        """Let go. A request still under way ends first, in its thread."""
        if self._receive is not None:
            asyncio.get_running_loop().remove_reader(self._file)
        if not self._lost.done():
            self._lost.cancel()
        self._worker.submit(os.close, self._file)
        self._worker.shutdown(wait=False)

    def _readable(self) -> None:
        assert self._receive is not None
        try:
            for _ in range(BURST):
                self._receive(self._take())
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            asyncio.get_running_loop().remove_reader(self._file)
            if not self._lost.done():
                self._lost.set_exception(Lost(str(error), code="device.unplugged"))
                self._lost.exception()

    def _take(self) -> bytes:
        if self._request is not None:
            return _ioctl(self._file, self._request, b"", b"", 0)[0]
        if not (data := os.read(self._file, LARGEST)):
            raise OSError(errno.ENODEV, "the node ended")
        return data


def _ioctl(file: int, request: int, outer: bytes, inner: bytes, pointer: int) -> tuple[bytes, bytes]:
    argument = bytearray(outer.ljust(size_of(request), b"\0"))
    buffer = ctypes.create_string_buffer(inner, len(inner)) if inner else None
    if buffer is not None:
        width = ctypes.sizeof(ctypes.c_void_p)
        address = ctypes.addressof(buffer).to_bytes(width, sys.byteorder)
        argument[pointer : pointer + width] = address
    fcntl.ioctl(file, request, argument, True)
    return bytes(argument), buffer.raw if buffer is not None else b""


@asynccontextmanager
async def open_node(path: str, receive: Receive | None = None, request: int | None = None) -> AsyncIterator[Node]:
    """The node at `path`, or the emulator behind a socket there; raises DeviceError.

    `receive` gets the packets that the device sends by itself.
    """
    try:
        node: KernelNode | SocketNode
        if (opened := await _opened(path)) is None:
            node = await SocketNode.open(path, receive)
        else:
            node = KernelNode(opened[0], receive, request, opened[1])
    except OSError as error:
        raise device_error(error) from error
    try:
        yield node
    except DeviceError as error:
        if error.about_command:  # one that ends the connection: the node is not what the settings take it for
            raise Garbage(str(error)) from error
        raise
    finally:
        node.close()


def _worker() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="device node")


async def _opened(path: str) -> tuple[int, ThreadPoolExecutor] | None:
    """The node at `path` and the thread that opened it, which is its own from then on; None for a socket.

    A USB device may take long to open: what is open when nobody waits any more is closed again.
    """
    worker = _worker()
    opening = worker.submit(_open, path)
    try:
        file = await asyncio.shield(asyncio.wrap_future(opening))
    except BaseException:
        opening.add_done_callback(_close_late)
        worker.shutdown(wait=False)
        raise
    if file is None:
        worker.shutdown(wait=False)
        return None
    return file, worker


def _open(path: str) -> int | None:
    if stat.S_ISSOCK(os.stat(path).st_mode):
        return None
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _close_late(opening: Future[int | None]) -> None:
    if not opening.cancelled() and opening.exception() is None and (file := opening.result()) is not None:
        os.close(file)
