"""Addresses of devices by name: looked up on threads of their own, so that a name nobody knows stalls nothing local.

The C library's resolver blocks for as long as its name servers are silent (resolv.conf(5): 5 s and two tries each). On
the loop's own pool a few such names would hold up every file and device node; and one name holds one thread at most. The
threads are daemons: a program that ends does not wait for an answer that nobody wants any more.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from concurrent.futures import Future
from queue import SimpleQueue

from devices.errors import Lost

THREADS = 16  # of one program; further names wait for one
NOBODY = "device.no_such_name"
UNKNOWN = (
    socket.EAI_NONAME,
    socket.EAI_NODATA,
)  # what the name servers say of a name that they do not know (RFC 3493 §6.1)
MOST = 4  # addresses of one name that are tried


class Names:
    """Looks names up; the same name asked for again while it is looked up waits for the same answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[tuple[str, Future[list[str]]]] = SimpleQueue()
        self._threads = 0
        self._idle = 0  # threads without a name to look up, less the names that wait
        self._asked: dict[str, Future[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """Those of `host`, as itself when it is one; raises Lost."""
        if _is_address(host):
            return [host]
        with self._lock:
            answer = self._asked.get(host) or self._begin(host)
        try:
            return await asyncio.shield(asyncio.wrap_future(answer))
        except UnicodeError as error:  # a name that is none
            raise Lost(f"{host}: {error}", code=NOBODY) from error
        except OSError as error:
            unknown = isinstance(error, socket.gaierror) and error.errno in UNKNOWN
            raise Lost(f"{host}: {error}", code=NOBODY if unknown else None) from error

    async def addresses_v4(self, host: str) -> list[str]:
        """Those of IPv4 alone, for what knows no other; raises Lost when there are none."""
        if not (found := [one for one in await self.addresses(host) if ":" not in one]):
            raise Lost(f"{host} has no IPv4 address")
        return found

    def _begin(self, host: str) -> Future[list[str]]:
        """Called with the lock held; raises Lost."""
        if self._idle < 1 and self._threads < THREADS:
            thread = threading.Thread(target=self._serve, name=f"names {self._threads + 1}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the machine has no thread left
                raise Lost(f"{host}: {error}") from error
            self._threads += 1
            self._idle += 1
        answer: Future[list[str]] = Future()
        answer.set_running_or_notify_cancel()  # whoever waits may leave; the others still get the answer
        self._asked[host] = answer
        self._waiting.put((host, answer))
        self._idle -= 1
        return answer

    def _serve(self) -> None:
        while True:
            host, answer = self._waiting.get()
            found: list[str] = []
            error: Exception | None = None
            try:
                found = _look_up(host)
            except Exception as raised:
                error = raised
            with self._lock:
                self._asked.pop(host, None)
                self._idle += 1
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)


def code_of(error: BaseException | None) -> str | None:
    """What was said of a name, of an error that another library made of it."""
    while error is not None and not isinstance(error, Lost):
        error = error.__cause__
    return error.notice.code if error is not None else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))[:MOST]


NAMES = Names()
