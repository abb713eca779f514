"""A cable to a real PulseAudio server: its faults are done to whole messages of the native protocol, over Unix sockets.

A message is a descriptor of five 32-bit big-endian numbers (length, channel, offset high and low, flags) and `length`
bytes. Of those on channel -1 a packet is a tag structure: `L` and the command's number, `L` and a tag that the reply
repeats (PulseAudio 16, `src/pulsecore/pstream.c`, `native-common.h`, `tagstruct.h`). Shared memory, whose messages have
no bytes here, is off at the server (`--disable-shm`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from struct import Struct

from devices.emulators.cable import Cable, End, Far, Stream
from devices.emulators.faults import FAULTS
from devices.emulators.pulse import PulseServer

DESCRIPTOR = Struct(">5I")
PACKET = 0xFFFFFFFF  # the channel of what is no sound
HEAD = Struct(">cIcI")  # of a packet: its command and its tag
COMMANDS = {36: "set sink volume", 38: "set source volume", 39: "set sink mute", 40: "set source mute"}


class PulseCable(Cable):
    """Listens in `folder`, and connects each client to `server`, which restarts with it at `reboot`.

    A fault of its own: `single_client` (all places are taken: PulseAudio lets the 65th client in and closes at once).
    """

    available_faults = (*FAULTS, "single_client")

    def __init__(self, server: PulseServer, folder: Path, *, delay: float = 0.4, reboot: float = 3.0) -> None:
        super().__init__(("", 0), delay=delay, reboot=reboot, on_reboot=lambda: server.fault("reboot"))
        self._socket = folder / "cable"
        self._behind = server
        self._rest: dict[End, bytes] = {}  # of a message whose end has not come
        self._commands: dict[tuple[End | None, int], str] = {}  # that wait for the server, by client and tag

    @property
    def server(self) -> str:
        """For PULSE_SERVER and the setting `server`."""
        return f"unix:{self._socket}"

    async def open(self) -> None:
        """Listen."""
        self._socket.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_unix_server(lambda: Stream(self), str(self._socket))

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; no place is left for a client of ours."""
        super().fault(name, on)
        if on and name == "single_client":
            for end in list(self._ends):
                end.abort()

    async def dial(self, far: Far) -> None:
        """To the real server."""
        if "single_client" in self._on:
            raise ConnectionRefusedError
        await asyncio.get_running_loop().create_unix_connection(lambda: far, str(self._behind.socket))

    def left(self, end: End) -> None:
        """Its half message goes with it."""
        super().left(end)
        self._rest.pop(end, None)
        self._commands = {key: what for key, what in self._commands.items() if key[0] is not end}

    def ask(self, end: End, data: bytes) -> None:
        """Whole messages to the server; those that change something are noted."""
        for message in self._whole(end, data):
            command, tag = _head(message)
            if command in COMMANDS:
                self._commands[end, tag] = COMMANDS[command]
            super().ask(end, message)

    def answer(self, end: End, data: bytes) -> None:
        """Whole messages to the client; a command is carried out when the server says so."""
        for message in self._whole(end, data):
            _, tag = _head(message)
            if done := self._commands.pop((end.pair, tag), ""):
                self.done(done)
            super().answer(end, message)

    def _whole(self, end: End, data: bytes) -> list[bytes]:
        rest, messages = self._rest.get(end, b"") + data, []
        while len(rest) >= DESCRIPTOR.size:
            length = DESCRIPTOR.size + DESCRIPTOR.unpack_from(rest)[0]
            if len(rest) < length:
                break
            messages.append(rest[:length])
            rest = rest[length:]
        self._rest[end] = rest
        return messages


def _head(message: bytes) -> tuple[int, int]:
    """Command and tag of a packet; nonsense of what is none."""
    if len(message) < DESCRIPTOR.size + HEAD.size or DESCRIPTOR.unpack_from(message)[1] != PACKET:
        return -1, -1
    _, command, _, tag = HEAD.unpack_from(message, DESCRIPTOR.size)
    return command, tag
