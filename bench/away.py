"""Devices that come and go, and addresses where nobody answers: without a word, or with a refusal."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from devices.emulators import PjlinkEmulator

HOST = "127.0.0.1"


class Flapping(PjlinkEmulator):
    """Greets, says what it is, and hangs up at the first question after that: it was online for a moment."""

    def answer(self, line: str) -> str:
        """As a display does, but nothing of its power."""
        if "POWR" in line:
            for stream in list(self._streams):
                stream.abort()
        return super().answer(line)


@contextmanager
def everywhere_silent() -> Iterator[tuple[str, int]]:
    """An address whose packets are dropped, as a host's that is off: a queue of one, which two callers fill.

    The kernel then drops every further SYN (listen(2): the request may be ignored so that a later retry succeeds).
    """
    ear = socket.create_server((HOST, 0), backlog=0)
    callers = [socket.socket() for _ in range(2)]
    try:
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(ear.getsockname())
        yield ear.getsockname()
    finally:
        for one in (ear, *callers):
            one.close()


def nowhere() -> tuple[str, int]:
    """An address that refuses: a port that nobody holds any more."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        host, port = one.getsockname()
    return host, port
