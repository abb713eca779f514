"""The agent of one room: the pure state machine (`Room`) with its devices, link, media and pages around it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, TypeVar

import msgspec

from devices import DeviceHub, Shared, Timing
from devices.registry import Registry
from roomctl.backoff import Backoff
from roomctl.config import RoomConfig
from roomctl.dial import ControlLink
from roomctl.effects import AnswerCall, CloseMedia, Effect, OpenMedia, RunScene
from roomctl.follow import Follower
from roomctl.keys import AgentKey
from roomctl.ledger import Ledger
from roomctl.link import Changed, ClockSeen, Closed, Commanded, LinkEvent, Opened
from roomctl.media.endpoint import Endpoint
from roomctl.media.publisher import Publisher
from roomctl.memory import Kept, Memory
from roomctl.orders import carry_out
from roomctl.presses import requested
from roomctl.report import Reporter
from roomctl.room import Room
from roomctl.scenes import Equipment, Scene, call_commands, power_step, roles_of, second_step, together
from roomctl.signals import PERIOD, Vitals, disk_free, observe
from roomctl.switches import close_from_afar, command, muted_at_microphone
from roomctl.view import Known, display_view, media_state, muted_at_device, panel_view
from wire.devices import Device, Role
from wire.link import Command, MediaAccess, MeetingRef, Phase
from wire.live import Json
from wire.problems import Code, Problem, Refusal
from wire.topic import Topic
from wire.views import DirectoryView, RoomView

log = logging.getLogger(__name__)

SOFTWARE = "roomctl/0.1.0"
COALESCE = 0.1  # seconds within which changes of devices become one update
RENEW_AT = 0.6  # part of the media access's life after which fresh access is asked for
View = TypeVar("View", bound=msgspec.Struct)


class RoomAgent:
    """Everything one room does. What is not given is made from the configuration.

    `shared`: connections that the rooms of one process have in common (see `devices.DeviceHub`), as `registry`, the drivers.
    """

    def __init__(
        self,
        config: RoomConfig,
        *,
        equipment: Equipment | None = None,
        endpoint: Endpoint | None = None,
        shared: Shared | None = None,
        registry: Registry | None = None,
        random: Random | None = None,
    ) -> None:
        self.config = config
        self.equipment = equipment or DeviceHub(
            config.room.id,
            list(config.devices),
            self.devices_changed,
            timing=Timing.retrying(config.device_retry),
            registry=registry,
            shared=shared,
            on_request=partial(requested, self),
            tolerant=True,
        )
        camera = self.equipment.video(Role.MAIN_CAMERA) if config.media.source == "camera" else None
        muted = partial(close_from_afar, self)
        self.endpoint = endpoint or Publisher(config.room, config.center, self.changed, muted, camera=camera)
        self.ledger = Ledger()
        self._follower = Follower(config.follow)
        self._memory = Memory(Path(config.data), config.room.id)
        kept = self._memory.read()
        volume = config.media.volume if kept.volume is None else kept.volume
        self.known = Known(devices=self.equipment.snapshot(), volume_wanted=volume)
        self.room = Room(
            config.room.id,
            time.time(),
            auto_answer=config.answer.auto,
            answer_after=config.answer.after,
            standby_after=config.standby_after,
            remembered=kept.remembered,
        )
        self.link = ControlLink(
            config.room.id,
            config.server.url,
            AgentKey.read(Path(config.server.key_file)),
            software=SOFTWARE,
            backoff=Backoff(random or SystemRandom()),
            on_event=self._heard,
        )
        self.panel = Topic("panel", panel_view(config, self.room, self.known))
        self.display = Topic("display", display_view(config, self.room, self.known))
        self._reporter = Reporter()
        self._joined = False
        self._drift: float | None = None
        self._offset = 0.0
        self._signals_at = 0.0
        self._joined_told: bool | None = None  # whether the server last heard that we are in the media session
        self._renew_at: float | None = None
        self._raw_directory: Json | None = None
        self._scene_task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._kick = asyncio.Event()
        self._closing = asyncio.Event()

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be the room's agent until `close`, or until cancelled (then nothing is said: others see the link break)."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                running = [
                    tasks.create_task(work, name=f"{self.config.room.id} {name}")
                    for name, work in (
                        ("devices", self.equipment.run()),
                        ("link", self.link.run()),
                        ("media", self.endpoint.run()),
                        ("clock", self._clock()),
                    )
                ]
                self._start_scene(self.room.scene)
                await self._closing.wait()
                for task in (*running, self._scene_task):
                    if task is not None:
                        task.cancel()
            await self._remember()
        finally:
            self._tasks = None
            if self._flush is not None:
                self._flush.cancel()

    async def close(self) -> None:
        """Stop: media is left, connections are closed. The room's memory stays, so that a restart returns."""
        self.endpoint.close()
        self._closing.set()

    # --- inputs ---------------------------------------------------------------------------------------------------

    def feed(self, effects: list[Effect]) -> None:
        """Carry out what the room asks for, and tell everyone what changed."""
        for effect in effects:
            match effect:
                case RunScene(scene):
                    self._start_scene(scene)
                case OpenMedia(_, access):
                    self._open_media(access)
                case CloseMedia():
                    self._close_media()
                case AnswerCall(meeting):
                    self.spawn(self._answer(meeting))
        self.changed()

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` as one of the agent's tasks."""
        if self._tasks is None:
            work.close()
            return
        self._tasks.create_task(work)

    def changed(self, delay: float = 0.0) -> None:
        """Something people or the server see has changed; what changes within `delay` seconds is told at once."""
        self._kick.set()
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        if self._flush is not None and self._flush.when() <= due:
            return
        if self._flush is not None:
            self._flush.cancel()
        self._flush = loop.call_at(due, self._tell)

    def devices_changed(self) -> None:
        """The devices said something new."""
        self.changed(COALESCE)

    async def scene_settled(self) -> None:
        """Wait until the scene now being set up is done or replaced."""
        if self._scene_task is not None:
            await asyncio.wait([self._scene_task])

    def refresh(self) -> None:
        """Bring both documents up to date: before someone reads them."""
        known = self.known
        known.server, known.refusal = self.link.open, self.link.refusal
        known.devices = self._devices()
        if self._raw_directory is not None:
            known.directory, self._raw_directory = _read(self._raw_directory, DirectoryView, known.directory), None
        self.panel.update(panel_view(self.config, self.room, known))
        self.display.update(display_view(self.config, self.room, known))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Tell pages and server what changed."""
        self._flush = None
        self._notice_media()
        if (
            self.room.phase is Phase.IN_MEETING
            and self.room.switches.mic
            and muted_at_device(self.equipment.snapshot())
        ):
            muted_at_microphone(self)
        if self.panel.readers or self.display.readers:
            self.refresh()
        self.equipment.watch(self.room.phase is not Phase.IDLE or self.panel.readers > 0)
        if self.link.open:
            devices = self._devices()
            report = self._reporter.changes(self.room.phase, self.room.engaged, devices, [])
            if report is not None:
                self.link.report(report)

    def _notice_media(self) -> None:
        """Tell the room when its media session comes up or breaks, whoever speaks for it."""
        published = self.endpoint.published
        if published.problem != self.known.published.problem and _is_stale(published.problem):
            self._renew_at = 0.0
        self.known.published = published
        joined = media_state(self.config, self.room, self.known).connected
        if joined != self._joined:
            self._joined = joined
            self._input(lambda now: self.room.media_connected(joined, now))

    def _input(self, happened: Callable[[float], list[Effect]]) -> None:
        effects = happened(time.time())
        if effects:
            self.feed(effects)
        else:
            self.changed()

    def _heard(self, event: LinkEvent) -> None:
        """What the control link says."""
        match event:
            case Opened(_, offset):
                self._drift = self._offset = offset
                self._reporter.forget()
                self._signals_at = 0.0
                self.changed()
            case ClockSeen(offset):
                self._drift = self._offset = offset
            case Closed():
                self.changed()
            case Commanded(command):
                self._commanded(command)
            case Changed("directory", data):
                self._raw_directory = data
                self.changed(COALESCE)
            case Changed("room", data):
                self.known.room = _read(data, RoomView, self.known.room)
                self._input(lambda now: self.room.observe(self.known.room, now))

    def _commanded(self, command: Command) -> None:
        answer, fresh = self.ledger.admit(command, time.time() + self._offset)
        self.link.result(answer)
        if fresh:
            self.spawn(self._obey(command))

    async def _obey(self, command: Command) -> None:
        problem, devices = await carry_out(self, command)
        self.link.result(self.ledger.finish(command, problem, devices))

    async def _answer(self, meeting: str) -> None:
        try:
            await self.link.request("answer", MeetingRef(meeting))
        except Refusal as refusal:
            log.info("room %s: could not answer: %s", self.room.id, refusal)
            self._input(self.room.answer_refused)

    def _start_scene(self, scene: Scene) -> None:
        if self._scene_task is not None:
            self._scene_task.cancel()
        if self._tasks is not None:
            self._scene_task = self._tasks.create_task(self._run_scene(scene))

    async def _run_scene(self, scene: Scene) -> None:
        switches, roles = self.room.switches, roles_of(self.equipment.snapshot())
        results = await together(self.equipment, power_step(scene, roles, camera=switches.camera))
        rest = second_step(scene, roles, mic=self.room.switches.mic, volume=self.known.volume_wanted)
        rest += call_commands(self.equipment.snapshot(), scene)
        self.known.results = [*results, *await together(self.equipment, rest)]
        self._input(lambda now: self.room.scene_done(scene, now))

    def _open_media(self, access: MediaAccess) -> None:
        self._renew_at = time.time() + RENEW_AT * access.expires_in
        switches = self.room.switches
        if self.config.media.mode == "agent":
            self.endpoint.open(access, mic=switches.mic, camera=switches.camera)
        self._kick.set()

    def _close_media(self) -> None:
        self._renew_at = None
        self.known.invitation = self.known.invitation_qr = None
        self.endpoint.close()

    async def _clock(self) -> None:
        """Timers of the room, its signals, its memory, and fresh media access in time."""
        while True:
            self._kick.clear()
            now = time.time()
            self._input_if_due(now)
            self._follow()
            await self._remember()
            if now >= self._signals_at or self._in_media() is not self._joined_told:
                await self._send_signals(now)
            if self._renew_at is not None and now >= self._renew_at:
                self._renew_at = now + 15
                self.spawn(self._renew())
            ends = [self._signals_at, self.room.deadline(), self._renew_at]
            wait = min(end for end in ends if end is not None) - time.time()
            pause = self._follower.pause(time.monotonic())
            await _until(self._kick.wait, max(0.0, wait if pause is None else min(wait, pause)))

    def _follow(self) -> None:
        """What the room's rules do by the word of its devices."""
        for action in self._follower.observe(self.equipment.heard(), self.room.phase, time.monotonic()):
            if action.scene is not None:
                self.feed(self.room.follow(Scene(action.scene), time.time()))
            elif action.command is not None:
                self.spawn(command(self, action.command))
            self.changed()

    def _devices(self) -> dict[str, Device]:
        """The devices as pages and server see them."""
        return self._follower.marked(self.equipment.snapshot())

    async def _remember(self) -> None:
        if self._memory.note(Kept(self.room.remembered, self.known.volume_wanted)):
            await asyncio.to_thread(self._memory.write)

    def _input_if_due(self, now: float) -> None:
        deadline = self.room.deadline()
        if deadline is not None and now >= deadline:
            self.feed(self.room.tick(now))

    def _in_media(self) -> bool | None:
        """Whether the media session of the room's meeting is up; None outside meetings."""
        return self.endpoint.published.connected if self.room.phase is Phase.IN_MEETING else None

    async def _send_signals(self, now: float) -> None:
        self._signals_at = now + PERIOD
        published = self.endpoint.published
        self._joined_told = self._in_media()
        if not self.link.open:
            return
        vitals = Vitals(self._drift, await asyncio.to_thread(disk_free, Path(self.config.data)))
        devices = self._devices()
        signals = observe(vitals, devices, self.room.phase, published, now)
        report = self._reporter.changes(self.room.phase, self.room.engaged, devices, signals)
        if report is not None:
            self.link.report(report)

    async def _renew(self) -> None:
        meeting = self.room.meeting
        if meeting is None or self.room.access is None:
            return
        try:
            answer = await self.link.request("media", MeetingRef(meeting))
            access = msgspec.convert(answer, MediaAccess)
        except (Refusal, msgspec.ValidationError) as error:
            log.info("room %s: no fresh media access: %s", self.room.id, error)
            return
        if self.room.meeting == meeting:
            self.feed(self.room.renewed(access))


def _read(data: Json, kind: type[View], before: View) -> View:
    """A document as its struct; one this version cannot read leaves what was known."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        log.warning("cannot read a %s: %s", kind.__name__, error)
        return before


def _is_stale(problem: Problem | None) -> bool:
    """Whether fresh media access would help."""
    return problem is not None and problem.code in (Code.TOKEN_EXPIRED, Code.TOKEN_INVALID)


async def _until(event: Callable[[], Awaitable[Any]], seconds: float) -> None:
    """Wait for an event, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event()
    except TimeoutError:
        return
