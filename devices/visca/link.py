"""A conversation with a VISCA camera: matches replies to what was asked, with and without sequence numbers.

Without header nothing in an answer says what it answers. Commands are acknowledged in order; inquiries are matched by
the length of their answer, which differs for all that we ask, so a late answer cannot be taken for another.

With header a command that is not acknowledged is sent again under its own sequence number (Sony's command list of SRG
cameras, "Delivery confirmation"): who took it refuses that number or drops it, and carries it out once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from devices.channel import Channel, open_tcp, open_udp
from devices.context import Context
from devices.errors import DeviceError, Lost, NotSupported, Refused, Rejected
from devices.visca import frames
from devices.visca.frames import Ack, Done, Error, Fault, Info, Inquiry, Junk, Kind, Message, StreamReader

PENDING = 16  # exchanges we remember; older ones are forgotten
COMPLETES = 0.25  # seconds after its acknowledgement within which a camera completes or refuses a move or a stop
SLOW = 2 * COMPLETES  # seconds to its acknowledgement, of a camera whose completion is not waited for
FORGET = 2.0  # seconds a late acknowledgement is expected


class BufferFull(Rejected):
    """Both sockets of the camera are busy: ask again a little later."""


class BadSequence(Rejected):
    """The camera counts differently (it restarted): reset and ask again."""


@dataclass(eq=False)
class Taken:
    """What was asked, until the camera answered, completed or refused it; a command is `Taken` once acknowledged."""

    sequence: int
    inquiry: Inquiry | None
    answer: asyncio.Future[bytes]
    request: bytes = b""
    on_done: Callable[[], None] | None = None
    socket: int | None = None  # set by the acknowledgement
    sent_at: float = 0.0  # loop time
    left_at: float | None = None  # loop time when nobody waited any more
    took: float = 0.0  # seconds from when it was first sent until it was answered
    known: asyncio.Future[None] | None = None  # once it was sent again: its number was refused, as one that came before
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # completed, or refused after its acknowledgement
    error: DeviceError | None = None
    counts: int = 0  # of the link, that its number belongs to

    def fail(self, error: DeviceError) -> None:
        """It was refused, before or after it was acknowledged."""
        self.error = error
        self.ended.set()
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, data: bytes = b"", *, ended: bool = True) -> None:
        """It was answered; `ended`: and nothing more is to come."""
        if ended:
            self.ended.set()
        if not self.answer.done():
            self.answer.set_result(data)


class ViscaLink:
    """One camera's connection. `header`: VISCA over IP; without, raw messages."""

    def __init__(self, context: Context, *, header: bool, stream: bool) -> None:
        self.header = header
        self._context = context
        self._stream = StreamReader() if stream else None
        self._channel: Channel | None = None
        self._sequence = 0
        self.counts = 0  # times that both sides began to count from 0
        self._agreed = True  # on the count: no reset is under way
        self._pending: list[Taken] = []
        self._reset: asyncio.Future[None] | None = None
        self._heard = False
        self._completes = True  # until it left an acknowledged command without an end
        self._repeated: deque[int] = deque(maxlen=PENDING)  # sequence numbers that were sent again
        self.stream = stream
        self.slow = False  # without header: its last answer took longer than a try, so it is not asked again so soon

    @classmethod
    @asynccontextmanager
    async def open(
        cls, context: Context, host: str, port: int, *, transport: str, header: bool
    ) -> AsyncIterator[ViscaLink]:
        """Connect; raises Lost."""
        link = cls(context, header=header, stream=transport == "tcp")
        opener = open_tcp if transport == "tcp" else open_udp
        async with opener(host, port, link.received) as channel:
            link._channel = channel
            channel.on_lost(link._lost)
            yield link

    async def until_lost(self) -> None:
        """Hold; raises Lost."""
        assert self._channel is not None
        await self._channel.until_lost()

    # --- asking -------------------------------------------------------------------------------------------------

    async def reset_sequence(self) -> None:
        """Make both sides count from 0; a camera that does not answer is none of VISCA over IP."""
        self._reset = asyncio.get_running_loop().create_future()
        self._sequence, self._agreed = 0, False
        self._repeated.clear()
        self._send(frames.pack(Kind.CONTROL, 0, frames.RESET))
        await self._reset
        self.counts, self._agreed = self.counts + 1, True

    async def inquire(self, inquiry: Inquiry) -> bytes:
        """The answer's data; raises a DeviceError."""
        return (await self._exchange(self._new(inquiry.request, inquiry))).answer.result()

    async def command(
        self, request: bytes, on_done: Callable[[], None] | None = None, *, tries: list[Taken] | None = None
    ) -> Taken:
        """Until the camera took it (`on_done` is called when it completed it); raises a DeviceError.

        `tries`: those of this command so far, where it is tried several times; this one is added.
        """
        if self.header and tries:
            return await self._again(tries[0])
        taken = self._new(request, None, on_done)
        if tries is not None:
            tries.append(taken)
        return await self._exchange(taken)

    async def completed(self, taken: Taken) -> None:
        """Until the camera completed what it took, for what takes no time; raises a DeviceError when it refused after all.

        A camera that says nothing of the end is taken at its acknowledgement, and no longer waited for.
        """
        if self._completes and taken.took <= SLOW:
            try:
                async with asyncio.timeout(COMPLETES):
                    await taken.ended.wait()
            except TimeoutError:
                self._completes = False
        if taken.error is not None:
            raise taken.error

    def _new(self, request: bytes, inquiry: Inquiry | None, on_done: Callable[[], None] | None = None) -> Taken:
        answer = asyncio.get_running_loop().create_future()
        return Taken(self._next(), inquiry, answer, request, on_done, counts=self.counts)

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        return self._sequence

    async def _exchange(self, pending: Taken) -> Taken:
        self._pending = [*self._pending[-PENDING + 1 :], pending]
        loop = asyncio.get_running_loop()
        pending.sent_at = loop.time()
        self._say(pending)
        try:
            await pending.answer
            pending.took = loop.time() - pending.sent_at
            if pending.error is not None:  # in one datagram with the acknowledgement
                raise pending.error
            return pending
        finally:
            if not pending.answer.cancelled():
                self._quick(pending)
            elif pending in self._pending:
                self._leave(pending)

    async def _again(self, taken: Taken) -> Taken:
        """Send it under its own number: refused, it was taken and its acknowledgement lost, unless the camera lost count.

        Where both began to count anew meanwhile, its number says nothing any more: it gets another.
        """
        if taken.counts != self.counts:
            taken.counts, taken.sequence, taken.known = self.counts, self._next(), None
        elif taken.known is None:
            taken.known = asyncio.get_running_loop().create_future()
            self._repeated.append(taken.sequence)
        self._say(taken)
        either: set[asyncio.Future[Any]] = {taken.answer} | ({taken.known} if taken.known else set())
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not taken.answer.done():
            try:
                await self.inquire(frames.ASK_POWER)
            except BadSequence:
                raise
            except (NotSupported, Rejected):
                pass  # it counts as we do
            if taken.counts != self.counts or not self._agreed:  # its number was refused as one of an old count
                raise BadSequence("both began to count anew", retryable=True)
            taken.succeed(ended=False)
        await taken.answer
        return taken

    def _say(self, pending: Taken) -> None:
        kind = Kind.INQUIRY if pending.inquiry else Kind.COMMAND
        self._send(frames.pack(kind, pending.sequence, pending.request) if self.header else pending.request)

    def _leave(self, pending: Taken) -> None:
        """Nobody waits: a late reply must find nobody, and without sequence numbers no one else either."""
        if self.header:
            self._pending.remove(pending)
        else:
            pending.left_at = asyncio.get_running_loop().time()

    def _late(self, left: Taken) -> None:
        """What nobody waits for any more was answered: whether too late, or nobody waited as long as a try."""
        self._pending.remove(left)
        if asyncio.get_running_loop().time() - left.sent_at > self._context.timing.reply:
            self.slow = True

    def _quick(self, answered: Taken) -> None:
        """It is slow no more when it answered or refused within a try, and not what was asked before."""
        took = asyncio.get_running_loop().time() - answered.sent_at
        if took <= self._context.timing.reply and all(one.left_at is None for one in self._pending):
            self.slow = False

    def _send(self, data: bytes) -> None:
        if self._channel is None:
            raise Lost("not connected")
        self._channel.send(data)

    # --- hearing ------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the camera, any bytes."""
        self._heard = True
        if self._stream is not None:
            self._hear(self._stream.feed(data), None)
        elif not self.header:
            self._hear(list(frames.read_messages(data)), None)
        elif (packet := frames.unpack(data)) is None:
            self._context.garbled(data)
        elif packet.kind == Kind.CONTROL_REPLY or packet.kind == Kind.CONTROL:
            self._hear_control(packet.payload, packet.sequence)
        elif packet.kind == Kind.REPLY:
            self._hear(list(frames.read_messages(packet.payload)), packet.sequence)
        else:
            self._context.garbled(data)

    def _hear_control(self, payload: bytes, sequence: int) -> None:
        if payload == frames.RESET_DONE and self._reset is not None:
            if not self._reset.done():
                self._reset.set_result(None)
        elif payload == frames.BAD_SEQUENCE:
            self._fail(sequence, BadSequence("sequence number refused", retryable=True))
        elif payload == frames.BAD_MESSAGE:
            self._fail(sequence, Rejected("message refused"))

    def _hear(self, messages: list[Message], sequence: int | None) -> None:
        for message in messages:
            if isinstance(message, Junk):
                self._context.garbled(message.data)
                continue
            self._context.heard(frames.in_words(message))
            pending = self._match(message, sequence)
            if pending is not None:
                self._settle(pending, message)

    def _match(self, message: Message, sequence: int | None) -> Taken | None:
        """Whom this reply is for."""
        self._forget()
        fits = [one for one in self._pending if sequence is None or one.sequence == sequence]
        waiting = [one for one in fits if not one.answer.done()]
        named = [one for one in fits if message_socket(message) and one.socket == message_socket(message)]
        numbered = [one for one in fits if sequence is not None and one.inquiry is None][-1:]
        if isinstance(message, Info):
            return self._informed([one for one in fits if one.inquiry and one.inquiry.answer == len(message.data)])
        if isinstance(message, Ack):
            return self._acknowledged(fits)
        if isinstance(message, Error):
            fits = named or waiting or numbered
        else:
            taken = [one for one in fits if one.socket is not None]
            commands = [one for one in waiting if one.inquiry is None] or numbered
            fits = named or (commands if message_socket(message) or numbered else taken)
        return fits[0] if fits else None

    def _informed(self, fits: list[Taken]) -> Taken | None:
        """Whose answer this is: who waits first."""
        if fits and all(one.left_at is not None for one in fits):
            self._late(fits[0])
        return next((one for one in fits if one.left_at is None), None)

    def _acknowledged(self, fits: list[Taken]) -> Taken | None:
        """Whose acknowledgement this is: they come in order, so a late one is for whoever no longer waits."""
        taken = [one for one in fits if one.inquiry is None and one.socket is None]
        first = taken[0] if taken else None
        if first is None or first.left_at is None:
            return first
        self._late(first)
        again = [one for one in taken if one.left_at is None and one.request == first.request]
        return again[0] if again else None

    def _forget(self) -> None:
        """A camera that did not acknowledge in time that long never will."""
        now = asyncio.get_running_loop().time()
        self._pending = [one for one in self._pending if one.left_at is None or now - one.left_at < FORGET]

    def _settle(self, pending: Taken, message: Message) -> None:
        if isinstance(message, Ack):
            pending.socket = message.socket
            pending.succeed(ended=False)
            return
        self._pending.remove(pending)
        if isinstance(message, Info):
            pending.succeed(message.data)
        elif isinstance(message, Error):
            pending.fail(_refusal(message.fault))
        else:
            pending.succeed()
            self._completes = True
            if pending.on_done is not None and isinstance(message, Done):
                pending.on_done()

    def _fail(self, sequence: int, error: DeviceError) -> None:
        """Fail the exchange of `sequence`; a camera that names another one means the last. What was sent again is known there."""
        named = [one for one in self._pending if one.sequence == sequence]
        if isinstance(error, BadSequence) and sequence in self._repeated and not named:
            return
        for pending in named or self._pending[-1:]:
            if not isinstance(error, BadSequence) or pending.known is None:
                self._pending.remove(pending)
                pending.fail(error)
            elif not pending.known.done():
                pending.known.set_result(None)

    def _lost(self, error: Lost) -> None:
        refused = self._stream is not None and not self._heard
        for pending in self._pending:
            pending.fail(Refused("closed without a word: does another program control it?") if refused else error)
        self._pending.clear()
        if self._reset is not None and not self._reset.done():
            self._reset.set_exception(error)


def message_socket(message: Message) -> int:
    """The command socket a reply names, 0 for none."""
    return message.socket if isinstance(message, Ack | Done | Error) else 0


def _refusal(fault: int) -> DeviceError:
    if fault == Fault.BUFFER_FULL:
        return BufferFull("both command sockets are busy", retryable=True)
    if fault in (Fault.SYNTAX, Fault.LENGTH):
        return NotSupported("the camera does not know this command")
    if fault == Fault.NOT_EXECUTABLE:
        return Rejected("the camera cannot do this now (is it in standby?)", retryable=True)
    return Rejected(f"error {fault:#04x}", retryable=fault == Fault.CANCELLED)
