"""A PJLink projector: class 1 and 2, password, warm-up and cool-down, idle close."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from devices.emulators.faults import FAULTS, PRETENDS, Emulator
from devices.pjlink.lines import LONGEST, SEARCH, STRONG, digest, strong_digest

SALT = b"498e4a67"
RANDOM = bytes.fromhex("3db25e10f69c47a85adb24cf361897e0")


class PjlinkEmulator(Emulator):
    """State for tests: `power` (off, on, cooling, warming), `input`, `mute`, `blank`, `lamp_hours`, `connections`.

    `inputs`: code to name, which class 2 tells.
    `search`: UDP port where it answers searches, as the hardware address `identity`; `tell`: where it sends its news.
    `warmup`, `cooldown`, `idle_close` in seconds. Faults of its own: `lamp` (it says that its lamp failed), `pretends`
    (it says OK, and does nothing).
    """

    available_faults: tuple[str, ...] = (*FAULTS, "lamp", PRETENDS, "wrong_password", "single_client")

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str = "",
        level: int = 2,
        power: str = "off",
        warmup: float = 20.0,
        cooldown: float = 10.0,
        idle_close: float = 30.0,
        search: int | None = None,
        tell: tuple[str, int] | None = None,
        identity: str = "02:00:00:00:43:52",
        delay: float = 0.4,
        reboot: float = 3.0,
        seed: int = 1,
    ) -> None:
        super().__init__(delay=delay, reboot=reboot, seed=seed)
        self.address = (host, port)
        self.password = password
        self.strong = False  # it takes SHA-256 alone
        self.level = level
        self.power = power
        self.input = "31"
        self.inputs = {"11": "computer", "31": "hdmi1", "32": "hdmi2", "51": "network"}
        self.mute = self.blank = False
        self.lamp_hours = 1234
        self.warmup, self.cooldown, self.idle_close = warmup, cooldown, idle_close
        self.search, self.tell, self.identity = search, tell, identity
        self._air: list[asyncio.DatagramTransport] = []  # its UDP sockets
        self._changes = 0  # a change of power makes the end of the one before meaningless
        self._server: asyncio.Server | None = None
        self._streams: list[_Stream] = []

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._streams)

    async def open(self) -> None:
        """Listen."""
        host, port = self.address
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Stream(self), host, port, reuse_address=True)
        self.address = (host, self._server.sockets[0].getsockname()[1])
        speaking, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(host, 0))
        self._air = [speaking]
        if self.search is not None:
            hearing, _ = await loop.create_datagram_endpoint(
                lambda: _Searched(self), sock=_broadcast_socket(self.search)
            )
            self._air.append(hearing)
        self.news("LKUP", self.identity)

    async def close(self) -> None:
        """Release the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for stream in list(self._streams):
            stream.abort()
        for air in self._air:
            air.close()
        self._air = []

    def news(self, name: str, value: str) -> None:
        """Tell the controller by itself, as class 2 devices do."""
        if self.tell is not None and self._air and self.level == 2 and "silent" not in self._on:
            self._air[0].sendto(f"%2{name}={value}\r".encode(), self.tell)

    def searched(self, asker: tuple[str, int]) -> None:
        """Somebody searches."""
        if self._air and self.level == 2:
            for answer in self.sent(f"%2ACKN={self.identity}\r".encode()):
                self._air[0].sendto(answer, asker)

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; a new password or another client ends the connections there are."""
        super().fault(name, on)
        if name == "lamp":
            self.news("ERST", self._state("ERST"))
        if on and name in ("wrong_password", "single_client"):
            for stream in list(self._streams):
                stream.abort()

    def forget(self) -> None:
        """A projector that lost its power is in standby."""
        self._changes += 1
        self.power, self.mute, self.blank, self.input = "off", False, False, "31"

    # --- the projector ------------------------------------------------------------------------------------------

    def answer(self, line: str) -> str:
        """The reply to one command line, without CR."""
        head, _, parameter = line.partition(" ")
        name = head[2:]
        if len(head) != 6 or head[0] != "%" or head[1] not in "12" or int(head[1]) > self.level or not parameter:
            return f"{head[:6]}=ERR1"
        if name == "INNM" and self.level == 2:
            value = self.inputs.get(parameter[1:], "ERR2")
        elif parameter == "?":
            value = self._state(name)
        else:
            value = self._carry_out(name, parameter)
            if value == "OK":
                self.done(f"{name} {parameter}")
        return f"{head}={value}"

    def _state(self, name: str) -> str:
        mutes = {(False, False): "30", (True, False): "21", (False, True): "11", (True, True): "31"}
        lamp = "2" if "lamp" in self._on else "0"
        answers = {
            "POWR": {"off": "0", "on": "1", "cooling": "2", "warming": "3"}[self.power],
            "INPT": self.input if self.power == "on" else "ERR3",
            "INST": " ".join(self.inputs),
            "AVMT": mutes[self.mute, self.blank] if self.power == "on" else "ERR3",
            "ERST": f"0{lamp}0000",
            "LAMP": f"{self.lamp_hours} {int(self.power == 'on')}",
            "NAME": "Emulated projector",
            "INF1": "roomctl",
            "INF2": "Emulator",
            "INFO": "",
            "CLSS": str(self.level),
        }
        return answers.get(name, "ERR1")

    def _carry_out(self, name: str, parameter: str) -> str:
        if PRETENDS in self._on and name in ("POWR", "INPT", "AVMT"):
            return "OK"
        if name == "POWR" and parameter in "01":
            return self._switch(on=parameter == "1")
        if name not in ("INPT", "AVMT"):
            return "ERR2" if name == "POWR" else "ERR1"
        if self.power != "on":
            return "ERR3"
        if name == "INPT":
            if parameter not in self.inputs:
                return "ERR2"
            self.input = parameter
            self.news("INPT", parameter)
        elif len(parameter) == 2 and parameter[0] in "123" and parameter[1] in "01":
            on = parameter[1] == "1"
            self.mute = on if parameter[0] in "23" else self.mute
            self.blank = on if parameter[0] in "13" else self.blank
        else:
            return "ERR2"
        return "OK"

    def _switch(self, *, on: bool) -> str:
        if (on and self.power == "cooling") or (not on and self.power == "warming"):
            return "ERR3"
        if on != (self.power in ("on", "warming")):
            self.power = "warming" if on else "cooling"
            self.mute = self.blank = False
            self._changes += 1
            change, end = self._changes, "on" if on else "off"

            def arrive() -> None:
                if change == self._changes:
                    self.power = end
                    self.news("POWR", self._state("POWR"))

            self.later(self.warmup if on else self.cooldown, arrive)
        return "OK"

    def accepted(self, stream: _Stream) -> bool:
        """Whether a new connection is let in."""
        return "single_client" not in self._on

    def joined(self, stream: _Stream) -> None:
        """A connection stands."""
        self._streams.append(stream)

    def left(self, stream: _Stream) -> None:
        """A connection ended."""
        if stream in self._streams:
            self._streams.remove(stream)

    @property
    def resetting(self) -> bool:
        """Connections are reset at the next request."""
        return "reset" in self._on

    @property
    def secret(self) -> str:
        """The password it wants now."""
        return "changed" if "wrong_password" in self._on else self.password

    def say(self, stream: _Stream, text: str) -> None:
        """Send a line, as the faults let it."""
        self.after(0.0, lambda: stream.write(b"".join(self.sent(text.encode() + b"\r"))))


class _Stream(asyncio.Protocol):
    """One client."""

    def __init__(self, projector: PjlinkEmulator) -> None:
        self._projector = projector
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._idle: asyncio.TimerHandle | None = None
        self._expected = b""
        self._strong = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._projector.accepted(self):
            self.abort()
            return
        self._projector.joined(self)
        if self._projector.secret:
            self._expected = digest(SALT, self._projector.secret)
        self._projector.say(self, f"PJLINK 1 {SALT.decode()}" if self._expected else "PJLINK 0")
        self._stay()

    def data_received(self, data: bytes) -> None:
        """Answer each line."""
        self._stay()
        *whole, self._rest = (self._rest + data).split(b"\r")
        self._rest = self._rest[-LONGEST:]
        for line in whole:
            if self._projector.resetting:
                self.abort()
            elif not self._projector.lost():
                self._hear(line)

    def _hear(self, line: bytes) -> None:
        if self._expected and line + b"\r" == STRONG and self._projector.strong:
            self._strong = True
            self._projector.say(self, f"PJLINK 2 {RANDOM.hex()}")
            return
        if self._strong and self._expected:
            self._expected = strong_digest(RANDOM, bytes.fromhex(line[:32].decode()), self._projector.secret)
        elif self._expected and self._projector.strong:
            self._expected = b"\0"
        if self._expected:
            if not line.startswith(self._expected):
                self._projector.say(self, "PJLINK ERRA")
                return
            line, self._expected = line[len(self._expected) :], b""
        self._projector.say(self, self._projector.answer(line.decode("ascii", "replace")))

    def write(self, data: bytes) -> None:
        """Send."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended."""
        if self._idle is not None:
            self._idle.cancel()
        self._projector.left(self)

    def _stay(self) -> None:
        """An idle connection is closed after a while."""
        if self._idle is not None:
            self._idle.cancel()
        transport = self._transport
        if transport is not None:
            self._idle = asyncio.get_running_loop().call_later(self._projector.idle_close, transport.close)


def _broadcast_socket(port: int) -> socket.socket:
    """Hears broadcasts on the loopback interface; all emulators of a machine may."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.255.255.255", port))
    made.setblocking(False)
    return made


class _Searched(asyncio.DatagramProtocol):
    def __init__(self, projector: PjlinkEmulator) -> None:
        self._projector = projector

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data == SEARCH:
            self._projector.searched(addr)
