"""A CEC adapter: who we are on the line, sending and hearing messages."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from devices.cec.frames import NOWHERE, TV, UNREGISTERED, BadFrame, Frame, duty
from devices.cec.layout import (
    ADDRESS,
    CAP_LOG_ADDRS,
    CAP_PHYS_ADDR,
    CAP_TRANSMIT,
    CAPS,
    G_CAPS,
    G_LOG_ADDRS,
    G_PHYS_ADDR,
    INITIATOR_AND_FOLLOWER,
    LOG_ADDRS,
    MODE,
    RECEIVE,
    RX_ABORT,
    RX_OK,
    S_LOG_ADDRS,
    S_MODE,
    S_PHYS_ADDR,
    TRANSMIT,
    TX_OK,
    UNCLAIMED,
    Message,
    playback,
    unpack,
)
from devices.context import Context
from devices.errors import Garbage, NotSupported, Rejected
from devices.kernel.node import Node, open_node

PENDING = 32  # messages under way
CLAIMING = 8  # looks, while the kernel finds us an address
PATIENCE = 800  # milliseconds that the kernel waits for an answer, for each second that one exchange may take


class Nobody(Rejected):
    """Nobody acknowledged the message on the line."""

    def __init__(self) -> None:
        super().__init__("nobody answers on the CEC line", retryable=True)


class CecAdapter:
    """Made by `open`. `hear` gets every message that is no answer."""

    node: Node

    def __init__(self, context: Context, hear: Callable[[Frame], None]) -> None:
        self._context = context
        self._hear = hear
        self._waiting: dict[int, tuple[int, asyncio.Future[Message]]] = {}
        self._early: dict[int, Message] = {}  # results that came before the request returned
        self.address = UNREGISTERED
        self.physical = NOWHERE
        self._patience = int(context.timing.reply * PATIENCE)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, context: Context, path: str, physical: int | None, hear: Callable[[Frame], None]
    ) -> AsyncIterator[CecAdapter]:
        """Take part in the line as a playback device. `physical`: our place, where the adapter cannot know it."""
        adapter = cls(context, hear)
        async with open_node(path, adapter._received, RECEIVE) as adapter.node:
            capabilities = (await adapter._ask(G_CAPS, CAPS))[3]
            if not capabilities & CAP_TRANSMIT:
                raise NotSupported("this adapter only listens")
            await adapter._ask(S_MODE, MODE, MODE.pack(INITIATOR_AND_FOLLOWER))
            if physical is not None and capabilities & CAP_PHYS_ADDR:
                await adapter._ask(S_PHYS_ADDR, ADDRESS, ADDRESS.pack(physical))
            if not (await adapter._ask(G_LOG_ADDRS, LOG_ADDRS))[3] and capabilities & CAP_LOG_ADDRS:
                await adapter._ask(S_LOG_ADDRS, LOG_ADDRS, playback("roomctl"))
            yield adapter

    async def look(self) -> None:
        """Where we are now: without a physical address only the television hears us, from the unregistered one."""
        for _ in range(CLAIMING):
            (self.physical,) = await self._ask(G_PHYS_ADDR, ADDRESS)
            addresses, mask, _, wanted, *_ = await self._ask(G_LOG_ADDRS, LOG_ADDRS)
            claimed = addresses[0]
            if claimed != UNCLAIMED and not mask & 1 << claimed:  # the kernel marks there what it claimed
                self._context.garbled(addresses)
                raise Garbage("addresses that contradict each other")
            if not (self.placed and wanted and claimed == UNCLAIMED):
                break
            await self._context.breathe()  # the EDID came just now: the kernel looks for a free address, and refuses us
        self.address = claimed if claimed < UNREGISTERED and self.placed else UNREGISTERED

    @property
    def placed(self) -> bool:
        """We have a physical address: the display's EDID was read."""
        return self.physical != NOWHERE

    async def send(self, destination: int, opcode: int | None = None, operands: bytes = b"") -> None:
        """Send, and see it acknowledged; raises Nobody, or what the kernel says when our address is no longer ours."""
        await self._on_line(Frame(self.address, destination, opcode, operands), 0, sure=True)

    async def command(self, destination: int, opcode: int) -> None:
        """Send from where we are, or were when last looked: looking before each would cost two more questions."""
        try:
            await self.send(destination, opcode)
        except (Rejected, NotSupported):  # ENONET, EINVAL: the display's EDID came or went since
            await self.look()
            await self.send(destination, opcode)

    async def ask(self, destination: int, opcode: int, reply: int, *, sure: bool = True) -> Frame | None:
        """Send, and the answer; None when it never comes. Raises Nobody, or NotSupported when it is refused.

        `sure`: somebody there is known to answer this.
        """
        answer = await self._on_line(Frame(self.address, destination, opcode), reply, sure=sure)
        if answer.received & RX_ABORT:
            raise NotSupported(f"it does not know {opcode:#04x}")
        return answer.frame if answer.received & RX_OK else None

    async def _on_line(self, frame: Frame, reply: int, *, sure: bool) -> Message:
        """Lines lose frames: send again when nobody acknowledged, and once when no answer came; raises Nobody."""
        unheard, unanswered = (self._context.timing.attempts - 1, 1) if sure else (0, 0)  # that may still happen
        while True:
            try:
                result = await self._context.retrying(lambda: self._send(frame, reply))
            except Nobody:
                if not unheard:
                    raise
                unheard -= 1
                continue
            if not reply or result.received & (RX_OK | RX_ABORT) or not unanswered:
                return result
            unanswered -= 1

    def tell(self, destination: int, opcode: int, operands: bytes = b"") -> None:
        """Send without waiting for what becomes of it."""
        self._post(Frame(self.address, destination, opcode, operands))

    def _post(self, frame: Frame) -> None:
        self.node.post(TRANSMIT, Message(frame).pack())

    async def _ask(self, request: int, layout: struct.Struct, argument: bytes = b"") -> tuple[Any, ...]:
        answer, _ = await self._context.retrying(lambda: self.node.ioctl(request, argument))
        if len(answer) != layout.size:
            self._context.garbled(answer)
            raise Garbage("a struct came in part")
        return layout.unpack(answer)

    async def _send(self, frame: Frame, reply: int) -> Message:
        answer, _ = await self.node.ioctl(TRANSMIT, Message(frame, reply=reply, timeout=self._patience).pack())
        try:
            sequence = unpack(answer).sequence
        except BadFrame as error:
            self._context.garbled(answer)
            raise Garbage(str(error)) from error
        if len(self._waiting) >= PENDING:
            raise Rejected("too many messages are under way", retryable=True)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = (reply, future)
        if (early := self._early.pop(sequence, None)) is not None:
            self._result(early)
        try:
            result = await future
        finally:
            del self._waiting[sequence]
        if not result.sent & TX_OK:
            raise Nobody
        return result

    def _received(self, data: bytes) -> None:
        """A message from the kernel: what became of one of ours, or one from the line."""
        try:
            message = unpack(data)
        except BadFrame:
            self._context.garbled(data)
            return
        if message.sequence:
            self._result(message)
        if not message.sequence or message.received & RX_OK:
            self._context.heard(message.frame.encode().hex(" "))
            self._hear(message.frame)
            if not message.sequence and (answer := duty(message.frame, self.address, self.physical)) is not None:
                self._post(answer)

    def _result(self, message: Message) -> None:
        waiting = self._waiting.get(message.sequence)
        if waiting is None:
            self._early = {**dict(list(self._early.items())[-PENDING:]), message.sequence: message}
            return
        reply, future = waiting
        over = not reply or not message.sent & TX_OK or message.received
        if over and not future.done():
            future.set_result(message)


__all__ = ["TV", "CecAdapter", "Nobody"]
