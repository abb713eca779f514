"""Where a device is: what is a host and what is none, the same for every driver."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv6Address
from itertools import product
from typing import Any

import msgspec
import pytest

from devices import DeviceConfig
from devices.errors import Lost
from devices.hosts import Host, bracketed
from devices.names import Names
from devices.registry import BUILT_IN, Registry
from roomctl.config import RoomFile
from tests.devices.stage import stage
from wire.devices import Role

HOSTS = (
    *("camera", "cam.example.org", "cam.example.org.", "my_cam", "proj-2", "3com", "caméra.local", "localhost"),
    *("10.0.0.5", "255.255.255.255", "::", "::1", "1::", "fe80::1%eth0", "2001:db8::5", "1:2:3:4:5:6:7:8"),
    *("::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "0:0:0:0:0:ffff:10.0.0.1"),
)
NONE = (
    *(
        "http://127.0.0.1:8080/onvif",
        "mqtt://broker",
        "127.0.0.1:4352",
        "cam:80",
        "h ost",
        "u@h",
        "a/b",
        "a..b",
        "-a",
        "",
    ),
    *(
        "10.0.0",
        "10.0.0.300",
        "1.2.3.4.5",
        "[::1]",
        "[::1]:80",
        ":::",
        "1::2::3",
        "1:2:3",
        "fe80::1%",
        "::12345",
        "x" * 254,
        "cam\n",
        "1::2\n",
        "\u0663.0.0.1",
    ),
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_and_an_address_are_hosts(host: str) -> None:
    assert msgspec.convert(host, Host) == host


@pytest.mark.parametrize("host", NONE)
def test_what_is_more_or_less_is_none(host: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(host, Host)


@pytest.mark.parametrize("groups", range(3, 11))
def test_what_has_colons_is_a_host_where_it_is_an_address(groups: int) -> None:
    """Every way to leave groups out of so many, also with an IPv4 address at the end (RFC 4291 §2.2)."""

    def taken(host: str, kind: Callable[[str], object], no: type[Exception]) -> bool:
        try:
            kind(host)
        except no:
            return False
        return True

    for last in ("", "1", "10.0.0.1"):
        for first in product(("", "a"), repeat=groups - 1):
            host = ":".join((*first, last))
            said = taken(host, lambda host: msgspec.convert(host, Host), msgspec.ValidationError)
            assert said == taken(host, IPv6Address, AddressValueError), host


def test_only_addresses_with_colons_stand_in_brackets() -> None:
    assert [bracketed(one) for one in ("cam", "10.0.0.5", "::1", "fe80::1%eth0")] == [
        *("cam", "10.0.0.5", "[::1]", "[fe80::1%25eth0]")
    ]


def texts(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text in a JSON schema, with where it stands."""
    if isinstance(schema, dict):
        if "pattern" in schema or schema.get("type") == "string":
            yield at, schema
        for name, inner in schema.items():
            yield from texts(inner, f"{at}.{name}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from texts(inner, at)


def schemas() -> dict[str, Any]:
    known = Registry.installed()
    drivers = [(name, known.driver(name)) for name in BUILT_IN]
    found = {name: msgspec.json.schema(one.manifest.settings) for name, one in drivers if one is not None}
    places = {f"{name} place": msgspec.json.schema(one.place) for name, one in drivers if one and one.place}
    return {**found, **places, "room": msgspec.json.schema(RoomFile)}


def test_each_drivers_host_is_one() -> None:
    pattern = msgspec.json.schema(Host)["pattern"]
    hosts = {}
    for name, schema in schemas().items():
        for at, text in texts(schema):
            if at.endswith((".properties.host", ".properties.host.anyOf")):
                hosts[name] = text.get("pattern")
    assert hosts == dict.fromkeys(("visca", "pjlink", "onvif", "mqtt", "mqtt place", "snmp", "ups", "wol"), pattern)


def test_each_pattern_has_words_for_people() -> None:
    """`roomctl check` says those, and shows nobody a pattern."""
    wordless = [
        (name, at)
        for name, schema in schemas().items()
        for at, text in texts(schema)
        if "pattern" in text and not text.get("description")
    ]
    assert wordless == []


def unknown(host: str, *args: Any, **more: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def silent(host: str, *args: Any, **more: Any) -> Any:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@pytest.mark.parametrize(
    ("answer", "host", "code"),
    [
        (unknown, "projector.example.org", "device.no_such_name"),
        (silent, "projector.example.org", "device.unreachable"),
        (socket.getaddrinfo, "x" * 64, "device.no_such_name"),  # a label longer than any
    ],
)
async def test_a_name_that_is_not_known_has_words_of_its_own(
    monkeypatch: pytest.MonkeyPatch, answer: Any, host: str, code: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(Lost) as lost:
        await Names().addresses(host)
    assert lost.value.notice.code == code


NEEDS: dict[str, dict[str, Any]] = {
    "mqtt": {"device": "sensor"},
    "ups": {"ups": "u"},
    "snmp": {"community": "public", "ports": {"7": {"interface": 7}}},
}


@pytest.mark.parametrize("driver", ["visca", "pjlink", "onvif", "mqtt", "snmp", "ups"])
async def test_a_device_whose_name_is_not_known_says_so(monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    settings = {"host": "device.example.org"} | NEEDS.get(driver, {})
    async with stage(DeviceConfig("d", Role.CONTENT_INPUT, driver, "D", settings)) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.no_such_name"
        assert not device.properties, "nobody knows anything of it"
