"""Which driver has which id: ours, and those that installed packages add through the entry point `roomctl.drivers`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from posixpath import normpath, realpath
from typing import Any, NamedTuple

import msgspec

from devices.apart import within
from devices.config import DeviceConfig, DeviceSettingsError, Mistake, decode_settings
from devices.driver import Driver, Facts
from devices.spelling import suggestion

log = logging.getLogger(__name__)

ENTRY_POINTS = "roomctl.drivers"


BUILT_IN = {
    "cec": "devices.cec.driver:CecDisplay",
    "hid": "devices.hid.driver:HidTelephony",
    "mqtt": "devices.mqtt.driver:MqttSensor",
    "onvif": "devices.onvif.driver:OnvifCameraDriver",
    "pjlink": "devices.pjlink.driver:PjlinkDisplay",
    "pulse": "devices.pulse.driver:PulseAudioDevice",  # needs the system's libpulse
    "rtsp": "devices.rtsp.driver:RtspCamera",
    "uvc": "devices.uvc.driver:UvcCamera",
    "snmp": "devices.snmp.driver:SnmpSwitch",
    "ups": "devices.ups.driver:UpsSupply",
    "visca": "devices.visca.driver:ViscaCamera",
    "wol": "devices.wol.driver:WolComputer",
}


LOADING = 10.0  # seconds a package may take to load its driver, and the driver to read its settings


class Registry:
    """Driver classes by the id of their manifest, and why some cannot be used here."""

    def __init__(self, drivers: list[type[Driver[Any]]]) -> None:
        self._drivers = {driver.manifest.id: driver for driver in drivers}
        self._apart: set[str] = set()
        self._unusable: dict[str, str] = {}

    @classmethod
    def installed(cls) -> Registry:
        """Our drivers and those of installed packages; one that cannot be loaded harms only its own devices."""
        registry = cls([])
        for name, value in BUILT_IN.items():
            registry._load(EntryPoint(name, value, ENTRY_POINTS), apart=False)
        for entry in entry_points(group=ENTRY_POINTS):
            registry._load(entry, apart=True)
        return registry

    def _load(self, entry: EntryPoint, *, apart: bool) -> None:
        try:
            self.add(within(LOADING, entry.load, f"driver {entry.name}") if apart else entry.load(), apart=apart)
        except Exception as error:
            why = str(error) or type(error).__name__
            log.warning("driver %s (%s) cannot be used: %s", entry.name, entry.value, why)
            self._unusable.setdefault(entry.name, why)

    def add(self, driver: type[Driver[Any]], *, apart: bool = False) -> None:
        """Add a driver, `apart` on threads of its own.

        Raises ValueError when its id is taken, TypeError when it is no driver.
        """
        if not (isinstance(driver, type) and issubclass(driver, Driver)):
            raise TypeError(f"{driver!r} is not a Driver")
        if driver.manifest.id in self._drivers:
            raise ValueError(f"driver id {driver.manifest.id!r} is taken")
        self._drivers[driver.manifest.id] = driver
        if apart:
            self._apart.add(driver.manifest.id)

    @property
    def ids(self) -> list[str]:
        """Every known id, sorted."""
        return sorted(self._drivers)

    def driver(self, driver_id: str) -> type[Driver[Any]] | None:
        """The class of an id."""
        return self._drivers.get(driver_id)

    def build(self, devices: list[DeviceConfig]) -> list[Driver[Any]]:
        """A driver per device; raises DeviceSettingsError with every mistake of all of them."""
        built, mistakes = self.usable(devices)
        if mistakes:
            raise DeviceSettingsError(mistakes)
        return built

    def usable(self, devices: list[DeviceConfig]) -> tuple[list[Driver[Any]], list[Mistake]]:
        """A driver for each device without a mistake, and every mistake of the others."""
        built: list[Driver[Any]] = []
        mistakes = _twice(devices)
        for config in devices:
            driver = self._drivers.get(config.driver)
            if driver is None:
                remedy = f"{suggestion(config.driver, self.ids)}Use one of: {', '.join(self.ids)}; "
                remedy += "or install the package that brings it."
                problem = f"no driver is called {config.driver!r}"
                code = "config.driver_unknown"
                if reason := self._unusable.get(config.driver):
                    problem, remedy = f"{config.driver!r} cannot be loaded: {reason}", "Install what it needs."
                    code = "config.driver_unusable"
                mistakes.append(Mistake(config.id, "driver", problem, remedy, code))
                continue
            try:
                built.append(self._made(driver, config))
            except DeviceSettingsError as error:
                mistakes += error.mistakes
        mistakes += _same_address(built)
        wrong = {mistake.device for mistake in mistakes}
        return [driver for driver in built if driver.config.id not in wrong], mistakes

    def apart(self, driver_id: str) -> bool:
        """Whether a driver runs on threads of its own."""
        return driver_id in self._apart

    def _made(self, driver: type[Driver[Any]], config: DeviceConfig) -> Driver[Any]:
        if config.driver not in self._apart:
            return driver(config, decode_settings(config, driver.manifest.settings))

        def make() -> Driver[Any]:
            one = driver(config, decode_settings(config, driver.manifest.settings))
            one.facts = msgspec.convert(msgspec.structs.asdict(one.said()), Facts)
            return one

        try:
            one = within(LOADING, make, f"driver {config.driver}")
        except DeviceSettingsError:
            raise
        except Exception as error:
            problem = f"driver {config.driver!r} fails: {str(error) or type(error).__name__}"
            mistake = Mistake(config.id, "driver", problem, "Ask whoever wrote it.", "config.driver_unusable")
            raise DeviceSettingsError([mistake]) from error
        one.apart = True
        return one


def _twice(devices: list[DeviceConfig]) -> list[Mistake]:
    mistakes = []
    ids: set[str] = set()
    roles: set[str] = set()
    for config in devices:
        if config.id in ids:
            remedy = "Give each device of the room its own id."
            mistakes.append(Mistake(config.id, "id", f"{config.id!r} is used twice", remedy, "config.id_twice"))
        if config.role in roles:
            remedy = "A role is held by one device of the room."
            problem = f"{config.role.value!r} is used twice"
            mistakes.append(Mistake(config.id, "role", problem, remedy, "config.role_twice"))
        ids.add(config.id)
        roles.add(config.role)
    return mistakes


def _same_address(drivers: list[Driver[Any]]) -> list[Mistake]:
    """Two devices at one address would disturb each other."""
    holders: dict[str, list[_Holder]] = {}
    mistakes = []
    for driver in drivers:
        address, device = (driver.facts or driver.said()).address, driver.config.id
        if address is None:
            continue
        place, part = _place(address)
        mine = _Holder(device, driver.manifest.id, part)
        others = holders.setdefault(place, [])
        if (other := next((one for one in others if one.disturbs(mine)), None)) is not None:
            problem = f"{address} is also the address of device {other.device!r}"
            remedy = "Correct one of the two addresses, or remove one of the devices."
            at = _setting_of(driver.config, address)
            mistakes.append(Mistake(device, at, problem, remedy, "config.address_twice"))
        others.append(mine)
    return mistakes


LOOPBACK = "127.0.0.1"
HERE = ("localhost", "::1", "ip6-localhost", LOOPBACK)


class _Holder(NamedTuple):
    """Who uses a place. `part`: of it, "" for all."""

    device: str
    driver: str
    part: str

    def disturbs(self, other: _Holder) -> bool:
        """Not where one driver uses different parts of it, or the device is the same."""
        apart = self.driver == other.driver and self.part != other.part and self.part and other.part
        return self.device != other.device and not apart


def _place(address: str) -> tuple[str, str]:
    """An address as all drivers write it, and the part of it.

    Hosts are the same in capitals (RFC 4343) and with the dot of the root, hardware addresses with hyphens; paths are not, but
    a link leads where it leads now. This machine is itself by each of its usual names.
    """
    kind, _, place = address.partition(" ")
    if kind in ("tcp", "udp"):
        place, _, part = place.partition(" ")
        host, _, port = place.lower().rpartition(":")
        host = host.rstrip(".").strip("[]")
        return f"{kind} {LOOPBACK if host in HERE else host}:{port}", part
    if kind == "node" and place.startswith("/"):
        return f"node {realpath(place)}", ""  # by its link in /dev/v4l/by-id or by its number
    return (address if "/" in place else address.lower().replace("-", ":")), ""


def _setting_of(config: DeviceConfig, address: str) -> str:
    """The setting that says the address, as far as it is written at all."""
    kind, _, place = address.partition(" ")
    host = place.partition(" ")[0].rpartition(":")[0].lower() if kind in ("tcp", "udp") else ""
    written = {name: value for name, value in config.settings.items() if isinstance(value, str) and value}
    ways: tuple[Callable[[str], bool], ...] = (
        lambda value: normpath(value) == place if kind == "node" else value in address or normpath(value) in address,
        lambda value: bool(host) and host in value.lower(),
    )
    said = next((name for way in ways for name, value in written.items() if way(value)), "")
    said = said or next((name for name in ("usb", "serial") if kind == "node" and name in written), "")
    return f"settings.{said}".rstrip(".")
