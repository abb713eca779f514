"""The verdict about a room, drawn from facts by rules that are data. Pure: facts and `now` in, `Verdict` out.

A fact has a lifetime: a signal past its ttl is *unknown*, never ok. A silent agent makes the room unknown and hides what
its devices last said. Conditions open and close with a short hysteresis (`Watch`), so that a single lost answer does not
flicker, and an unplugged camera still shows within seconds. Times are Unix seconds of the server's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from signaling.rooms import notices
from wire.devices import Connection, Device, Role
from wire.health import Health, Signal, Status, Verdict
from wire.link import Phase
from wire.problems import Argument, Notice

AGENT: Final = "agent"  # subject of signals about the room's computer itself
MAX_BECAUSE: Final = 5
_WORST: Final = (Health.READY, Health.DEGRADED, Health.UNKNOWN, Health.UNUSABLE, Health.MAINTENANCE)


class RoleRule(NamedTuple):
    """What it means that the device of a role does not answer; `substitute` is the role that can stand in for it.

    `warns` is what its own complaint means. Of what meetings do not need, `Health.READY`: said, without alarm.
    """

    silent: str
    next_step: str
    health: Health
    substitute: Role | None = None
    replaced: str = ""
    warns: Health = Health.DEGRADED


_SENSOR: Final = RoleRule(notices.ASIDE_SILENT, notices.CHECK_SENSOR, Health.READY, warns=Health.READY)
ROLES: Final[Mapping[Role, RoleRule]] = MappingProxyType(
    {
        Role.MAIN_CAMERA: RoleRule(notices.CAMERA_SILENT, notices.CHECK_CAMERA, Health.UNUSABLE),
        Role.FRONT_DISPLAY: RoleRule(
            notices.DISPLAY_SILENT,
            notices.CHECK_DISPLAY,
            Health.UNUSABLE,
            Role.SECOND_DISPLAY,
            notices.DISPLAY_REPLACED,
        ),
        Role.ROOM_MIC: RoleRule(notices.MIC_SILENT, notices.CHECK_AUDIO, Health.UNUSABLE),
        Role.ROOM_SPEAKER: RoleRule(notices.SPEAKER_SILENT, notices.CHECK_AUDIO, Health.UNUSABLE),
        Role.SECOND_DISPLAY: RoleRule(notices.SECOND_DISPLAY_SILENT, notices.CHECK_DISPLAY, Health.DEGRADED),
        Role.CONTENT_INPUT: RoleRule(notices.CONTENT_SILENT, notices.CHECK_CONTENT, Health.DEGRADED),
        Role.OCCUPANCY_SENSOR: _SENSOR,
        Role.AIR_SENSOR: _SENSOR,
        Role.UPS: RoleRule(notices.ASIDE_SILENT, notices.CHECK_DEVICE, Health.READY),
        Role.NETWORK_SWITCH: RoleRule(notices.ASIDE_SILENT, notices.CHECK_DEVICE, Health.READY),
    }
)


COMPLAINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"device.{code}": f"device.{code}.next"
        for code in (
            *("unplugged", "refused", "password", "certificate", "garbage", "unknown_name", "no_picture"),
            *("misconfigured", "driver_crashed", "driver_blocked", "not_announced", "offline", "stale"),
            *("not_followed", "lamp", "fan", "temperature", "cover", "filter", "battery"),
            *("on_battery", "battery_low", "replace_battery", "supply_off", "overload", "bypass", "alarm"),
            *("no_input", "no_such_name", "no_such_port", "unread"),
        )
    }
)  # what a device or its driver says of it (devices/notices.py), and the step that it calls for
BESIDE: Final = RoleRule(notices.DEVICE_STALE, notices.CHECK_DEVICE, Health.DEGRADED)  # a meeting goes on without it


class SignalRule(NamedTuple):
    """What a signal of the room's computer means where it is not ok.

    `stale` is the room's health when the signal is missing; `while_in`: it counts in this phase only.
    """

    because: str
    next_step: str
    levels: tuple[Status, ...] = (Status.WARN, Status.BAD)
    stale: Health = Health.UNKNOWN
    while_in: Phase | None = None
    place: str = ""  # where the sentence has a place for the signal's number


OTHER: Final = SignalRule(notices.SIGNAL_BAD, notices.CHECK_COMPUTER)
SIGNALS: Final[Mapping[str, SignalRule]] = MappingProxyType(
    {
        "clock_drift": SignalRule(
            notices.CLOCK_WRONG, notices.CHECK_CLOCK, (Status.BAD,), Health.DEGRADED, place="seconds"
        ),
        "disk_free": SignalRule(notices.DISK_FULL, notices.FREE_DISK, (Status.BAD,), Health.DEGRADED),
        "media_joined": SignalRule(
            notices.MEDIA_LOST, notices.CHECK_NETWORK, (Status.BAD,), Health.DEGRADED, Phase.IN_MEETING
        ),
    }
)
REPORTED: Final = frozenset({"device_connection", "device_fault"})  # the device's own report is as true and newer


class Condition(StrEnum):
    """What may be wrong with one subject."""

    SILENT = "silent"
    CONNECTING = "connecting"
    STALE = "stale"
    WARNS = "warns"


class Hysteresis(NamedTuple):
    """Seconds a condition must hold before it is shown, and be gone before it is not."""

    opens: float
    closes: float


WATCHES: Final[Mapping[Condition, Hysteresis]] = MappingProxyType(
    {
        Condition.SILENT: Hysteresis(1.0, 2.0),
        Condition.CONNECTING: Hysteresis(3.0, 0.0),
        Condition.STALE: Hysteresis(0.0, 0.0),
        Condition.WARNS: Hysteresis(2.0, 2.0),
    }
)


@dataclass
class Watch:
    """One condition of one subject over time. The first observation counts at once."""

    rule: Hysteresis
    open: bool
    since: float
    _turning: float | None = None

    def observe(self, raw: bool, now: float) -> bool:
        """Whether the condition is shown, now that it was seen to be `raw`."""
        if raw == self.open:
            self._turning = None
            return self.open
        if self._turning is None:
            self._turning = now
        if now - self._turning >= (self.rule.opens if raw else self.rule.closes):
            self.open, self.since, self._turning = raw, self._turning, None
        return self.open


@dataclass(frozen=True)
class Heard:
    """A signal, with its times on the server's clock."""

    signal: Signal
    observed_at: float
    expires_at: float


