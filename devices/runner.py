"""Runs one device: dials, serves its queue, polls, keeps the move lease, and dials again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from devices.apart import Apart, Body
from devices.backoff import Backoff, Breaker
from devices.capabilities import OPERATIONS, Arguments, Operation, Reply, Velocity
from devices.context import Context
from devices.driver import Driver
from devices.errors import DeviceError, Lost, NotNow, WrongPassword
from devices.lease import MoveLease
from devices.overtaking import Overtaking
from devices.queue import CommandQueue, Outcome, Task, settle
from devices.request import DeviceRequest
from devices.results import result_of
from devices.sharing import Share, Shared
from devices.state import DeviceState
from devices.timing import Timing
from devices.wishes import Wishes
from wire.devices import Connection, DeviceCommand, DeviceResult
from wire.problems import Code, Notice

if TYPE_CHECKING:
    from devices.rtsp.feed import VideoFeed

log = logging.getLogger(__name__)

STOP = OPERATIONS["stop"]
MOVE = OPERATIONS["move"]


class DeviceRunner:
    """The one owner of a device: its driver, queue, state and connection."""

    def __init__(
        self,
        driver: Driver[Any],
        timing: Timing,
        shared: Shared,
        dice: random.Random,
        on_change: Callable[[], None],
        *,
        on_request: Callable[[DeviceRequest], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config, self.tells_inputs = driver.config, driver.tells_inputs
        facts = driver.facts or driver.said()
        self.state = DeviceState(driver.config, facts.capabilities, facts.presets, on_change, clock)
        self.state.inputs = facts.inputs
        self._on_request = on_request
        self._driver = driver
        name = f"driver {driver.manifest.id} of device {driver.config.id}"
        self._body: Body = Apart(driver, name) if driver.apart else driver
        self._timing = timing
        self._shared = shared
        self._queue = CommandQueue()
        self._wishes = Wishes(self.state)
        self._backoff = Backoff(timing, dice)
        self._lease = MoveLease(timing.lease, self._ask_stop)
        self._watched = False
        self._redial = asyncio.Event()
        self._share = Share(shared, self._redial.set)
        self._scope: asyncio.Timeout | None = None  # of what is asked of the device now:
        self._under_way: Task | None = None  # this, or a poll
        self._overtaking = Overtaking(self._answered_late)
        self._news = False  # came since the last whole poll began
        self._polled_at = 0.0  # loop time of the last whole poll
        self._whole_at = self._alive_at = 0.0  # loop time of the next whole poll, and of the next proof of life

    @property
    def video(self) -> VideoFeed | None:
        """Its pictures, where its driver has some and shares our loop."""
        return None if self._driver.apart else getattr(self._driver, "video", None)

    # --- asked by the room --------------------------------------------------------------------------------------

    def watch(self, active: bool) -> None:
        """Poll faster and dial sooner while somebody looks."""
        begins, self._watched = active and not self._watched, active
        if begins:
            self._whole_at = 0.0
            self._redial.set()
            self._queue.wake()

    async def execute(self, command: DeviceCommand) -> DeviceResult:
        """Run one command; always answers within the command deadline."""
        operation = OPERATIONS.get(command.op)
        if operation is None or operation.capability not in self.state.capabilities:
            return self._result(command.op, "unsupported", Code.DEVICE_UNSUPPORTED)
        try:
            args = msgspec.convert(command.args, operation.arguments)
        except msgspec.ValidationError as error:
            return self._result(command.op, "failed", Code.BAD_REQUEST, detail=str(error))
        if isinstance(args, Velocity) and args.still:
            operation, args = STOP, Arguments()
        if isinstance(args, Velocity) and self.state.axes and (missing := args.axes - set(self.state.axes)):
            detail = f"it does not move: {', '.join(sorted(missing))}"
            return self._result(command.op, "unsupported", Code.DEVICE_UNSUPPORTED, detail=detail)
        task = self._task(operation, args)
        return result_of(self.config.id, command.op, await self._ask(task))

    async def _ask(self, task: Task) -> Outcome:
        self._wishes.made(task)
        if self.state.connection is Connection.UNREACHABLE:
            self._wishes.late(task)
            return Outcome(error=Lost("not reachable"))
        if task.operation is MOVE:
            self._lease.renew()
        now = self._under_way
        if task.operation is STOP and now and now.operation is STOP and now.renewals == self._lease.renewals:
            joined = await self._outcome(now)  # it stops whatever moves; who asked late has time for another
            if not isinstance(joined.error, TimeoutError):
                return joined
        self._enqueue(task)
        return await self._outcome(task)

    async def _outcome(self, task: Task) -> Outcome:
        for latest in (task.expires, task.deadline):
            with suppress(TimeoutError):
                async with asyncio.timeout_at(latest):
                    return await asyncio.shield(task.answer)
            if not task.begun:
                break
        self._wishes.late(task)
        return Outcome(error=TimeoutError())

    def _task(self, operation: Operation, args: Arguments) -> Task:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timing.command
        expires = loop.time() + self._timing.lease if operation is MOVE else deadline
        waited = operation is not MOVE or self._driver.manifest.overtakes
        return Task(operation, args, expires, loop.create_future(), deadline if waited else expires)

    def _enqueue(self, task: Task) -> None:
        self._queue.put(task)
        if task.operation is STOP:
            self._overtaking.stop_asked()
        if self._scope is not None and not self._scope.expired() and self._gives_way(task):
            self._scope.reschedule(asyncio.get_running_loop().time())

    def _gives_way(self, task: Task) -> bool:
        """What is under way ends for this: a poll for everything, a command for a likely stop, a motion for nothing."""
        now = self._under_way
        return now is None or (task.operation is STOP and now.operation.lane != STOP.lane and not self._lease.rare)

    def _ask_stop(self) -> None:
        self._enqueue(self._task(STOP, Arguments()))

    def _result(self, op: str, outcome: Any, code: Code, detail: str = "") -> DeviceResult:
        return DeviceResult(self.config.id, op, outcome, code, detail=detail)

    # --- the connection -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        attend = asyncio.create_task(self._attend(), name=f"attend {self.config.id}")
        try:
            while True:
                begun = loop.time()
                try:
                    error = await self._connection()
                except Exception as raised:  # whatever it is, it is this device's alone
                    error = raised
                self._connection_ended(error, loop.time() - begun)
                await self._until_redial()
        finally:
            await _end(attend)
            self._share.end()
            self._lease.end()
            self._queue.clear(Lost("shutting down"))

    async def _attend(self) -> None:
        try:
            await self._body.attend(self._shared, self._nudge)
        except Exception as error:  # polling goes on without
            log.warning("device %s cannot be listened to: %s", self.config.id, error)

    def _nudge(self) -> None:
        """Somebody says that the device has news: ask it now, but not without end."""
        self._news = True
        self._whole_at = min(self._whole_at, self._polled_at + self._timing.news)
        self._redial.set()
        self._queue.wake()

    def _connection_ended(self, error: BaseException, lasted: float) -> None:
        if isinstance(error, DeviceError):
            notice = error.notice
        else:
            said = "driver %s of device %s crashed"
            self.state.journal.say(logging.ERROR, said, self.config.driver, self.config.id, exc_info=error)
            notice = Notice("device.driver_crashed")
        held = lasted if self._backoff.breaker is Breaker.CLOSED else 0.0
        self._backoff.failed(held, locked=isinstance(error, WrongPassword))
        if not 0 < held < self._timing.stable:  # one that comes and goes waits its own time
            self._share.lost()
        self._lease.pause()
        self._wishes.lost()
        self.state.unreachable(notice)
        self._queue.clear(error if isinstance(error, DeviceError) else Lost("driver crashed"))

    async def _until_redial(self) -> None:
        """Few wake-ups: hundreds of devices may be away at once."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        due = self._backoff.due(begun, watched=self._watched)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._redial.wait()
        pause = self._timing.news if self._news else self._timing.nudge
        soonest = due if self._backoff.locked else min(due, begun + pause)  # however many news there are
        if (early := soonest - loop.time()) > 0:
            await asyncio.sleep(early)
        self._redial.clear()
        self._backoff.move(Breaker.TRYING)

    async def _connection(self) -> BaseException:
        """One connection from dialling to its end; returns why it ended. A moving camera is stopped before we go."""
        spacing = self._driver.manifest.spacing
        context = Context(
            self.state, self._timing, self._share, spacing, self._connected, self._on_request, lambda: self._watched
        )
        hold = asyncio.create_task(self._body.run(context), name=f"hold {self.config.id}")
        serve: asyncio.Task[None] | None = None
        silence: BaseException | None = None
        try:
            hold.add_done_callback(lambda _: context.ready.set())
            silence = None if await context.in_time() else context.silence()
            if silence is None and not hold.done():
                serve = asyncio.create_task(self._serve(context), name=f"serve {self.config.id}")
                await asyncio.wait({hold, serve}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            try:
                await _end(serve)
                renewals = self._lease.renewals
                if self._lease.moving and not hold.done():
                    await self._last_stop()
                await self._overtaking.end(0.0 if hold.done() else self._timing.patience)
                if renewals != self._lease.renewals and not hold.done():  # a move may have begun behind that stop
                    await self._last_stop()
            finally:
                await _end(hold)
        return _why(hold) or _why(serve) or silence or Lost("the driver let go")

    async def _last_stop(self) -> None:
        renewals = self._lease.renewals
        try:
            async with asyncio.timeout(self._timing.last_stop):
                await self._body.execute(STOP, Arguments())
            self._lease.stopped(renewals)
        except Exception as error:
            told = error if not isinstance(error, TimeoutError | DeviceError) else None
            said = "device %s may still move: it did not confirm the last stop"
            self.state.journal.say(logging.WARNING, said, self.config.id, exc_info=told)

    def _connected(self) -> None:
        if self._backoff.breaker is Breaker.TRYING:
            self._backoff.move(Breaker.CLOSED)
        self._share.back()
        self._lease.resume()  # at once: a move that is asked for next is not the one to stop
        self._whole_at = 0.0
        self._queue.wake()

    # --- the queue and the polls --------------------------------------------------------------------------------

    async def _serve(self, context: Context) -> None:
        loop = asyncio.get_running_loop()
        if self._backoff.breaker is Breaker.TRYING:  # what holds the way to the device is there, the device is not
            self._backoff.move(Breaker.CLOSED)
        while True:
            task = await self._queue.get(min(self._whole_at, self._alive_at))
            if task is not None and task.operation is MOVE and self._driver.manifest.overtakes:
                await self._move(task)
            elif task is not None:
                await self._perform(task)
            elif loop.time() >= min(self._whole_at, self._alive_at):
                await self._poll(context, whole=loop.time() >= self._whole_at)

    async def _move(self, task: Task) -> None:
        if not await self._overtaking.wait(self._perform(task), task.expires):
            self._scope = self._under_way = None  # it goes on beside what comes now

    def _answered_late(self, error: BaseException | None) -> None:
        self._lease.late()
        if error is not None:  # is the device still there
            self._alive_at = 0.0
            self._queue.wake()

    async def _perform(self, task: Task) -> None:
        loop, task.renewals = asyncio.get_running_loop(), self._lease.renewals
        if task.answer.done() or task.expires <= loop.time():  # too late, and answered so: it never runs
            self._finished(task, Outcome(error=TimeoutError()))
            return
        outcome = Outcome(error=Lost("connection ended"))
        try:
            async with asyncio.timeout_at(task.deadline) as scope:
                self._scope, self._under_way, task.begun = scope, task, True
                if task.heads:
                    self._lease.settled()
                reply = await self._body.execute(task.operation, task.args)
            outcome = Outcome(accepted=reply is Reply.ACCEPTED)
        except TimeoutError as error:
            outcome = Outcome(error=error)
            self._alive_at = 0.0
            if scope.expired() and loop.time() < task.deadline:
                self._whole_at = 0.0  # it gave way: is it to be asked again
        except NotNow as error:
            outcome = self._later(task, error)
        except DeviceError as error:
            outcome = Outcome(error=error)
            if not error.about_command:
                raise
        finally:
            if self._under_way is task:
                self._scope = self._under_way = None
            self._finished(task, outcome)

    def _later(self, task: Task, error: NotNow) -> Outcome:
        if not task.operation.persistent or task.operation.changes is None:
            return Outcome(error=error)
        self._wishes.refused(task, retryable=True)
        return Outcome(accepted=True)

    def _finished(self, task: Task, outcome: Outcome) -> None:
        operation, error, renewals = task.operation, outcome.error, task.renewals
        if operation is STOP and (error is None or self.state.reported("power") == "off"):
            self._lease.stopped(renewals)  # what is in standby stands still, and refuses to be told
        elif operation is STOP and not isinstance(error, Lost):
            self._lease.refused(renewals)
        unanswered = task.begun and isinstance(error, Lost | TimeoutError)
        if operation is MOVE and unanswered:
            self._lease.unanswered(self._timing.patience)
        elif task.begun and task.heads and error is not None:
            self._lease.unsettled(self._timing.patience)
        if operation.capability == "ptz":
            self.state.assume("moving", self._lease.moving)
        if operation.changes and error is None and operation.changes not in self.state.open_wishes:
            self._whole_at = 0.0
        elif isinstance(error, TimeoutError) or (isinstance(error, DeviceError) and error.about_command):
            self._wishes.refused(task, retryable=getattr(error, "retryable", True))
        settle(task, outcome)

    async def _poll(self, context: Context, *, whole: bool) -> None:
        """Ask the device; a command that comes meanwhile interrupts it."""
        loop = asyncio.get_running_loop()
        self._news = self._news and not whole
        try:
            async with asyncio.timeout(self._timing.poll) as self._scope:
                await self._body.poll(whole=whole)
        except TimeoutError:
            if self._queue.waiting:
                return
            raise context.silence() from None
        except DeviceError as error:
            if not error.about_command:
                raise
        finally:
            self._scope = None
        self._alive_at = loop.time() + self._timing.keepalive
        if whole:
            self._settle()
            self._polled_at = loop.time()
            self._whole_at = loop.time() + (self._timing.news if self._news else self._pause())

    def _pause(self) -> float:
        if self.state.changing:
            return self._timing.changing
        return self._timing.watched if self._watched else self._timing.idle

    def _settle(self) -> None:
        """After a whole poll: apply again what the device lost or could not take yet."""
        self.state.settled = self.state.connection is Connection.ONLINE
        if not self._queue.waiting:
            self.state.doubt(asyncio.get_running_loop().time(), self._timing.follow)
        for operation, args in self._wishes.unmet() if self.state.settled else []:
            task = self._task(operation, args)
            self._wishes.applied(task)
            self._enqueue(task)


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})
    _why(task)  # nobody may ask for it any more


def _why(task: asyncio.Task[None] | None) -> BaseException | None:
    return None if task is None or task.cancelled() else task.exception()
