"""The server's commands: what each one does in the room, and what is answered."""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

from roomctl.effects import Effect
from roomctl.room import Room
from roomctl.view import Known
from wire.devices import DeviceResult
from wire.link import Command, MeetingRef, Prepare, Release, Ring
from wire.problems import Code, Problem, Refusal


class Ordered(Protocol):
    """The agent as commands see it."""

    room: Room
    known: Known

    def feed(self, effects: list[Effect]) -> None:
        """Carry out what the room asks for."""

    async def scene_settled(self) -> None:
        """Wait until the scene now being set up is done or replaced."""


Outcome = tuple[Problem | None, list[DeviceResult]]


async def carry_out(agent: Ordered, command: Command) -> Outcome:
    """Do a command; why it failed (None: done), and per-device results where devices were involved."""
    try:
        agent.feed(_effects(agent.room, command, time.time()))
    except Refusal as refusal:
        return refusal.problem, []
    except msgspec.ValidationError as error:
        return Problem(Code.BAD_REQUEST, f"{command.op}: {error}"), []
    if command.op not in ("prepare", "release"):
        return None, []
    await agent.scene_settled()
    return None, agent.known.results


def _effects(room: Room, command: Command, now: float) -> list[Effect]:
    match command.op:
        case "ring":
            return room.rang(msgspec.convert(command.args, Ring), now)
        case "stop_ring":
            return room.stop_ring(msgspec.convert(command.args, MeetingRef).meeting, now)
        case "prepare":
            return room.prepare(msgspec.convert(command.args, Prepare), now)
        case "release":
            release = msgspec.convert(command.args, Release)
            return room.release(release.meeting, now, release.calls)
