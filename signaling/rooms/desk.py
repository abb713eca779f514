"""The server's side of what rooms' agents say: who is there, reports, requests, results (`signaling.rooms.link.Host`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from signaling.rooms.book import MeetingBook
from signaling.rooms.dispatch import RELEASE_SECONDS, Dispatch
from signaling.rooms.effects import RingRoom
from signaling.rooms.inputs import AgentBack, AgentLost, Input, Joined, Left, Return, Unable
from signaling.rooms.meeting import SERVER, MeetingState
from signaling.rooms.presence import AgentLink, RoomPresence
from wire.link import Hello, Phase, Release, Reply, Report, Request, Result
from wire.meetings import RoomCall
from wire.problems import Code, Problem, Refusal
from wire.topic import Topic

REPLACED_SECONDS: Final = 60.0  # how long an agent that was replaced cannot replace in turn
_INSIDE: Final = (Phase.CALLING, Phase.PREPARING, Phase.IN_MEETING)
_STANDING: Final = {
    Phase.CALLING: Return.PREPARING,
    Phase.PREPARING: Return.PREPARING,
    Phase.IN_MEETING: Return.IN_MEETING,
}
_MOOT: Final[Mapping[Return, tuple[str, ...]]] = {
    Return.RINGING: ("ring",),
    Return.PREPARING: ("ring",),
    Return.IN_MEETING: ("ring", "prepare"),
    Return.RESTARTED: ("ring", "prepare"),
}


class AgentDesk:
    """Hears agents. Each speaks for the room of its key only. `touch` is called when something people see changed."""

    def __init__(
        self,
        answer: Callable[[str, Request], Awaitable[Reply]],
        rooms: Mapping[str, RoomPresence],
        book: MeetingBook,
        dispatch: Dispatch,
        topics: Callable[[str], tuple[Topic, ...]],
        touch: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._answer = answer
        self._rooms = rooms
        self._book = book
        self._dispatch = dispatch
        self._touch = touch
        self._clock = clock
        self._replaced: dict[str, dict[str, float]] = {}  # room -> boot -> when it was replaced
        self.topics = topics
        self.lost: list[str] = []  # rooms whose link went; the service tells their meetings

    # --- links ----------------------------------------------------------------------------------------------------

    def connected(self, link: AgentLink, hello: Hello) -> None:
        """The newest proven agent speaks for the room; the one before it is told so (docs/decisions)."""
        presence = self._rooms.get(hello.room)
        if presence is None:
            raise Refusal(Code.ROOM_UNKNOWN, "this room is not in the directory", room=hello.room)
        now = self._clock()
        if presence.link is not None:
            self._replace(presence, hello.boot, now)
        presence.connected(link, hello.software, now)
        self._touch()

    def _replace(self, presence: RoomPresence, boot: str, now: float) -> None:
        old = presence.link
        assert old is not None
        replaced = self._replaced.setdefault(presence.room, {})
        for other, at in list(replaced.items()):
            if now - at >= REPLACED_SECONDS:
                del replaced[other]
        if boot in replaced:
            raise Refusal(Code.AGENT_PRESENT, "another agent speaks for this room", room=presence.room)
        if boot != old.boot and len(replaced) < 100:
            replaced[old.boot] = now
        old.close(Problem(Code.AGENT_REPLACED, "a newer agent of this room took over", room=presence.room))

    def gone(self, link: AgentLink) -> None:
        """A link ended; only the current one of its room counts."""
        presence = self._rooms[link.room]
        if presence.link is link:
            presence.gone(self._clock())
            self.lost.append(link.room)
            self._touch()

    def heard(self, link: AgentLink) -> None:
        """The agent said something."""
        if (presence := self._current(link)) is not None:
            presence.heard(self._clock())

    def beat(self, link: AgentLink, at: float) -> None:
        """The agent's clock says `at`."""
        if (presence := self._current(link)) is not None:
            presence.beat(at, self._clock())

    def _current(self, link: AgentLink) -> RoomPresence | None:
        presence = self._rooms[link.room]
        return presence if presence.link is link else None

    # --- messages -------------------------------------------------------------------------------------------------

    async def hear(self, link: AgentLink, message: Report | Request | Result) -> None:
        """One message, in order. An agent that was replaced meanwhile is not listened to."""
        presence = self._current(link)
        if presence is None:
            return
        match message:
            case Report():
                await self._report(presence, link, message)
            case Result():
                await self._result(presence, message)
            case Request():
                link.offer(await self._answer(presence.room, message))

    async def _report(self, presence: RoomPresence, link: AgentLink, report: Report) -> None:
        first, before, meeting = not presence.reported, presence.phase, presence.meeting
        presence.report(report, self._clock())
        self._touch()
        if first:
            known, presence.boot = presence.boot, link.boot
            await self._returned(presence, known)
            return
        state = self._book.of_room(presence.room)
        if state is None or presence.phase is before:
            return
        if presence.phase is Phase.IN_MEETING and presence.meeting == state.id:
            await self.step(state, Joined(presence.room))
        elif presence.phase is Phase.IDLE and before is not Phase.RINGING:
            self._ring_now(state, presence.room)
        if presence.phase not in (Phase.RELEASING, Phase.IDLE):
            return
        if before is Phase.RINGING:
            await self.step(state, AgentBack(presence.room, Return.OUT))
        elif before in _INSIDE and meeting == state.id:
            await self.step(state, Left(presence.room, fact=True))

    def _ring_now(self, state: MeetingState, room: str) -> None:
        """The room could not ring while it was calling or being released; now it can."""
        seat, waits = state.seats[room], self._dispatch.couriers[room].waits("ring", state.id)
        if seat.call is RoomCall.RINGING and seat.until is not None and not waits:
            self._dispatch.perform(state, (RingRoom(room, seat.until),), SERVER)

    async def _returned(self, presence: RoomPresence, known_boot: str | None) -> None:
        """The first report on a link: bring what the room does and what its meeting believes together."""
        room, courier = presence.room, self._dispatch.couriers[presence.room]
        waiting = courier.pending(self._clock())
        state = self._book.of_room(room)
        if presence.meeting is not None and (state is None or presence.meeting != state.id):
            self._let_go(room, presence.meeting)
        if state is not None:
            standing = _standing(presence, state, known_boot)
            courier.drop(state.id, *_MOOT.get(standing, ()))
            await self._take_back(room, state, standing)
        left = {command.id for command in courier.pending(self._clock())}
        for command in waiting:
            if command.id in left and presence.link is not None:
                presence.link.offer(command)

    async def _take_back(self, room: str, state: MeetingState, standing: Return) -> None:
        if standing is Return.OUT and self._dispatch.couriers[room].waits("ring", state.id):
            return  # it may never have heard the ring, which is sent again
        if state.seats[room].call in (RoomCall.PREPARING, RoomCall.JOINED):
            state = await self.step(state, AgentLost(room))
        await self.step(state, AgentBack(room, standing))

    def _let_go(self, room: str, meeting: str) -> None:
        """The room believes to be in a meeting that is over, or that it was taken out of."""
        now = self._clock()
        release = Release(meeting, "ended")
        self._dispatch.post(room, "release", release, deadline=now + RELEASE_SECONDS, actor=SERVER)

    async def _result(self, presence: RoomPresence, result: Result) -> None:
        command = self._dispatch.couriers[presence.room].settle(result)
        if command is None or result.outcome != "failed" or command.op not in ("ring", "prepare"):
            return
        state = self._book.of_room(presence.room)
        code = result.problem.code if result.problem else Code.INTERNAL
        if command.op == "ring" and code is Code.ROOM_BUSY:
            return  # it rings as soon as the room is free, if that is in time
        if state is not None and state.id == command.args["meeting"]:
            await self.step(state, Unable(presence.room, code))

    async def step(self, state: MeetingState, event: Input) -> MeetingState:
        """One input for a meeting; a meeting that ended meanwhile stays as it is."""
        try:
            return await self._book.step(state.id, event, self._clock())
        except Refusal as refusal:
            if refusal.problem.code is not Code.MEETING_OVER:
                raise
            return state
        finally:
            self._touch()


def _standing(presence: RoomPresence, state: MeetingState, known_boot: str | None) -> Return:
    """How the agent came back, judged by what it does and whether it is the process that we knew."""
    if presence.phase is Phase.RINGING and (presence.meeting == state.id or known_boot == presence.boot):
        return Return.RINGING
    if presence.meeting == state.id:
        return _STANDING.get(presence.phase, Return.OUT)
    if presence.meeting is None and presence.phase is Phase.CALLING:
        return Return.RESTARTED  # it asked, and the answer was lost with the link
    if known_boot is None:
        return Return.IDLE
    return Return.OUT if known_boot == presence.boot else Return.RESTARTED
