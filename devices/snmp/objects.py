"""The objects of a switch that are asked for or set, by their identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.snmp.settings import PortSettings
from wire.problems import Notice

DESCRIPTION, UPTIME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"  # RFC 3418
ADMIN, OPER = "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8"  # RFC 2863 ifAdminStatus, ifOperStatus: up(1), down(2)
POWER = "1.3.6.1.2.1.105.1.1.1.3"  # RFC 3621 pethPsePortAdminEnable: true(1), false(2)
DELIVERS = "1.3.6.1.2.1.105.1.1.1.6"
DELIVERING = 3  # RFC 3621 pethPsePortDetectionStatus


def of_port(port: PortSettings) -> list[str]:
    """What tells how a port is: whether it may be used, whether it is, and whether it delivers power where we know its number."""
    oids = [f"{ADMIN}.{port.interface}", f"{OPER}.{port.interface}"]
    return [*oids, f"{DELIVERS}.{port.power}"] if port.power else oids


def no_such(ports: Mapping[str, PortSettings], known: Mapping[str, Any]) -> Notice | None:
    """Which `ports` the switch does not have: it has no value at their ifIndex; what it refuses it may have."""
    absent = [number for number, port in ports.items() if all(known.get(oid, 0) is None for oid in of_port(port)[:2])]
    named = ", ".join(f"{number}, interface {ports[number].interface}" for number in absent)
    return Notice("device.no_such_port", {"ports": named}) if absent else None
