"""What is known of one device: desired, reported and assumed kept apart, and the wire's picture of it.

A wish lasts until the device was seen to fulfil it and something else then changed it: whoever stands at the device
wins. A wish that a device could not take yet, or lost in a reboot, is *open*: the runner applies it again. One that it
took and never showed is let be, and said (`device.not_followed`) until it is met or asked anew, the device was away, or
somebody changed it: that notice is the framework's, and what a driver says of its device, which may well be why, does not
end it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from devices.capabilities import OPERATIONS
from devices.config import DeviceConfig
from devices.journal import Journal
from wire.devices import Connection, Device, Property, Value
from wire.problems import Notice

log = logging.getLogger(__name__)

WORDS = 200  # characters of last words kept
TOLERANCE = 0.01  # two volumes closer than this are the same
RETRIES = 2  # of a wish that a device took and does not show: one that can only come near, or lies, is let be
NEAR = (
    0.1  # two parts of a whole (volumes) closer than this: the device came as near as its steps let it, and is no liar
)
LASTING = frozenset(one.changes for one in OPERATIONS.values() if one.persistent)  # wishes that are asked again
NOT_FOLLOWED = "device.not_followed"
CHANGING = {"on": "warming", "off": "cooling"}  # on the way to the wish, not against it


def printable(words: bytes | str) -> str:
    """`words` cut to what a page can show: text as it is, bytes as hexadecimal when they are not text."""
    if isinstance(words, str):
        text = words
    else:
        head = words[:WORDS]
        text = head.decode("ascii") if head.isascii() and head.strip().decode().isprintable() else head.hex(" ")
    return "".join(letter if letter.isprintable() else "·" for letter in text.strip())[:WORDS]


def same(one: Value, other: Value) -> bool:
    """Equal as far as a device can tell."""
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, int | float) and isinstance(other, int | float) and abs(one - other) < TOLERANCE
    return one == other


def near(one: Value, other: Value) -> bool:
    """Parts of a whole, as close as a device with coarse steps may come."""
    return isinstance(one, int | float) and isinstance(other, int | float) and abs(one - other) <= NEAR


@dataclass
class _Known:
    desired: Value = None
    reported: Value = None
    assumed: Value = None
    observed_at: float | None = None
    remaining: float | None = None
    total: float | None = None
    heard: bool = False  # reported since the device was last away
    fulfilled: bool = False  # the device was seen, or is believed, to have the desired value
    doubts: int = 0  # how often it was asked again for what it took and did not show
    doubted_at: float = 0.0  # when that began
    unfollowed: Value = None  # what it took, was asked for again, and never showed

    @property
    def believed(self) -> Value:
        return self.reported if self.assumed is None else self.assumed

    def property(self) -> Property:
        return Property(self.desired, self.reported, self.assumed, self.observed_at, self.remaining, self.total)


@dataclass
class DeviceState:
    """All that is known of a device; calls `on_change` when anything but an age changed."""

    config: DeviceConfig
    capabilities: list[str]
    presets: dict[str, str]
    on_change: Callable[[], None]
    clock: Callable[[], float] = time.time
    journal: Journal = field(default_factory=lambda: Journal(log))
    inputs: list[str] = field(default_factory=list)
    axes: list[str] = field(default_factory=list)  # none named: all
    connection: Connection = Connection.CONNECTING
    fault: Notice | None = None
    model: str = ""
    last_seen: float | None = None
    last_words: str = ""
    open_wishes: set[str] = field(default_factory=set)
    told_inputs: bool = False  # which it has
    settled: bool = False  # the first whole poll of this connection is over
    _known: dict[str, _Known] = field(default_factory=dict)

    def connected(self, model: str, capabilities: list[str] | None, axes: list[str] | None = None) -> None:
        """The device answers; every wish is open until the first whole poll shows otherwise."""
        self.journal.say(logging.INFO, "device %s is online", self.config.id)
        self.connection, self.fault, self.settled = Connection.ONLINE, None, False
        self.model = printable(model)[:100] or self.model
        if capabilities is not None:
            self.capabilities = capabilities
        self.axes = self.axes if axes is None else axes
        self.last_seen = self.clock()
        self.open_wishes = {name for name, known in self._known.items() if known.desired is not None}
        for known in self._known.values():
            known.fulfilled, known.doubts = False, 0  # what it was before it went proves nothing
        self.on_change()

    def offer(self, inputs: list[str]) -> None:
        """It has these inputs."""
        self.told_inputs = True
        if inputs != self.inputs:
            self.inputs = inputs
            self.on_change()

    def unreachable(self, notice: Notice) -> None:
        """We cannot talk with it; what it last reported stays, with its age."""
        notice = Notice(notice.code, {"device": self.config.name, **notice.args})
        for known in self._known.values():
            known.heard, known.unfollowed = False, None
        if (self.connection, self.fault) != (Connection.UNREACHABLE, notice):
            self.journal.say(logging.INFO, "device %s is unreachable: %s", self.config.id, notice.code)
            self.connection, self.fault = Connection.UNREACHABLE, notice
            for known in self._known.values():
                known.assumed = known.remaining = known.total = None
            self.on_change()

    def trouble(self, notice: Notice | None) -> None:
        """The device is there and complains; None: it does not."""
        if notice is not None:
            notice = Notice(notice.code, {"device": self.config.name, **notice.args})
        if self.connection is Connection.ONLINE and self.fault != notice:
            self.fault = notice
            self.on_change()

    def desire(self, name: str, value: Value) -> None:
        """Somebody asked for `value`; None withdraws the wish."""
        if value is None and name not in self._known:
            return
        known = self._known.setdefault(name, _Known())
        self.open_wishes.discard(name)
        if known.desired != value:
            known.desired = value
            self.on_change()
        known.fulfilled, known.doubts = value is not None and same(value, known.believed), 0
        if known.unfollowed is not None:
            known.unfollowed = None
            self.on_change()

    def reopen(self, name: str) -> None:
        """The wish, if there is one, is to be applied again."""
        if self.desired(name) is not None:
            self.open_wishes.add(name)
            self._known[name].doubts = 0  # who says that it cannot yet is no liar

    def doubt(self, now: float, follow: float) -> None:
        """A whole poll is over at `now` and nothing is under way: what was done, and is not so, was lost on the way.

        It is asked for again, twice at most. A device that `follow` seconds later has come as near as it can, or says that
        it did and does nothing, is believed, and may be changed by hand. Of one that did nothing it is said.
        """
        if self.changing:
            return
        for name, known in self._known.items():
            unlike = known.reported is not None and not same(known.reported, known.desired)
            on_its_way = known.reported == CHANGING.get(str(known.desired))
            if known.desired is None or not known.heard or known.assumed is not None or not unlike or on_its_way:
                continue
            known.doubted_at = known.doubted_at if known.doubts else now
            known.doubts += 1
            if known.doubts <= RETRIES:
                self.open_wishes.add(name)
                continue
            self.open_wishes.discard(name)
            if now - known.doubted_at >= follow:
                words = "device %s: %s stays %s, not %s as asked"
                self.journal.say(logging.WARNING, words, self.config.id, name, known.reported, known.desired)
                untrue = name in LASTING and not near(known.reported, known.desired)
                known.unfollowed = known.desired if untrue else None
                known.desired, known.fulfilled = None, False
                self.on_change()

    def report(self, name: str, value: Value, remaining: float | None, total: float | None) -> None:
        """The device said so."""
        known = self._known.setdefault(name, _Known())
        now = self.clock()
        changed = (known.reported, known.assumed, known.remaining) != (value, None, remaining)
        before = known.reported
        known.reported, known.assumed, known.observed_at = value, None, now
        known.remaining, known.total, known.heard = remaining, total, True
        elsewhere = value is not None and not same(value, before)
        if known.unfollowed is not None and (same(value, known.unfollowed) or elsewhere):
            known.unfollowed, changed = None, True  # late, but so; or somebody else had it their way since
        if same(value, known.desired):
            known.fulfilled = True
            self.open_wishes.discard(name)
        elif known.fulfilled and value not in (None, CHANGING.get(str(known.desired))):  # not to know undoes nothing
            known.desired, known.fulfilled, changed = None, False, True
            self.open_wishes.discard(name)
        if changed:
            self.on_change()

    def assume(self, name: str, value: Value) -> None:
        """We believe so; where a device cannot say what it did, that closes a wish."""
        known = self._known.setdefault(name, _Known())
        if value is not None and same(value, known.desired):
            known.fulfilled = True  # nobody can say more
            self.open_wishes.discard(name)
        if known.assumed != value:
            known.assumed = value
            self.on_change()

    def heard(self, words: bytes | str) -> None:
        """The device said something: its age is zero again."""
        self.last_seen = self.clock()
        self.last_words = printable(words)

    def babbled(self, words: bytes | str) -> None:
        """It said something that is not its protocol: shown, but no sign of life."""
        self.last_words = printable(words)

    def desired(self, name: str) -> Value:
        """What was asked for, None when nothing is."""
        known = self._known.get(name)
        return known.desired if known else None

    def reported(self, name: str) -> Value:
        """What the device last said."""
        known = self._known.get(name)
        return known.reported if known else None

    @property
    def unmet(self) -> dict[str, Value]:
        """Open wishes to apply again now; none in the middle of a slow change."""
        return {} if self.changing else {name: self._known[name].desired for name in self.open_wishes}

    @property
    def changing(self) -> bool:
        """In the middle of a slow change."""
        return any(known.remaining is not None for known in self._known.values())

    @property
    def notices(self) -> list[Notice]:
        """All that is wrong with it, what people should read first before the rest."""
        if self.connection is not Connection.ONLINE:
            return [] if self.fault is None else [self.fault]
        off = self.reported("power") in ("off", "cooling")  # then nobody misses anything else
        untrue = [name for name, known in self._known.items() if known.unfollowed is not None]
        untrue = [name for name in untrue if name == "power" or not off]
        said = [Notice(NOT_FOLLOWED, {"device": self.config.name, "property": name}) for name in untrue]
        return said if self.fault is None else [self.fault, *said]  # which may well be why

    def device(self, *, heard: bool = False) -> Device:
        """The wire's picture; of `heard` only the properties reported since the device was last away."""
        notices = self.notices
        return Device(
            id=self.config.id,
            role=self.config.role,
            driver=self.config.driver,
            name=self.config.name,
            connection=self.connection,
            capabilities=self.capabilities,
            properties={name: known.property() for name, known in self._known.items() if known.heard or not heard},
            presets=self.presets,
            inputs=self.inputs,
            axes=self.axes,
            model=self.model,
            last_seen=self.last_seen,
            last_words=self.last_words,
            fault=notices[0] if notices else None,
            besides=notices[1:],
        )
