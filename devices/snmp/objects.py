"""The objects of a switch that are asked for or set, by their identifiers."""

from __future__ import annotations

from devices.snmp.settings import PortSettings

DESCRIPTION, UPTIME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"  # RFC 3418
ADMIN, OPER = "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8"  # RFC 2863 ifAdminStatus, ifOperStatus: up(1), down(2)
POWER = "1.3.6.1.2.1.105.1.1.1.3"  # RFC 3621 pethPsePortAdminEnable: true(1), false(2)
DELIVERS = "1.3.6.1.2.1.105.1.1.1.6"
DELIVERING = 3  # RFC 3621 pethPsePortDetectionStatus


def of_port(port: PortSettings) -> list[str]:
    """What tells how a port is: whether it may be used, whether it is, and whether it delivers power where we know its number."""
    oids = [f"{ADMIN}.{port.interface}", f"{OPER}.{port.interface}"]
    return [*oids, f"{DELIVERS}.{port.power}"] if port.power else oids
