"""A camera's RTSP server: GStreamer's, the real one, with a moving picture at `/live`."""

from __future__ import annotations

from pathlib import Path

from devices.emulators.faults import Emulator
from devices.emulators.process import ServerProcess, answers, free_port

PROGRAM = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"  # the system's, which has GStreamer's bindings
MISSING = "Are the packages `gir1.2-gst-rtsp-server-1.0`, `python3-gi` and `gstreamer1.0-plugins-ugly` installed?"


class RtspServer(Emulator):
    """Listens at `address`, streams at `url`. Name and password by Digest, none: everybody may watch.

    Faults: `silent` (stopped in its tracks), `unplugged`, `reboot`, `wrong_password`, `frozen` (every picture bears the
    same time).
    """

    available_faults = ("silent", "unplugged", "reboot", "wrong_password", "frozen")

    def __init__(self, *, port: int = 0, name: str = "", password: str = "", reboot: float = 3.0) -> None:
        super().__init__(reboot=reboot)
        self.address = ("127.0.0.1", port or free_port())
        self._login = (name, password)
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """The stream, without name and password."""
        host, port = self.address
        return f"rtsp://{host}:{port}/live"

    async def sessions(self) -> int:
        """How many watch, as the server counts them."""
        assert self._process is not None
        return int(await self._process.say("sessions"))

    async def freeze(self, on: bool = True) -> None:
        """The picture stands still, and comes all the same."""
        assert self._process is not None
        super().fault("frozen", on)
        await self._process.say("freeze" if on else "go on")

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; a new password is known after a restart."""
        super().fault(name, on)
        if name == "silent" and self._process is not None:
            self._process.pause(on)
        elif name == "wrong_password":
            super().fault("reboot")

    async def open(self) -> None:
        """Start it, wait until it answers."""
        host, port = self.address
        name, password = self._login
        secret = "changed" if "wrong_password" in self._on else password
        command = [PYTHON, str(PROGRAM), str(port), name, secret]
        self._process = ServerProcess(command, MISSING, {"HOME": "/nonexistent"}, talks=True)
        await self._process.start(lambda: answers(host, port))

    async def close(self) -> None:
        """End it."""
        if self._process is not None:
            await self._process.stop()
            self._process = None

    def forget(self) -> None:
        """Its picture begins anew."""
