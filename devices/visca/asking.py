"""How a VISCA camera is asked: again where a datagram may be lost, once where a camera is only slow, two commands at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import TypeVar

from devices.context import Context
from devices.errors import DeviceError, Rejected
from devices.visca import frames
from devices.visca.link import BadSequence, BufferFull, Taken, ViscaLink

Answer = TypeVar("Answer")
Wanted = Callable[[], bool]

TRIES = 10  # of a command the camera has no room for
HEAD_START = (
    0.25  # seconds for the first of two commands to be acknowledged: a camera holds two, and a slow one gets both
)
STOPS = (frames.pan_tilt(0, 0), frames.ZOOM_STOP)


def _always() -> bool:
    return True


class Asking:
    """Of one camera, over one connection."""

    def __init__(self, context: Context, link: ViscaLink) -> None:
        self._context = context
        self._link = link
        self._resetting = asyncio.Lock()

    async def inquire(self, inquiry: frames.Inquiry) -> bytes:
        """The answer's data; raises a DeviceError."""
        return await self._counted(lambda: self._ask(lambda: self._link.inquire(inquiry), once=self._once))

    async def command(
        self,
        request: bytes,
        on_done: Callable[[], None] | None = None,
        *,
        at_once: bool = False,
        wanted: Wanted = _always,
    ) -> Taken:
        """Until it was taken; it is not sent, nor sent again, once it is not `wanted` any more. Raises a DeviceError."""

        async def given() -> Taken:
            tries = list[Taken]()

            async def give() -> Taken:
                if not wanted():
                    if tries:
                        await asyncio.get_running_loop().create_future()  # an earlier one may be answered yet
                    raise Rejected("stopped before it began", retryable=True)
                return await self._link.command(request, on_done, tries=tries)

            return await self._ask(give, once=self._once and request not in STOPS, at_once=at_once)

        return await self._counted(given)

    async def all(self, requests: Sequence[bytes], wanted: Wanted = _always) -> None:
        """One command, or two: the second right after the first's acknowledgement, which it does not wait for without end.

        Each is sent though the other is refused; raises a DeviceError.
        """
        took: dict[bytes, float] = {}
        errors, taken, overlaps, begun = list[DeviceError](), list[Taken](), False, asyncio.get_running_loop().time()

        async def give(request: bytes, *, at_once: bool) -> None:
            try:
                taken.append(await self.command(request, at_once=at_once, wanted=wanted))
                took[request] = asyncio.get_running_loop().time() - begun
            except DeviceError as error:
                errors.append(error)

        async with asyncio.TaskGroup() as each:
            for number, request in enumerate(requests):
                one = each.create_task(give(request, at_once=number > 0))
                if request is not requests[-1]:
                    await asyncio.wait({one}, timeout=HEAD_START)
                    overlaps = not one.done()
        if overlaps and self._ambiguous(first := requests[0]) and took.get(first, inf) < self._context.timing.reply:
            await give(first, at_once=True)
        for command in taken:
            try:
                await self._link.completed(command)
            except DeviceError as error:
                errors.append(error)
        if errors:
            raise min(errors, key=lambda error: error.about_command)

    def _ambiguous(self, request: bytes) -> bool:
        """A stop that may be lost, sent once, and the acknowledgement of another be taken for its own."""
        return request in STOPS and not (self._link.header or self._link.stream)

    @property
    def _once(self) -> bool:
        """Nothing is lost on the way, or it is slow; a stop is asked again all the same: it does no harm twice."""
        return self._link.stream or self._link.slow

    async def _ask(self, ask: Callable[[], Awaitable[Answer]], *, once: bool, at_once: bool = False) -> Answer:
        asked = self._context.patiently if once else self._context.persistently
        return await asked(ask, at_once=at_once)

    async def _counted(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Again after a full buffer, after a reset when the camera lost count."""
        for _ in range(TRIES):
            async with self._resetting:
                counts = self._link.counts
            try:
                return await ask()
            except BufferFull:
                await self._context.breathe()
            except BadSequence:
                await self._count_anew(counts)
        raise Rejected("the camera is busy", retryable=True)

    async def _count_anew(self, counts: int) -> None:
        """Once for all that was refused: what another began to count anew for is asked again as it is."""
        async with self._resetting:
            if self._link.counts == counts:
                await self._context.retrying(self._link.reset_sequence)
