"""What the server knows of one room: its agent's link, last report, devices and signals, and the verdict from them."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from signaling.rooms.calling import Readiness, readiness
from signaling.rooms.verdict import Facts, HealthWatch, Heard
from wire.devices import Device
from wire.health import Health, Signal, Verdict
from wire.link import FromServer, Phase, Report
from wire.problems import Code, Problem, Refusal

MAX_DEVICES: Final = 64
MAX_SIGNALS: Final = 256
MAX_NAME: Final = 100  # characters of ids, codes and names
MAX_TTL: Final = 24 * 3600.0  # seconds
DRIFT_NOISE: Final = 2.0  # seconds of clock difference that the network explains


class AgentLink(Protocol):
    """A live link to a room's agent, as the rest of the server uses it."""

    room: str
    boot: str

    def offer(self, message: FromServer) -> bool:
        """Queue a message; False where the link is closing or the agent reads too slowly (then it is cut)."""

    def close(self, problem: Problem) -> None:
        """Tell the agent why, and close."""


class RoomPresence:
    """One room. Times are Unix seconds of the server."""

    def __init__(self, room: str, who: str) -> None:
        self.room = room
        self.link: AgentLink | None = None
        self.boot: str | None = None
        self.software = ""
        self.phase = Phase.OFFLINE
        self.meeting: str | None = None
        self.reported = False
        self.seen: float | None = None
        self.clock_error = 0.0
        self.maintenance = False
        self.help_asked_at: float | None = None
        self.help_text = ""
        self.devices: dict[str, Device] = {}
        self._signals: dict[tuple[str, str], Heard] = {}
        self._health = HealthWatch()
        self._who = who
        self.verdict = Verdict(Health.UNKNOWN)

    @property
    def online(self) -> bool:
        """Whether the agent's link is up."""
        return self.link is not None

    def connected(self, link: AgentLink, software: str, now: float) -> None:
        """A proven agent is on the link; nothing it said earlier counts until it reports."""
        self.link, self.software, self.seen = link, software, now
        self.reported = False
        self.phase, self.meeting = Phase.IDLE, None
        self.devices.clear()
        self._signals.clear()

    def gone(self, now: float) -> None:
        """The link is closed: what the devices last said stays visible, but proves nothing."""
        self.link, self.reported = None, False
        self.phase, self.meeting = Phase.OFFLINE, None
        self.seen = now if self.seen is None else self.seen

    def heard(self, now: float) -> None:
        """The agent said something."""
        self.seen = now

    def beat(self, at: float, now: float) -> None:
        """The agent's clock said `at` just now."""
        error = at - now
        self.clock_error = error if abs(error) > DRIFT_NOISE else 0.0

    def report(self, report: Report, now: float) -> None:
        """Take what changed. Raises Refusal (too_many, too_large, bad_request) and then takes nothing."""
        devices = {**self.devices, **report.devices}
        heard = {(signal.code, signal.subject): self._heard(signal, now) for signal in report.signals}
        signals = heard or self._signals
        if len(devices) > MAX_DEVICES or len(signals) > MAX_SIGNALS:
            raise Refusal(Code.TOO_MANY, f"a room has at most {MAX_DEVICES} devices and {MAX_SIGNALS} signals")
        for id, device in report.devices.items():
            _check_device(id, device)
        self.devices, self._signals = devices, signals
        if report.phase is not None:
            self.phase, self.meeting = report.phase, report.meeting
        self.reported = True

    def judge(self, now: float) -> Verdict:
        """Draw the verdict anew."""
        self.verdict = self._health.judge(
            Facts(
                online=self.online,
                reported=self.reported,
                seen=self.seen,
                phase=self.phase,
                devices=self.devices,
                signals=list(self._signals.values()),
                maintenance=self.maintenance,
                who=self._who,
            ),
            now,
        )
        return self.verdict

    def readiness(self, *, taken: bool, caller: bool = False) -> Readiness:
        """Whether the room can be called now; see `calling.readiness`."""
        return readiness(self.verdict, online=self.online, phase=self.phase, taken=taken, caller=caller)

    def _heard(self, signal: Signal, now: float) -> Heard:
        """Put a signal's times on our clock; what claims to come from the future was observed now."""
        if max(len(signal.code), len(signal.subject)) > MAX_NAME or len(str(signal.value)) > 1000:
            raise Refusal(Code.TOO_LARGE, "a signal's code, subject or value is too long")
        observed = min(signal.observed_at - self.clock_error, now)
        return Heard(signal, observed, observed + min(max(signal.ttl, 0.0), MAX_TTL))


def _check_device(id: str, device: Device) -> None:
    if id != device.id:
        raise Refusal(Code.BAD_REQUEST, "a device is filed under another id than its own")
    names = (device.id, device.name, device.driver, device.model, *device.properties, *device.presets.values())
    if any(len(name) > MAX_NAME for name in names) or len(msgspec.json.encode(device)) > 16 * 1024:
        raise Refusal(Code.TOO_LARGE, "a device's description is too long")