@dataclass(frozen=True)
class Facts:
    """What is known of a room. `seen`: last word of its agent; `signals`: all that it last sent, old ones included."""

    online: bool = False
    reported: bool = False
    seen: float | None = None
    phase: Phase = Phase.IDLE
    devices: Mapping[str, Device] = field(default_factory=dict)
    signals: Iterable[Heard] = ()
    maintenance: bool = False
    who: str = ""


class Finding(NamedTuple):
    """One reason for a verdict."""

    health: Health
    because: Notice
    next_step: str


class HealthWatch:
    """The verdict of one room over time."""

    def __init__(self) -> None:
        self._watches: dict[tuple[Condition, str], Watch] = {}
        self._health: Health | None = None
        self._since = 0.0

    def judge(self, facts: Facts, now: float) -> Verdict:
        """The verdict now."""
        findings = self._findings(facts, now)
        findings.sort(key=lambda finding: -_WORST.index(finding.health))
        health = findings[0].health if findings else Health.READY
        if health is not self._health:
            self._health, self._since = health, now
        return Verdict(
            health=health,
            because=[finding.because for finding in findings[:MAX_BECAUSE]],
            next_step=Notice(findings[0].next_step) if findings and findings[0].next_step else None,
            who=facts.who if findings else "",
            since=self._since,
            observed_at=_oldest(facts, now),
        )

    def _findings(self, facts: Facts, now: float) -> list[Finding]:
        found: list[Finding] = []
        if facts.maintenance:
            found.append(Finding(Health.MAINTENANCE, Notice(notices.MAINTENANCE), ""))
        if not facts.online or not facts.reported:
            self._watches.clear()
            return [*found, _absent(facts)]
        signals = list(facts.signals)
        devices = facts.devices.values()
        healthy = {device.role for device in devices if not self._silent(device, signals, now)}
        for device in devices:
            found += self._device(device, signals, healthy, now)
        found += self._agent(facts, signals, now)
        return found

    def _silent(self, device: Device, signals: list[Heard], now: float) -> bool:
        watch = self._watches.get((Condition.SILENT, device.id))
        bad = any(heard.signal.status is Status.BAD for heard in _telling(device, signals) if heard.expires_at > now)
        raw = bad or device.connection is Connection.UNREACHABLE
        if device.connection is Connection.CONNECTING and watch is not None and watch.open:
            raw = True  # trying again is no answer
        return self._see(Condition.SILENT, device.id, raw, now) is not None

    def _device(self, device: Device, signals: list[Heard], healthy: set[Role], now: float) -> list[Finding]:
        rule = ROLES.get(device.role, BESIDE)
        mine = [heard for heard in signals if heard.signal.subject == device.id]
        silent = self._watches[Condition.SILENT, device.id]
        connecting = device.connection is Connection.CONNECTING
        waiting = self._see(Condition.CONNECTING, device.id, connecting, now)
        stale = self._see(Condition.STALE, device.id, any(heard.expires_at <= now for heard in mine), now)
        warning = device.fault is not None or any(
            heard.signal.status in (Status.WARN, Status.UNKNOWN) for heard in _telling(device, signals)
        )
        warns = self._see(Condition.WARNS, device.id, warning and not connecting, now)
        if silent.open:
            return [_silence(device, rule, healthy, silent.since)]
        required = Health.UNKNOWN if rule.health is Health.UNUSABLE else rule.health
        if waiting is not None and rule.health is not Health.READY:
            return [Finding(required, Notice(notices.DEVICE_CONNECTING, {"device": device.name}), notices.WAIT)]
        if stale is not None:
            because = Notice(notices.DEVICE_STALE, {"device": device.name, "since": stale})
            return [Finding(required, because, rule.next_step)]
        if warns is not None:
            because = device.fault or Notice(notices.DEVICE_WARNS, {"device": device.name, "since": warns})
            return [Finding(rule.warns, because, COMPLAINTS.get(because.code, notices.CHECK_DEVICE))]
        return []

    def _agent(self, facts: Facts, signals: list[Heard], now: float) -> list[Finding]:
        found = []
        for heard in signals:
            signal = heard.signal
            if signal.subject in facts.devices or signal.code in REPORTED:
                continue
            rule = SIGNALS.get(signal.code, OTHER)
            counts = rule.while_in in (None, facts.phase)
            stale = self._see(Condition.STALE, f"{AGENT}.{signal.code}", counts and _unknown(heard, now), now)
            wrong = counts and signal.status in rule.levels
            warns = self._see(Condition.WARNS, f"{AGENT}.{signal.code}", wrong, now)
            if stale is not None:
                notice = Notice(notices.SIGNAL_STALE, {"since": stale})
                found.append(Finding(rule.stale, notice, notices.CHECK_COMPUTER))
            elif warns is not None:
                notice = Notice(rule.because, {"since": warns, **_number(signal, rule.place)})
                found.append(Finding(Health.DEGRADED, notice, rule.next_step))
        return found

    def _see(self, condition: Condition, subject: str, raw: bool, now: float) -> float | None:
        """Since when the condition is shown, None where it is not."""
        watch = self._watches.setdefault((condition, subject), Watch(WATCHES[condition], raw, now))
        return watch.since if watch.observe(raw, now) else None


