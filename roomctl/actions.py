"""What people press on the room's panel: each action's effect in the room, its request to the server, its answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from roomctl import switches
from roomctl.scenes import volume_command
from roomctl.view import qr_svg
from wire.devices import DeviceResult
from wire.link import AddRooms, Help, MeetingRef, Phase, Remove
from wire.meetings import Invitation, StartMeeting
from wire.problems import Code, Refusal
from wire.views import ActionResult, PanelAction

if TYPE_CHECKING:
    from roomctl.agent import RoomAgent

log = logging.getLogger(__name__)

MAX_ROOMS = 50  # in one call
MAX_TEXT = 500  # characters of a request for help


async def act(agent: RoomAgent, action: PanelAction) -> ActionResult:
    """Do one action of the panel. Never raises for what people press: the answer carries the problem."""
    try:
        return ActionResult(action.id, devices=await _perform(agent, action))
    except Refusal as refusal:
        return ActionResult(action.id, problem=refusal.problem)


async def _perform(agent: RoomAgent, action: PanelAction) -> list[DeviceResult]:
    match action.op:
        case "set_mic" | "set_camera":
            return await _switch(agent, action)
        case "set_volume":
            return await _set_volume(agent, action.volume)
        case "device":
            if action.command is None:
                raise Refusal(Code.BAD_REQUEST, "which command?")
            return [await agent.equipment.execute(action.command)]
        case "start":
            await _start(agent, action.rooms)
        case "answer":
            await _answer(agent)
        case "cancel" | "decline" | "leave":
            await _go(agent, action.op)
        case "resync":
            agent.refresh()
        case _:
            await _ask(agent, action)
    return []


async def _start(agent: RoomAgent, rooms: list[str]) -> None:
    """Call other rooms: all or none; the server decides."""
    if not rooms or len(rooms) > MAX_ROOMS:
        raise Refusal(Code.NO_ROOMS if not rooms else Code.TOO_MANY, "choose the rooms to call")
    agent.link.require_open()
    agent.feed(agent.room.start(time.time()))
    try:
        reply = await agent.link.request("start_meeting", StartMeeting(rooms))
    except Refusal:
        agent.feed(agent.room.start_refused(time.time()))
        raise
    meeting = str(reply.get("id") or reply.get("meeting") or "")
    if agent.room.phase in (Phase.CALLING, Phase.PREPARING, Phase.IN_MEETING):
        agent.room.started(meeting)
    elif meeting:  # cancelled before the server knew
        await agent.link.request("end", MeetingRef(meeting))


async def _answer(agent: RoomAgent) -> None:
    agent.link.require_open()
    agent.feed(agent.room.answer(time.time()))
    try:
        await agent.link.request("answer", MeetingRef(_meeting(agent)))
    except Refusal:
        agent.feed(agent.room.answer_refused(time.time()))
        raise


async def _go(agent: RoomAgent, op: str) -> None:
    """Cancel, decline or leave: done here at once, and told to the server if it can be reached."""
    room, now = agent.room, time.time()
    meeting = room.engaged
    calling = room.phase is Phase.CALLING
    agent.feed(room.decline(now) if op == "decline" else room.leave(now))
    if meeting is None:
        return
    try:
        await agent.link.request("decline" if op == "decline" else "end" if calling else "leave", MeetingRef(meeting))
    except Refusal as refusal:
        log.info("room %s: %s was not taken by the server: %s", room.id, op, refusal)


async def _ask(agent: RoomAgent, action: PanelAction) -> None:
    """What only the server can do."""
    link = agent.link
    match action.op:
        case "end":
            await link.request("end", MeetingRef(_meeting(agent)))
        case "add_rooms":
            if not action.rooms or len(action.rooms) > MAX_ROOMS:
                raise Refusal(Code.NO_ROOMS if not action.rooms else Code.TOO_MANY, "choose the rooms to add")
            await link.request("add_rooms", AddRooms(_meeting(agent), action.rooms))
        case "remove":
            await link.request("remove", Remove(_meeting(agent), action.participant or ""))
        case "invite":
            await _invite(agent)
        case "revoke_invitations":
            await link.request("revoke_invitations", MeetingRef(_meeting(agent)))
            agent.known.invitation = agent.known.invitation_qr = None
            agent.changed()
        case "help":
            await link.request("help", Help(action.text[:MAX_TEXT]))


async def _invite(agent: RoomAgent) -> None:
    meeting = _meeting(agent)
    reply = await agent.link.request("invite", MeetingRef(meeting))
    try:
        invitation = msgspec.convert(reply, Invitation)
    except msgspec.ValidationError as error:
        raise Refusal(Code.INTERNAL, f"the server's invitation cannot be read: {error}") from error
    if agent.room.meeting == meeting:
        agent.known.invitation, agent.known.invitation_qr = invitation, qr_svg(invitation.url)
        agent.changed()


async def _switch(agent: RoomAgent, action: PanelAction) -> list[DeviceResult]:
    """Open or close the microphone or the camera: the device and what is sent, at once."""
    if action.on is None:
        raise Refusal(Code.BAD_REQUEST, "on or off?")
    if action.op == "set_mic":
        return await switches.turn(agent, mic=action.on)
    return await switches.turn(agent, camera=action.on)


async def _set_volume(agent: RoomAgent, volume: float | None) -> list[DeviceResult]:
    if volume is None or not 0 <= volume <= 1:
        raise Refusal(Code.BAD_REQUEST, "volume is between 0 and 1")
    agent.known.volume_wanted = volume
    agent.changed()
    return await switches.command(agent, volume_command(volume))


def _meeting(agent: RoomAgent) -> str:
    """The meeting the room is in."""
    if agent.room.meeting is None:
        raise Refusal(Code.MEETING_UNKNOWN, "this room is in no meeting", room=agent.room.id)
    return agent.room.meeting
