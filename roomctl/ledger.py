"""Commands by idempotency key: each runs once and in time; asked again, its result is repeated."""

from __future__ import annotations

from collections import OrderedDict

from wire.devices import DeviceResult
from wire.link import Command, Result
from wire.problems import Code, Problem

KEPT = 256  # commands remembered


class Ledger:
    """What was asked of this agent process, whatever connection it came by."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Result] = OrderedDict()

    def admit(self, command: Command, server_now: float) -> tuple[Result, bool]:
        """What to answer now, and whether to run the command. `server_now`: Unix seconds by the server's clock."""
        known = self._entries.get(command.idempotency_key)
        if known is not None:
            return _with_id(known, command.id), False
        if server_now >= command.deadline:
            late = Problem(Code.COMMAND_EXPIRED, f"{command.op} arrived {server_now - command.deadline:.1f} s late")
            return Result(command.id, "failed", late), False
        accepted = Result(command.id, "accepted")
        self._entries[command.idempotency_key] = accepted
        while len(self._entries) > KEPT:
            self._entries.popitem(last=False)
        return accepted, True

    def finish(self, command: Command, problem: Problem | None, devices: list[DeviceResult]) -> Result:
        """Record what became of a command; the result to send."""
        result = Result(command.id, "done" if problem is None else "failed", problem, devices)
        if command.idempotency_key in self._entries:
            self._entries[command.idempotency_key] = result
        return result


def _with_id(result: Result, id: str) -> Result:
    return Result(id, result.outcome, result.problem, result.devices)
