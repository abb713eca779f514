"""What the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from devices import Found
from devices.notices import NOTICES
from wire.devices import Connection, Device, DeviceResult, Property
from wire.problems import Notice

WIDE = 160  # columns where the output is no terminal

COLORS = {Connection.ONLINE: "green", Connection.CONNECTING: "yellow", Connection.UNREACHABLE: "red"}


def console() -> Console:
    """Standard output, not cut to 80 columns where it is a file."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def as_json(value: Any, *, line: bool = False) -> None:
    """One JSON document, or one line of a stream of them."""
    data = msgspec.json.encode(value)
    sys.stdout.write((data if line else msgspec.json.format(data, indent=2)).decode() + "\n")
    sys.stdout.flush()


def sentence(notice: Notice) -> str:
    """A notice in English with its next step."""
    words = NOTICES.get(notice.code)
    if words is None:
        return notice.code
    return f"{words.en} {words.en_next}".format_map({"device": "it", **notice.args})


def value_in_words(one: Property) -> str:
    """`on`, `off → on` while a wish is not met, `~true` for what is only believed, with what remains."""
    said = one.reported if one.reported is not None else one.assumed
    text = "?" if said is None else _plain(said)
    if one.reported is None and one.assumed is not None:
        text = f"~{text}"
    if one.desired is not None and one.desired != one.reported:
        text += f" → {_plain(one.desired)}"
    if one.remaining is not None:
        text += f" ({one.remaining:.0f} s)"
    return text


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def devices_table(devices: Iterable[Device]) -> Table:
    """Connection, model, and what each device says."""
    table = Table(title_justify="left")
    for title in ("device", "role", "driver", "connection", "model", "says", "trouble"):
        table.add_column(title, overflow="fold")
    now = time.time()
    for one in devices:
        says = ", ".join(f"{name} {value_in_words(value)}" for name, value in sorted(one.properties.items()))
        age = f" {now - one.last_seen:.0f} s ago" if one.last_seen and one.connection is not Connection.ONLINE else ""
        table.add_row(
            one.id,
            one.role.value,
            one.driver,
            Text(one.connection.value + age, style=COLORS[one.connection]),
            one.model,
            says or one.last_words,
            Text(sentence(one.fault), style="red") if one.fault else "",
        )
    return table


def found_table(found: Iterable[Found]) -> Table:
    """What a search found, with the settings to write."""
    table = Table()
    for title in ("driver", "name", "model", "settings", "identity"):
        table.add_column(title, overflow="fold")
    for one in found:
        settings = ", ".join(f"{name} = {_toml(value)}" for name, value in one.settings.items())
        table.add_row(one.driver, one.name, one.model, settings, one.identity)
    return table


def _toml(value: object) -> str:
    return msgspec.toml.encode({"v": value}).decode().partition(" = ")[2].strip()


def result_in_words(result: DeviceResult) -> str:
    """One line."""
    parts = [result.outcome, result.code.value if result.code else "", result.detail]
    return ": ".join(part for part in parts if part)
