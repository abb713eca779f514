"""What an emulated camera takes by itself: the same exchange, from a process that does nothing else."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe

from devices.visca.frames import RESET, Kind, pack

ASK_POWER = bytes.fromhex("81 09 04 00 FF")  # Sony, VISCA Command List: CAM_PowerInq
PAUSE = 0.03  # seconds between two exchanges, as those that are measured
PATIENCE = 2.0  # seconds


class Bare:
    """Milliseconds of each exchange."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def once(self) -> list[float]:
        """Of one exchange, in their order."""
        return list(self.taken)

    def twice(self) -> list[float]:
        """Of two that follow each other, in their order."""
        return [one + other for one, other in zip(self.taken[::2], self.taken[1::2], strict=False)]


@contextmanager
def exchanges(camera: tuple[str, int]) -> Iterator[Bare]:
    """Ask a VISCA camera over UDP for as long as the context lasts; filled when it ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_ask, args=(there, camera))
    process.start()
    bare = Bare()
    here.recv()  # it is under way
    try:
        yield bare
    finally:
        here.send("end")
        bare.taken = here.recv()
        process.join(PATIENCE)


def _ask(pipe: Pipe, camera: tuple[str, int]) -> None:
    taken: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(PATIENCE)
        one.connect(camera)
        one.send(pack(Kind.CONTROL, 0, RESET))
        one.recv(64)
        pipe.send("under way")
        while not pipe.poll(PAUSE):
            begun = time.perf_counter()
            one.send(pack(Kind.INQUIRY, len(taken) + 1, ASK_POWER))
            one.recv(64)
            taken.append(1000 * (time.perf_counter() - begun))
    pipe.send(taken)
