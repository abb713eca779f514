"""Commands on their way to one room's agent: kept until done or past their deadline, sent again on every new link.

The agent runs an idempotency key once and repeats its result, so sending again is always safe. A later command about the
same meeting takes the place of those that it makes pointless (`SUPERSEDES`).
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from wire.link import Command, Result

Op = Literal["ring", "stop_ring", "prepare", "release"]
SUPERSEDES: Final[Mapping[Op, tuple[str, ...]]] = {
    "ring": ("ring", "stop_ring", "release"),
    "stop_ring": ("ring",),
    "prepare": ("ring", "stop_ring", "prepare", "release"),
    "release": ("ring", "prepare"),
}
MAX_PENDING: Final = 32


class Courier:
    """Pending commands of one room, oldest first."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._pending: dict[str, Command] = {}
        self._numbers = itertools.count(1)
        self._run = secrets.token_hex(4)  # keys of one server process never meet those of the next

    def post(self, op: Op, args: msgspec.Struct, *, deadline: float, actor: str) -> Command:
        """A new command, pending from now on; the caller offers it to the link, if there is one."""
        document: dict[str, Any] = msgspec.to_builtins(args)
        meeting = document["meeting"]
        for id, old in list(self._pending.items()):
            if old.op in SUPERSEDES[op] and old.args["meeting"] == meeting:
                del self._pending[id]
        while len(self._pending) >= MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        id = f"{self._run}-{next(self._numbers)}"
        command = Command(id, f"{self._room}/{meeting}/{op}/{id}", op, document, deadline, actor)
        self._pending[id] = command
        return command

    def settle(self, result: Result) -> Command | None:
        """Take a result: the command when it is over (done or failed), None while it is only accepted or unknown."""
        if result.outcome == "accepted":
            return None
        return self._pending.pop(result.id, None)

    def drop(self, meeting: str, *ops: str) -> None:
        """Forget what the room shows to have done, or what is to be said anew."""
        for id, command in list(self._pending.items()):
            if command.op in ops and command.args["meeting"] == meeting:
                del self._pending[id]

    def pending(self, now: float) -> list[Command]:
        """What is to be sent on a new link; what ran out of time is dropped."""
        self.expire(now)
        return list(self._pending.values())

    def expire(self, now: float) -> list[Command]:
        """Drop what ran out of time, and say what."""
        late = [command for command in self._pending.values() if command.deadline <= now]
        for command in late:
            del self._pending[command.id]
        return late

    def waits(self, op: Op, meeting: str) -> bool:
        """Whether such a command for a meeting is still pending."""
        return any(command.op == op and command.args["meeting"] == meeting for command in self._pending.values())
