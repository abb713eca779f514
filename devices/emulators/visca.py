"""A VISCA camera: over UDP with or without the VISCA over IP header, or raw over TCP."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from devices.emulators.faults import FAULTS, PRETENDS, Emulator
from devices.visca import frames
from devices.visca.frames import Fault, Kind

Send = Callable[[bytes], None]
SOCKETS = 2  # commands a camera works on at once


@dataclass
class Position:
    """Where the camera looks, in its own units, and how fast it moves (-24..24, -20..20, -7..7)."""

    pan: int = 0
    tilt: int = 0
    zoom: int = 0
    speed: tuple[int, int, int] = (0, 0, 0)


@dataclass
class _Peer:
    """Who talks with us: the next sequence number expected of it."""

    send: Send
    expected: int | None = None
    heard: deque[int] = field(default_factory=lambda: deque(maxlen=64))  # sequence numbers of commands
    reader: frames.StreamReader = field(default_factory=frames.StreamReader)


class ViscaEmulator(Emulator):
    """State for tests: `power`, `preset`, `moving`, `position`, `stored`, `limits`, `framing`.

    `recall_time`: seconds a preset takes. `thinks`: seconds before it does what it is told, each request by itself.
    `version`: asked for its version it "tell"s, "refuse"s as a camera that does not know the question, or is "silent".
    `repeated`: what becomes of a command whose sequence number came before: it "refuse"s that number, as Sony's cameras do,
    "drop"s it, or does not look and is told to "obey" twice.

    Faults of its own: `buffer_full` (both sockets busy), `lost_stop` (the next stop is lost, once),
    `refused_stop` (the next stop is acknowledged and then refused, once), `no_socket` (completions name no socket),
    `no_completion` (acknowledges only), `unknown` (every command is a syntax error, said right after its acknowledgement),
    `pretends` (it confirms that it went to standby or woke, and did not).
    """

    available_faults: tuple[str, ...] = (
        *FAULTS,
        *("buffer_full", "lost_stop", "refused_stop", "no_socket", "no_completion", "unknown", PRETENDS),
    )

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        transport: str = "udp",
        header: bool = True,
        recall_time: float = 0.2,
        delay: float = 0.4,
        reboot: float = 3.0,
        seed: int = 1,
    ) -> None:
        super().__init__(delay=delay, reboot=reboot, seed=seed)
        self.address = (host, port)
        self.power = True
        self.preset: int | None = None
        self.position = Position()
        self.stored: dict[int, Position] = {}
        self.limits: dict[int, tuple[int, int]] = {}  # corner (1: up and right) to pan and tilt
        self.framing = False
        if transport == "tcp":
            self.available_faults = (*type(self).available_faults, "single_client")
        self._transport_kind = transport
        self._header = header and transport == "udp"
        self._recall_time = recall_time
        self._endpoint: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.Transport] = set()
        self._peers: dict[object, _Peer] = {}
        self._busy: set[int] = set()
        self.thinks = 0.0
        self.version = "tell"
        self.repeated = "refuse"
        self._drives = 0  # a drive cancels the recall under way

    @property
    def moving(self) -> bool:
        """Some axis moves and nothing will stop it but a stop."""
        return any(self.position.speed)

    async def open(self) -> None:
        """Bind the port."""
        loop = asyncio.get_running_loop()
        host, port = self.address
        if self._transport_kind == "udp":
            self._endpoint, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=self.address)
            port = self._endpoint.get_extra_info("sockname")[1]
        else:
            self._server = await loop.create_server(lambda: _Stream(self), host, port, reuse_address=True)
            port = self._server.sockets[0].getsockname()[1]
        self.address = (host, port)

    async def close(self) -> None:
        """Release the port and every connection."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for stream in self._streams:
            stream.abort()
        self._peers.clear()

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; another client ends our connection."""
        super().fault(name, on)
        if on and name == "single_client":
            for stream in list(self._streams):
                stream.abort()

    def forget(self) -> None:
        """A camera that restarts is on, stands still, and counts from nothing."""
        self.power, self.preset = True, None
        self.framing = False
        self.limits.clear()
        self.position = Position()
        self._busy.clear()
        self._peers.clear()

    # --- datagrams and streams ----------------------------------------------------------------------------------

    def heard_datagram(self, data: bytes, peer_key: object, send: Send) -> None:
        """One datagram."""
        if self.lost():
            return
        peer = self._peers.setdefault(peer_key, _Peer(send))
        if not self._header:
            self._think(data, send)
            return
        packet = frames.unpack(data)
        if packet is None:
            return
        if packet.kind == Kind.CONTROL:
            peer.expected = 1
            peer.heard.clear()
            self._say(send, frames.pack(Kind.CONTROL_REPLY, packet.sequence, frames.RESET_DONE))
        elif "reset" in self._on or peer.expected is None:
            self._on.discard("reset")
            peer.expected = None
            self._say(send, frames.pack(Kind.CONTROL_REPLY, packet.sequence, frames.BAD_SEQUENCE))
        elif packet.sequence in peer.heard and self.repeated != "obey":
            if self.repeated == "refuse":
                self._say(send, frames.pack(Kind.CONTROL_REPLY, packet.sequence, frames.BAD_SEQUENCE))
        else:
            peer.expected = packet.sequence + 1
            if packet.kind == Kind.COMMAND:
                peer.heard.append(packet.sequence)
            self._think(packet.payload, lambda reply: send(frames.pack(Kind.REPLY, packet.sequence, reply)))

    def heard_stream(self, requests: list[bytes], stream: asyncio.Transport) -> None:
        """Whole messages of a TCP connection."""
        for request in requests:
            if "reset" in self._on:
                stream.abort()
            elif not self.lost():
                self._think(request, stream.write)

    def _think(self, request: bytes, send: Send) -> None:
        if self.thinks:
            self.later(self.thinks, lambda: self._hear(request, send))
        else:
            self._hear(request, send)

    def _say(self, send: Send, data: bytes) -> None:
        def say() -> None:
            for answer in self.sent(data):
                send(answer)

        self.after(0.0, say)

    # --- the camera ---------------------------------------------------------------------------------------------

    def _hear(self, request: bytes, send: Send) -> None:
        if request == frames.ASK_VERSION.request and self.version != "tell":
            if self.version == "refuse":
                self._say(send, _error(0, Fault.SYNTAX))
        elif request[:2] == b"\x81\x09":
            self._say(send, b"\x90\x50" + answer + b"\xff" if (answer := self._answer(request)) else _error(0, 2))
        elif request[:2] != b"\x81\x01":
            self._say(send, _error(0, Fault.SYNTAX))
        elif "unknown" in self._on:
            self._say(send, bytes.fromhex("90 41 FF") + _error(1, Fault.SYNTAX))
        elif "buffer_full" in self._on or len(self._busy) >= SOCKETS:
            self._say(send, _error(0, Fault.BUFFER_FULL))
        else:
            self._carry_out(request, send)

    def _answer(self, request: bytes) -> bytes:
        place = self.position
        match request.hex(" "):
            case "81 09 04 00 ff":
                return b"\x02" if self.power else b"\x03"
            case "81 09 04 47 ff":
                return frames.to_nibbles(place.zoom)
            case "81 09 06 12 ff":
                return frames.to_nibbles(place.pan) + frames.to_nibbles(place.tilt)
            case "81 09 00 02 ff":
                return bytes.fromhex("00 01 05 19 01 00 02")
        return b""

    def _carry_out(self, request: bytes, send: Send) -> None:
        socket = next(number for number in range(1, SOCKETS + 1) if number not in self._busy)
        if (body := request[2:-1])[:2] != b"\x04\x00" and not self.power:
            self._say(send, _error(socket, Fault.NOT_EXECUTABLE))
            return
        if "refused_stop" in self._on and self._stops(body):
            self._on.discard("refused_stop")
            self._say(send, bytes((0x90, 0x40 | socket, 0xFF)))
            self.after(0.02, lambda: self._say(send, _error(socket, Fault.NOT_EXECUTABLE)))
            return
        seconds = self._start(body)
        if seconds is None:
            self._say(send, _error(socket, Fault.SYNTAX))
        elif seconds >= 0:
            self._busy.add(socket)
            self._say(send, bytes((0x90, 0x40 | socket, 0xFF)))
            named = 0 if "no_socket" in self._on else socket
            drives = self._drives
            self.after(seconds, lambda: self._complete(body, socket, named, drives, send))

    def _start(self, body: bytes) -> float | None:
        """Begin a command: seconds until it is complete, None when it is unknown, negative when it was lost."""
        match body[0], body[1], len(body):
            case 0x04, 0x00, 3 if PRETENDS in self._on:
                return 0.0
            case 0x04, 0x00, 3:
                self.power = body[2] == 2
                self.done("power on" if self.power else "power off")
            case 0x04, 0x3F, 4:
                return self._recall_time if body[2] == 2 else 0.0
            case 0x06, 0x07, 12 if body[2] == 0:
                self.limits[body[3]] = (frames.nibbles(body[4:8]), frames.nibbles(body[8:12]))
            case 0x04, 0x7D, 3:
                self.framing = body[2] == 2
                self.done(f"framing {'on' if self.framing else 'off'}")
            case 0x04, 0x07, 3:
                step = body[2] & 0x0F
                return self._drive(zoom=step if body[2] >> 4 == 2 else -step if body[2] >> 4 == 3 else 0)
            case 0x06, 0x01, 6:
                pan = {1: -body[2], 2: body[2]}.get(body[4], 0)
                tilt = {1: body[3], 2: -body[3]}.get(body[5], 0)
                return self._drive(pan=pan, tilt=tilt)
            case _:
                return None
        return 0.0

    def _stops(self, body: bytes) -> bool:
        """Whether this ends a movement."""
        pan, tilt, zoom = self.position.speed
        return (body == b"\x04\x07\x00" and bool(zoom)) or (
            body[:2] == b"\x06\x01" and body[4:] == b"\x03\x03" and bool(pan or tilt)
        )

    def _drive(self, pan: int | None = None, tilt: int | None = None, zoom: int | None = None) -> float:
        old = self.position.speed
        new = tuple(before if now is None else now for before, now in zip(old, (pan, tilt, zoom), strict=True))
        if "lost_stop" in self._on and any(old) and not any(new):
            self._on.discard("lost_stop")
            return -1.0
        self.position.speed = (new[0], new[1], new[2])
        if any(new):
            self.preset = None
            self._drives += 1
        self.done("move" if any(new) else "stop")
        return 0.0

    def _complete(self, body: bytes, socket: int, named: int, drives: int, send: Send) -> None:
        self._busy.discard(socket)
        if body[:3] == b"\x04\x3f\x02" and drives != self._drives:
            self._say(send, _error(socket, Fault.CANCELLED))
            return
        if body[:2] == b"\x04\x3f":
            number = body[3]
            if body[2] == 2:
                self.position = Position(*self._place(number))
                self.preset = number
                self.done(f"recall {number}")
            elif body[2] == 1:
                self.stored[number] = Position(self.position.pan, self.position.tilt, self.position.zoom)
                self.done(f"store {number}")
        if "no_completion" not in self._on:
            self._say(send, bytes((0x90, 0x50 | named, 0xFF)))

    def _place(self, number: int) -> tuple[int, int, int]:
        stored = self.stored.get(number, Position(number * 100, number * 10, number * 50))
        return stored.pan, stored.tilt, stored.zoom


def _error(socket: int, fault: int) -> bytes:
    return bytes((0x90, 0x60 | socket, fault, 0xFF))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, camera: ViscaEmulator) -> None:
        self._camera = camera
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._camera.heard_datagram(data, addr, lambda reply: self._send(reply, addr))

    def _send(self, reply: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


class _Stream(asyncio.Protocol):
    def __init__(self, camera: ViscaEmulator) -> None:
        self._camera = camera
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._camera._streams.add(self._transport)
        if "single_client" in self._camera.faults:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *whole, self._rest = (self._rest + data).split(b"\xff")
        self._rest = self._rest[-64:]
        self._camera.heard_stream([part + b"\xff" for part in whole], self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._camera._streams.discard(self._transport)
