"""The sockets of a `Gate`: FFmpeg comes in at this machine's own address, one connection goes out, to the camera.

Everything is on the caller's thread and one of its own, and ends with the context.
"""

from __future__ import annotations

import secrets
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import unquote, urlsplit

from devices.rtsp.gate import Broken, Gate

WAIT = 5.0  # seconds to connect, and for the other side to take what it is sent
GOODBYE = 1.0  # seconds for FFmpeg's last words to the camera
CHUNK = 65536


class Passage:
    """`url` is what FFmpeg opens; `elsewhere`: the camera sent us to another address, and nobody went."""

    def __init__(self, door: socket.socket, camera: socket.socket, gate: Gate, url: str) -> None:
        self._door, self._camera, self._gate = door, camera, gate
        self.url = url

    @property
    def elsewhere(self) -> bool:
        """It did."""
        return self._gate.elsewhere

    def carry(self) -> None:
        """Until one side ends, or says what neither understands."""
        with suppress(OSError, Broken), closing(self._camera), self._come_in() as viewer:
            viewer.settimeout(WAIT)
            while True:
                for one in select.select([viewer, self._camera], [], [])[0]:
                    if not (data := one.recv(CHUNK)):
                        return
                    told, asked = self._gate.answer(data) if one is self._camera else (b"", self._gate.ask(data))
                    if asked:
                        self._camera.sendall(asked)
                    if told:
                        viewer.sendall(told)

    def _come_in(self) -> socket.socket:
        with closing(self._door):
            return self._door.accept()[0]


@contextmanager
def passage(url: str, login: tuple[str, str]) -> Iterator[Passage]:
    """A way for FFmpeg to the camera of `url`, which has no password in it; raises OSError when it cannot be reached."""
    parts = urlsplit(url)
    camera = socket.create_connection((unquote(parts.hostname or ""), parts.port or 554), WAIT)
    camera.settimeout(WAIT)
    with closing(camera), closing(socket.create_server(("127.0.0.1", 0), backlog=1)) as door:
        door.settimeout(WAIT)
        near = (
            f"rtsp://127.0.0.1:{door.getsockname()[1]}/{secrets.token_hex(16)}"  # nobody else on this machine knows it
        )
        rest = url[len(f"{parts.scheme}://{parts.netloc}") :]
        one = Passage(door, camera, Gate(near, f"rtsp://{parts.netloc}", login), near + (rest or "/"))
        carrier = threading.Thread(target=one.carry, name="passage", daemon=True)
        carrier.start()
        try:
            yield one
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)  # nobody comes any more
            carrier.join(GOODBYE)
            with suppress(OSError):
                camera.shutdown(socket.SHUT_RDWR)
            carrier.join(GOODBYE)
