"""Follow rules: what the room does by itself when a device says something. Data in the room's file, pure here.

    [[follow]]
    when = { role = "front_display", property = "power", value = "off", for = 5 }
    then = { scene = "standby" }

A rule acts once each time its condition has held for `for` seconds without a break, in one of its phases, by the word of
a device that answers and said so since it was last away: one that is silent fulfils nothing. Its notice stands as long
as the condition does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from wire.devices import Connection, Device, DeviceCommand, Role, Value
from wire.link import Phase
from wire.problems import Notice

MOST = 50  # rules of a room


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """What a device must report: exactly one of `value`, `above` and `below`."""

    role: Role
    property: Annotated[str, Meta(min_length=1, max_length=64)]
    value: str | float | bool | None = None
    above: float | None = None
    below: float | None = None
    seconds: Annotated[float, Meta(ge=0, le=86400)] = msgspec.field(default=0.0, name="for")
    phases: tuple[Phase, ...] = (Phase.IDLE,)

    def met(self, value: Value) -> bool:
        """Whether a reported value fulfils it; none never does."""
        if value is None:
            return False
        if self.value is not None:
            return isinstance(value, bool) is isinstance(self.value, bool) and value == self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value > self.above if self.above is not None else value < (self.below or 0.0)


class Action(Struct, frozen=True, forbid_unknown_fields=True):
    """What follows: exactly one of a scene, a notice on the device (a code of `devices/notices.py`), a command."""

    scene: Literal["idle", "standby"] | None = None
    notice: str | None = None
    command: DeviceCommand | None = None


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. What is wrong with it: `roomctl/rules.py`."""

    when: Condition
    then: Action


@dataclass
class _Watched:
    rule: Rule
    since: float | None = None  # the condition holds since then
    acted: bool = False


class Follower:
    """The rules of a room over time. `now` is in seconds of any clock that never goes back."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [_Watched(rule) for rule in rules]

    def observe(self, devices: Mapping[str, Device], phase: Phase, now: float) -> list[Action]:
        """What follows now."""
        due = []
        for one in self._rules:
            if not _holds(one.rule.when, devices, phase):
                one.since, one.acted = None, False
                continue
            if one.since is None:
                one.since = now
            if not one.acted and now - one.since >= one.rule.when.seconds:
                one.acted = True
                due.append(one.rule.then)
        return due

    def pause(self, now: float) -> float | None:
        """Seconds until something follows although nothing changes; None when nothing would."""
        waits = [
            max(0.0, one.since + one.rule.when.seconds - now)
            for one in self._rules
            if one.since is not None and not one.acted
        ]
        return min(waits, default=None)

    def marked(self, devices: Mapping[str, Device]) -> dict[str, Device]:
        """The devices, with the notices of the rules on those that say nothing worse themselves."""
        codes = {one.rule.when.role: one.rule.then.notice for one in self._rules if one.acted and one.rule.then.notice}
        return {
            id: msgspec.structs.replace(device, fault=Notice(codes[device.role], {"device": device.name}))
            if device.role in codes and device.fault is None
            else device
            for id, device in devices.items()
        }


def _holds(condition: Condition, devices: Mapping[str, Device], phase: Phase) -> bool:
    if phase not in condition.phases:
        return False
    for device in devices.values():
        if device.role is condition.role and device.connection is Connection.ONLINE:
            known = device.properties.get(condition.property)
            return known is not None and condition.met(known.reported)
    return False
