"""Where everything of a demo lives: ports from one base port, addresses of emulated devices, files in one data folder."""

from __future__ import annotations

import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path


class PortTaken(Exception):
    """A port of the demo is in use; the message says which, and how to choose others."""


@dataclass(frozen=True)
class Layout:
    """`port` HTTP, +1 agents, +2 media (UDP), +3 emulators and faults page; all on 127.0.0.1.

    `media_host` may be another address of this machine: Firefox sends no media to 127.0.0.1. Then the demo key is off.
    """

    port: int
    data: Path
    media_host: str = "127.0.0.1"

    @property
    def server(self) -> str:
        """URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def agents(self) -> str:
        """URL of the agents."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def media(self) -> str:
        """Address of the relay."""
        host = f"[{self.media_host}]" if ":" in self.media_host else self.media_host
        return f"{host}:{self.port + 2}"

    @property
    def equipment(self) -> str:
        """URL of the emulators' faults page."""
        return f"http://127.0.0.1:{self.port + 3}"

    @property
    def pulse(self) -> Path:
        """PulseAudio's folder: in the data folder, unless that path is too long for a socket's name."""
        folder = self.data / "pulse"
        return folder if len(str(folder)) < 90 else Path(tempfile.gettempdir()) / f"roomctl-{os.getuid()}-{self.port}"

    @property
    def pulse_server(self) -> str:
        """PulseAudio's server string."""
        return f"unix:{self.pulse / 'native'}"

    @property
    def sockets(self) -> Path:
        """Folder of the emulated device nodes and of the servers behind devices, its path short enough for sockets."""
        folder = self.data / "devices"
        return folder if len(str(folder)) < 70 else Path(tempfile.gettempdir()) / f"roomctl-{os.getuid()}-{self.port}"

    @property
    def nodes(self) -> Path:
        """Folder of the emulated device nodes."""
        return self.sockets / "nodes"

    @property
    def broker_host(self) -> str:
        """Loopback address of the sensors' broker, after those of the rooms."""
        return self.device_host(250)

    def device_host(self, index: int) -> str:
        """Loopback address of a room's emulated devices: one for each room and base port, so that all keep their ports."""
        return f"127.{self.port >> 8}.{self.port & 255}.{index + 1}"

    def check_ports(self) -> None:
        """Raises PortTaken."""
        wanted = [(self.port, socket.SOCK_STREAM, "pages"), (self.port + 1, socket.SOCK_STREAM, "rooms")]
        wanted += [(self.port + 2, socket.SOCK_DGRAM, "media"), (self.port + 3, socket.SOCK_STREAM, "faults page")]
        for port, kind, what in wanted:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind is socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    free = self.port + 100
                    raise PortTaken(
                        f"Port {port} ({what}) is taken by another program. Stop it, or use others: make run PORT={free}"
                    ) from None
