"""A device node on a stage: a socket of packets (see `devices.kernel.socket`) behind which a device is emulated.

What crosses it are the kernel's own structs; only the system call itself is not there.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from abc import abstractmethod
from pathlib import Path

from devices.emulators.faults import FAULTS, Emulator
from devices.kernel.socket import ANSWER, CALL, HELLO, LARGEST, WRITE

LONGEST_PATH = 100  # bytes of a Unix socket's path


class NodeEmulator(Emulator):
    """Base of the emulated nodes. `unplugged` removes the socket, `single_client` lets nobody open it (EBUSY)."""

    available_faults: tuple[str, ...] = (*FAULTS, "single_client")

    def __init__(self, path: Path, *, delay: float = 0.4, reboot: float = 3.0) -> None:
        super().__init__(delay=delay, reboot=reboot)
        if len(str(path)) > LONGEST_PATH:
            raise ValueError(f"the path is too long for a socket: {path}")
        self.path = path
        self._listening: socket.socket | None = None
        self._clients: set[socket.socket] = set()

    @property
    def address(self) -> str:
        """For the setting `node`."""
        return str(self.path)

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; `single_client` throws out who is there."""
        super().fault(name, on)
        if name == "single_client" and on:
            self._drop_all()
        if name == "silent" and not on:
            for client in list(self._clients):
                self._send(client, HELLO.pack(b"H", 0))  # who came meanwhile is let in

    async def open(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.setblocking(False)
        self._listening.bind(str(self.path))
        self._listening.listen()
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    async def close(self) -> None:
        """The node is gone."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
            self.path.unlink(missing_ok=True)
        self._drop_all()

    @abstractmethod
    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        """The kernel's side of an ioctl; raises OSError."""

    def written(self, data: bytes) -> None:
        """The kernel's side of a write; raises OSError."""
        raise OSError(errno.EINVAL, "nothing is written to this node")

    def push(self, data: bytes) -> None:
        """The device sends a packet by itself."""
        for part in self.sent(data):
            for client in list(self._clients):
                self._send(client, b"D" + part)

    # --- clients ------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._listening is not None
        client, _ = self._listening.accept()
        client.setblocking(False)
        busy = "single_client" in self.faults
        if "silent" not in self.faults:
            client.send(HELLO.pack(b"H", errno.EBUSY if busy else 0))
        if busy:
            client.close()
            return
        self._clients.add(client)
        asyncio.get_running_loop().add_reader(client, self._readable, client)

    def _readable(self, client: socket.socket) -> None:
        try:
            packet = client.recv(LARGEST)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet or "reset" in self.faults:
            self._drop(client)
        elif not self.lost():
            self._heard(client, packet)

    def _heard(self, client: socket.socket, packet: bytes) -> None:
        number = WRITE.unpack_from(packet)[1]
        try:
            outer, inner = self._carried_out(packet)
        except OSError as error:
            refusal = ANSWER.pack(b"A", number, error.errno or errno.EIO, 0)
            self.after(0.0, lambda: self._answer(client, refusal, b""))
            return
        head = ANSWER.pack(b"A", number, 0, len(outer))
        self.after(0.0, lambda: self._answer(client, head, outer + inner))

    def _carried_out(self, packet: bytes) -> tuple[bytes, bytes]:
        if packet[:1] == b"W":
            self.written(packet[WRITE.size :])
            return b"", b""
        _, _, request, _, length = CALL.unpack_from(packet)
        body = packet[CALL.size :]
        return self.carry_out(request, body[:length], body[length:])

    def _answer(self, client: socket.socket, head: bytes, body: bytes) -> None:
        for part in self.sent(body):
            self._send(client, head + (part if body else b""))

    def _send(self, client: socket.socket, packet: bytes) -> None:
        if client not in self._clients:
            return
        try:
            client.send(packet)
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._clients.discard(client)
        asyncio.get_running_loop().remove_reader(client)
        client.close()

    def _drop_all(self) -> None:
        for client in list(self._clients):
            self._drop(client)