def _telling(device: Device, signals: list[Heard]) -> list[Heard]:
    """Signals about a device that say more than its own report does."""
    return [heard for heard in signals if heard.signal.subject == device.id and heard.signal.code not in REPORTED]


def _number(signal: Signal, place: str) -> dict[str, Argument]:
    """A signal's number, rounded, for the sentence's place."""
    value = signal.value
    return {place: round(abs(value))} if place and isinstance(value, int | float) else {}


def _absent(facts: Facts) -> Finding:
    if facts.online:
        return Finding(Health.UNKNOWN, Notice(notices.AGENT_STARTING), notices.WAIT)
    if facts.seen is None:
        return Finding(Health.UNKNOWN, Notice(notices.AGENT_EXPECTED), notices.CHECK_COMPUTER)
    return Finding(Health.UNKNOWN, Notice(notices.AGENT_SILENT, {"since": facts.seen}), notices.CHECK_COMPUTER)


def _silence(device: Device, rule: RoleRule, healthy: set[Role], since: float) -> Finding:
    """A password to correct is no cable to check: where the cause is known, it and its own next step are told."""
    args: dict[str, Argument] = {"device": device.name, "since": device.last_seen or since}
    cause = device.fault if device.fault is not None and device.fault.code in COMPLAINTS else None
    step = rule.next_step if cause is None else COMPLAINTS[cause.code]
    if rule.substitute in healthy:
        return Finding(Health.DEGRADED, Notice(rule.replaced, args), step)
    if cause is not None and rule.health is not Health.READY:
        return Finding(rule.health, cause, step)
    return Finding(rule.health, Notice(rule.silent, args), step)


def _unknown(heard: Heard, now: float) -> bool:
    return heard.expires_at <= now or heard.signal.status is Status.UNKNOWN


def _oldest(facts: Facts, now: float) -> float | None:
    """When the oldest fact that is still believed was observed."""
    if facts.seen is None or not facts.online:
        return facts.seen
    return min([facts.seen, *(heard.observed_at for heard in facts.signals if heard.expires_at > now)])
