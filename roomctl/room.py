"""The state of a room: pure. Time (`now`, Unix seconds) and what happened go in; what to do comes out as `Effect`s.

        idle ──start──▸ calling ──prepare, someone answers──▸ preparing ──ready──▸ in_meeting
          │ ▴                │ cancel, refused                     ▴                  │ leave, release
          │ └────────────────┴───────────── releasing ◂────────────┼──────────────────┘
          └──ring──▸ ringing ──answer──────────────────────────────┘

Consent is local: the microphone and camera open because someone in this room started or answered the meeting, or
because this room is set to answer by itself. A `prepare` without either is obeyed with both closed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

from roomctl.effects import AnswerCall, CloseMedia, Effect, OpenMedia, RunScene
from roomctl.scenes import Scene
from wire.health import Health
from wire.link import MediaAccess, Phase, Prepare, Ring
from wire.meetings import RoomCall
from wire.problems import Code, Refusal
from wire.views import IncomingCall, RoomView

log = logging.getLogger(__name__)

MEDIA_PATIENCE = 10.0  # seconds in `preparing` before the meeting is shown although media has not joined
RING_GRACE = 3.0  # seconds past `Ring.until` before the room stops ringing by itself
RELEASE_LIMIT = 20.0  # seconds after which `releasing` ends whatever the devices do


class Event(StrEnum):
    """What moves a room from one phase to another."""

    START = "start"
    RING = "ring"
    STOP = "stop"  # the call is over before it began: declined, refused, unanswered
    ANSWER = "answer"
    PREPARE = "prepare"
    ANSWERED = "answered"  # another room or person is there
    READY = "ready"
    RELEASE = "release"
    RELEASED = "released"
    MAINTAIN = "maintain"
    RESUME = "resume"


TRANSITIONS: dict[tuple[Phase, Event], Phase] = {
    (Phase.IDLE, Event.START): Phase.CALLING,
    (Phase.IDLE, Event.RING): Phase.RINGING,
    (Phase.IDLE, Event.PREPARE): Phase.PREPARING,
    (Phase.IDLE, Event.MAINTAIN): Phase.MAINTENANCE,
    (Phase.MAINTENANCE, Event.RESUME): Phase.IDLE,
    (Phase.CALLING, Event.STOP): Phase.RELEASING,
    (Phase.CALLING, Event.RELEASE): Phase.RELEASING,
    (Phase.CALLING, Event.ANSWERED): Phase.PREPARING,
    (Phase.RINGING, Event.STOP): Phase.RELEASING,
    (Phase.RINGING, Event.RELEASE): Phase.RELEASING,
    (Phase.RINGING, Event.ANSWER): Phase.PREPARING,
    (Phase.RINGING, Event.PREPARE): Phase.PREPARING,
    (Phase.PREPARING, Event.READY): Phase.IN_MEETING,
    (Phase.PREPARING, Event.STOP): Phase.RELEASING,
    (Phase.PREPARING, Event.RELEASE): Phase.RELEASING,
    (Phase.IN_MEETING, Event.RELEASE): Phase.RELEASING,
    (Phase.RELEASING, Event.RELEASED): Phase.IDLE,
}


@dataclass(frozen=True)
class Switches:
    """What the people in the room want open. Only they open them."""

    mic: bool = False
    camera: bool = False


OPEN = Switches(mic=True, camera=True)
CLOSED = Switches()


@dataclass(frozen=True)
class Remembered:
    """What survives a restart of the agent: the meeting it was in and what was open."""

    meeting: str
    switches: Switches


@dataclass
class Preparation:
    """How far joining has come since `since` (Unix seconds)."""

    since: float
    scene: bool = False
    media: bool = False


class Room:
    """One room. Methods are its inputs; each returns what to do. Raises Refusal where an input cannot be accepted."""

    def __init__(
        self,
        room_id: str,
        now: float,
        *,
        auto_answer: bool = False,
        answer_after: float = 5.0,
        standby_after: float = 600.0,
        remembered: Remembered | None = None,
    ) -> None:
        self.id = room_id
        self.phase = Phase.IDLE
        self.since = now
        self.scene = Scene.STANDBY if remembered is None else Scene.IDLE  # a lamp in use is not put out by a restart
        self.ring: Ring | None = None
        self.answers_at: float | None = None
        self.meeting: str | None = None
        self.last_calls: dict[str, RoomCall] = {}  # where the rooms of the last meeting stood
        self.access: MediaAccess | None = None
        self.switches = CLOSED
        self._auto_answer = auto_answer
        self._answer_after = answer_after
        self._standby_after = standby_after
        self._remembered = remembered
        self._prepared: Preparation | None = None

    # --- from the panel -------------------------------------------------------------------------------------------

    def start(self, now: float) -> list[Effect]:
        """Someone here calls other rooms; the server is asked next."""
        self._require_free()
        self.last_calls = {}
        return self._go(Event.START, now)

    def start_refused(self, now: float) -> list[Effect]:
        """The server refused the call, or it was cancelled before the server knew."""
        return self._stop(now) if self.phase is Phase.CALLING else []

    def started(self, meeting: str) -> None:
        """The server accepted the call as `meeting`."""
        if self.phase is Phase.CALLING and self.meeting is None:
            self.meeting = meeting

    def answer(self, now: float) -> list[Effect]:
        """Someone here takes the call (or the room does by itself)."""
        if self.ring is None or self.phase is not Phase.RINGING:
            raise Refusal(Code.MEETING_UNKNOWN, "nobody calls this room", room=self.id)
        self.meeting = self.ring.meeting
        return self._go(Event.ANSWER, now)

    def answer_refused(self, now: float) -> list[Effect]:
        """The server would not let the room in (the call ended meanwhile)."""
        return self._stop(now) if self.phase is Phase.PREPARING and self.access is None else []

    def decline(self, now: float) -> list[Effect]:
        """Someone here declines the call."""
        if self.phase is not Phase.RINGING:
            raise Refusal(Code.MEETING_UNKNOWN, "nobody calls this room", room=self.id)
        return self._stop(now)

    def leave(self, now: float) -> list[Effect]:
        """Someone here leaves (or cancels the call). Works without the server."""
        if self.phase not in (Phase.CALLING, Phase.PREPARING, Phase.IN_MEETING):
            raise Refusal(Code.MEETING_UNKNOWN, "this room is in no meeting", room=self.id)
        return self._release(now)

    def switch(self, *, mic: bool | None = None, camera: bool | None = None) -> None:
        """Someone here opens or closes the microphone or the camera."""
        old = self.switches
        self.switches = Switches(old.mic if mic is None else mic, old.camera if camera is None else camera)

    def follow(self, scene: Scene, now: float) -> list[Effect]:
        """A rule of the room, by a device's word, sets up a room that nobody uses; that counts as use when it wakes."""
        if self.phase is not Phase.IDLE or scene is self.scene:
            return []
        self.since = now
        return self._set_scene(scene)

    # --- from the server ------------------------------------------------------------------------------------------

    def rang(self, ring: Ring, now: float) -> list[Effect]:
        """A meeting calls this room. Ringing again for the same one only renews its end."""
        if self.phase is Phase.RINGING and self.ring is not None and self.ring.meeting == ring.meeting:
            self.ring = ring
            return []
        self._require_free()
        self.ring = ring
        self.answers_at = now + self._answer_after if self._auto_answer else None
        self._enter(Event.RING, now)
        return self._set_scene(Scene.IDLE)

    def stop_ring(self, meeting: str, now: float) -> list[Effect]:
        """The call to this room is over."""
        if self.phase is Phase.RINGING and self.ring is not None and self.ring.meeting == meeting:
            return self._stop(now)
        return []

    def prepare(self, order: Prepare, now: float) -> list[Effect]:
        """Go into the meeting. Again for the same meeting: new media access, nothing else changes."""
        if self.meeting == order.meeting and self.access is not None:
            self.access = order.media
            return [OpenMedia(order.meeting, order.media)]
        if self.phase not in (Phase.IDLE, Phase.CALLING, Phase.RINGING, Phase.PREPARING):
            raise Refusal(Code.ROOM_BUSY, f"the room is {self.phase}", room=self.id)
        if self.meeting not in (None, order.meeting):
            raise Refusal(Code.ROOM_BUSY, "the room is joining another meeting", room=self.id)
        self._adopt(order)
        self._prepared = replace(self._prepared, since=now) if self._prepared else Preparation(now)
        if self.phase in (Phase.IDLE, Phase.RINGING):
            self._enter(Event.PREPARE, now)
        return [*self._set_scene(Scene.CALL), OpenMedia(order.meeting, order.media)]

    def release(self, meeting: str, now: float, calls: dict[str, RoomCall] | None = None) -> list[Effect]:
        """The server takes the room out of the meeting, whose rooms stood so; another meeting's release is ignored."""
        if meeting != self.engaged:
            return []
        self.last_calls = calls or {}
        return self._release(now) if (self.phase, Event.RELEASE) in TRANSITIONS else []

    def observe(self, view: RoomView, now: float) -> list[Effect]:
        """What the server knows of this room: who answered, who shares, whether it is in maintenance."""
        effects: list[Effect] = []
        maintenance = view.verdict is not None and view.verdict.health is Health.MAINTENANCE
        if maintenance and self.phase is Phase.IDLE:
            self._enter(Event.MAINTAIN, now)
        elif not maintenance and self.phase is Phase.MAINTENANCE:
            self._enter(Event.RESUME, now)
        meeting = view.meeting
        if meeting is None or meeting.id != self.meeting:
            return effects
        others = any(
            room.id != self.id and room.call in (RoomCall.PREPARING, RoomCall.JOINED) for room in meeting.rooms.values()
        ) or any(not _is_session_of(name, self.id) for name in meeting.participants)
        if others and self.phase is Phase.CALLING and self.access is not None:
            self._enter(Event.ANSWERED, now)
        if self.phase in (Phase.PREPARING, Phase.IN_MEETING) and self.access is not None:
            shares = any(person.screen for person in meeting.participants.values())
            effects += self._set_scene(Scene.PRESENT if shares else Scene.CALL)
        return effects + self._settle(now)

    # --- from the shell -------------------------------------------------------------------------------------------

    def scene_done(self, scene: Scene, now: float) -> list[Effect]:
        """Every device of `scene` has answered or run out of time."""
        if scene is not self.scene:
            return []
        if self.phase is Phase.RELEASING and scene is Scene.IDLE:
            self._enter(Event.RELEASED, now)
        if self._prepared is not None and scene in (Scene.CALL, Scene.PRESENT):
            self._prepared.scene = True
        return self._settle(now)

    def media_connected(self, connected: bool, now: float) -> list[Effect]:
        """The room's media session is up (or lost: the phase stays)."""
        if self._prepared is not None and connected:
            self._prepared.media = True
        return self._settle(now)

    def renewed(self, access: MediaAccess) -> list[Effect]:
        """Fresh media access for the meeting the room is in."""
        if self.meeting is None or self.access is None:
            return []
        self.access = access
        return [OpenMedia(self.meeting, access)]

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; call at `deadline()`."""
        if self.phase is Phase.RINGING and self.ring is not None:
            if now >= self.ring.until + RING_GRACE:
                return self._stop(now)
            if self.answers_at is not None and now >= self.answers_at:
                meeting = self.ring.meeting
                return [*self.answer(now), AnswerCall(meeting)]
        if self.phase is Phase.RELEASING and now >= self.since + RELEASE_LIMIT:
            self._enter(Event.RELEASED, now)
        if self.phase is Phase.IDLE and self.scene is Scene.IDLE and now >= self.since + self._standby_after:
            return self._set_scene(Scene.STANDBY)
        return self._settle(now)

    def deadline(self) -> float | None:
        """When `tick` has something to do (Unix seconds), None if only an event can."""
        if self.phase is Phase.RINGING and self.ring is not None:
            end = self.ring.until + RING_GRACE
            return end if self.answers_at is None else min(end, self.answers_at)
        if self.phase is Phase.RELEASING:
            return self.since + RELEASE_LIMIT
        if self.phase is Phase.IDLE and self.scene is Scene.IDLE:
            return self.since + self._standby_after
        if self.phase is Phase.PREPARING and self._prepared is not None:
            return self._prepared.since + MEDIA_PATIENCE
        return None

    @property
    def incoming(self) -> IncomingCall | None:
        """The call that rings now."""
        if self.phase is not Phase.RINGING or self.ring is None:
            return None
        ring = self.ring
        return IncomingCall(ring.meeting, ring.title, ring.caller, ring.until, self.answers_at)

    @property
    def engaged(self) -> str | None:
        """The meeting it is in, joins, or is called by."""
        return self.ring.meeting if self.phase is Phase.RINGING and self.ring is not None else self.meeting

    @property
    def remembered(self) -> Remembered | None:
        """What to write down so that a restarted agent returns to the meeting as it left it."""
        return Remembered(self.meeting, self.switches) if self.meeting is not None and self.access else None

    # --- inside ---------------------------------------------------------------------------------------------------

    def _enter(self, event: Event, now: float) -> None:
        """The one place where the phase changes."""
        target = TRANSITIONS[self.phase, event]
        log.info("room %s: %s -> %s (%s)", self.id, self.phase, target, event)
        self.phase, self.since = target, now
        if target is not Phase.RINGING:
            self.answers_at = None
        if target in (Phase.IDLE, Phase.RELEASING):
            self.ring = self.meeting = self.access = self._prepared = None
            self.switches = CLOSED

    def _go(self, event: Event, now: float) -> list[Effect]:
        """Someone here wants the meeting: all may open, the devices get ready."""
        self.switches = OPEN
        self._prepared = Preparation(now)
        self._enter(event, now)
        return self._set_scene(Scene.CALL)

    def _require_free(self) -> None:
        if self.phase is Phase.MAINTENANCE:
            raise Refusal(Code.ROOM_MAINTENANCE, "the room is in maintenance", room=self.id)
        if self.phase is not Phase.IDLE:
            raise Refusal(Code.ROOM_BUSY, f"the room is {self.phase}", room=self.id)

    def _adopt(self, order: Prepare) -> None:
        """Take the meeting as ours; a remembered one returns as it was left."""
        self.meeting, self.access, self.ring = order.meeting, order.media, None
        if self._remembered is not None and self._remembered.meeting == order.meeting:
            self.switches = self._remembered.switches
        elif self.phase in (Phase.IDLE, Phase.RINGING):
            self.switches = OPEN if self._auto_answer else CLOSED
        self._remembered = None

    def _set_scene(self, scene: Scene) -> list[Effect]:
        if scene is self.scene:
            return []
        log.info("room %s: scene %s -> %s", self.id, self.scene, scene)
        self.scene = scene
        return [RunScene(scene)]

    def _settle(self, now: float) -> list[Effect]:
        """Preparing ends when devices and media are there, or media had its time."""
        ready = self._prepared
        if self.phase is Phase.PREPARING and ready is not None and self.access is not None:
            if (ready.scene and ready.media) or now >= ready.since + MEDIA_PATIENCE:
                self._enter(Event.READY, now)
        elif self.phase is Phase.PREPARING and ready is not None and now >= ready.since + MEDIA_PATIENCE:
            return self._stop(now)  # answered, and the server never let us in
        return []

    def _stop(self, now: float) -> list[Effect]:
        self._enter(Event.STOP, now)
        return self._closing()

    def _release(self, now: float) -> list[Effect]:
        self._enter(Event.RELEASE, now)
        return self._closing()

    def _closing(self) -> list[Effect]:
        self.scene = Scene.IDLE
        return [CloseMedia(), RunScene(Scene.IDLE)]


def _is_session_of(identity: str, room_id: str) -> bool:
    """Whether a participant id is this room or one of its sessions."""
    return identity == f"room:{room_id}" or identity.startswith(f"room:{room_id}/")
