"""Which command each wish of a device came from: what becomes of an older one says nothing of a newer wish."""

from __future__ import annotations

from devices.capabilities import OPERATIONS, Arguments, Operation
from devices.queue import Task
from devices.state import DeviceState


class Wishes:
    """What is desired of one device, by the commands that ask for it. A command no longer of a wish changes nothing."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._from: dict[str, Task] = {}  # property to the last command for it

    def made(self, task: Task) -> None:
        """Somebody asked for it."""
        operation = task.operation
        if operation.changes:
            self._state.desire(operation.changes, operation.wanted(task.args))
            self._from[operation.changes] = task
        if operation.clears:
            self._state.desire(operation.clears, None)
            self._from.pop(operation.clears, None)

    def applied(self, task: Task) -> None:
        """A wish that stands already is asked of the device once more."""
        if task.operation.changes:
            self._from[task.operation.changes] = task

    def late(self, task: Task) -> None:
        """Not met in time: forgotten, unless it lasts."""
        if (name := self._of(task)) and not task.operation.persistent:
            self._state.desire(name, None)

    def refused(self, task: Task, *, retryable: bool) -> None:
        """The device said no: a lasting wish that may be met later stays open, every other is forgotten."""
        if not (name := self._of(task)):
            return
        if task.operation.persistent and retryable:
            self._state.reopen(name)
        else:
            self._state.desire(name, None)

    def lost(self) -> None:
        """The connection ended: what does not last is forgotten."""
        for operation in OPERATIONS.values():
            if operation.changes and not operation.persistent:
                self._state.desire(operation.changes, None)

    def unmet(self) -> list[tuple[Operation, Arguments]]:
        """What to ask the device for again, after a whole poll."""
        wishes = self._state.unmet
        return [
            (operation, operation.arguments_for(wish))
            for operation in OPERATIONS.values()
            if operation.persistent and (wish := wishes.get(operation.changes or "")) is not None
        ]

    def _of(self, task: Task) -> str:
        name = task.operation.changes
        return name if name is not None and self._from.get(name) is task else ""
