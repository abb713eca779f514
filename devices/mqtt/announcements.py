"""What sensors say of themselves: announcements in the manner of Home Assistant's MQTT discovery, read into sources.

A configuration topic `<prefix>/<component>/[<node>/]<object>/config` carries JSON, whose keys may be abbreviated
(home-assistant.io/integrations/mqtt, "MQTT Discovery"); a topic `<prefix>/device/<object>/config` announces several
components at once. What of its templates is read: `devices/mqtt/templates.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from devices.mqtt.templates import Path, known, path_of

Prefix = Annotated[
    str,
    msgspec.Meta(pattern="^[^+#/]{1,64}$", description="one level of a topic, like 'homeassistant', without /, + or #"),
]
LONGEST = 16 * 1024  # bytes of an announcement
MOST = 64  # components of one device, announcements of one, and sources that they have in all
LONGEST_TOPIC = 512  # characters
SHOWN = 120  # characters of a template that is not read
PROPERTIES = {  # Home Assistant's device classes to our properties
    ("binary_sensor", "occupancy"): "occupied",
    ("binary_sensor", "presence"): "occupied",
    ("binary_sensor", "motion"): "occupied",
    ("sensor", "carbon_dioxide"): "co2",
    ("sensor", "temperature"): "temperature",
    ("sensor", "humidity"): "humidity",
    ("sensor", "battery"): "battery",
}
LONG = {
    "stat_t": "state_topic",
    "val_tpl": "value_template",
    "dev_cla": "device_class",
    "unit_of_meas": "unit_of_measurement",
    "pl_on": "payload_on",
    "pl_off": "payload_off",
    "exp_aft": "expire_after",
    "avty_t": "availability_topic",
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_tpl": "availability_template",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "t": "topic",
    "dev": "device",
    "ids": "identifiers",
    "mf": "manufacturer",
    "mdl": "model",
    "cmps": "components",
    "p": "platform",
}


@dataclass(frozen=True)
class Availability:
    """A topic on which a sensor, or what speaks for it, says whether it is there."""

    topic: str
    there: str = "online"
    gone: str = "offline"
    path: Path = ()
    template: str = ""


@dataclass(frozen=True)
class Source:
    """Where one property comes from. `ttl`: seconds after which a value is no longer known, None as configured.

    `path` leads to the value in a JSON payload, empty for the payload itself; or a `template` tells it. `off_delay`: seconds
    after which a motion that was told is over, of a sensor that says nothing more.
    """

    name: str
    topic: str
    path: Path = ()
    ttl: float | None = None
    fahrenheit: bool = False
    on: str = "ON"
    off: str = "OFF"
    template: str = ""
    off_delay: float | None = None


@dataclass(frozen=True)
class Sensor:
    """One announcement, or the sum of all of one device. `every` availability is wanted, or any.

    `unread`: properties whose template we do not read, with it; or with their topic, those of more than `MOST` sources.
    """

    ids: frozenset[str] = frozenset()
    name: str = ""
    model: str = ""
    sources: tuple[Source, ...] = ()
    availability: tuple[Availability, ...] = ()
    every: bool = False
    unread: tuple[str, ...] = ()

    def __add__(self, other: Sensor) -> Sensor:
        sources = tuple(dict.fromkeys((*self.sources, *other.sources)))
        unread = (*self.unread, *other.unread, *map(_named, sources[MOST:]))
        return Sensor(
            self.ids | other.ids,
            self.name or other.name,
            self.model or other.model,
            sources[:MOST],
            tuple(dict.fromkeys((*self.availability, *other.availability)))[:MOST],
            self.every or other.every,
            tuple(dict.fromkeys(unread))[:MOST],
        )


def described(device: str, announced: Iterable[Sensor]) -> Sensor:
    """What the device of that identifier or name announced in all; nothing when nothing did.

    Its first `MOST` announcements are read; of those beyond, what each would tell first is `unread`.
    """
    own = [one for one in announced if device in one.ids or device == one.name]
    beyond = tuple(_named(source) for one in own[MOST : 2 * MOST] for source in one.sources[:1])
    return sum(own[:MOST], Sensor()) + Sensor(unread=beyond)


def _named(source: Source) -> str:
    return f"{source.name}: {source.topic[:SHOWN]}"


def names(announced: Iterable[Sensor]) -> list[str]:
    """An identifier of everything that announced itself."""
    return sorted({min(one.ids) for one in announced if one.ids})


def read(topic: str, payload: bytes) -> Sensor | None:
    """The sensor of an announcement; None when it is no announcement, or of nothing that we show."""
    parts = topic.split("/")
    if len(payload) > LONGEST or len(parts) < 4:
        return None
    try:
        said = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    said = _spelled_out(said)
    device = _spelled_out(said.get("device"))
    ids = device.get("identifiers")
    one = Sensor(
        frozenset(text for each in (ids if isinstance(ids, list) else [ids]) if (text := _text(each))),
        _text(device.get("name")),
        f"{_text(device.get('manufacturer'))} {_text(device.get('model'))}".strip(),
        availability=_availability(said),
        every=said.get("availability_mode") == "all",
    )
    components = said.get("components") if parts[1] == "device" else {"": {"platform": parts[1], **said}}
    if not isinstance(components, dict):
        return None
    shared = {key: said[key] for key in ("~", "state_topic") if key in said}
    each = [_source(shared | _spelled_out(component)) for component in list(components.values())[:MOST]]
    found = sum(each, Sensor())
    return one + found if found.sources or found.unread else None


def _source(said: dict[str, Any]) -> Sensor:
    """The source of one component, or that its template is not read; nothing of what we do not show."""
    name = PROPERTIES.get((_text(said.get("platform")), _text(said.get("device_class"))))
    topic = _topic(said, said.get("state_topic"))
    if name is None or topic is None:
        return Sensor()
    template = _template(said)
    if not known(template):
        return Sensor(unread=(f"{name}: {template[:SHOWN]}",))
    source = Source(
        name,
        topic,
        path_of(template) or (),
        _seconds(said.get("expire_after")),
        "F" in _text(said.get("unit_of_measurement")),
        _text(said.get("payload_on", "ON")),
        _text(said.get("payload_off", "OFF")),
        template if path_of(template) is None else "",
        _seconds(said.get("off_delay")),
    )
    return Sensor(sources=(source,))


def _template(said: dict[str, Any]) -> str:
    text = said.get("value_template")
    return text if isinstance(text, str) and text else "{{ value }}"


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value <= 604800 else None


def _availability(said: dict[str, Any]) -> tuple[Availability, ...]:
    several = said.get("availability")
    alone = {"topic": said.get("availability_topic"), "value_template": said.get("availability_template")}
    alone |= {key: said[key] for key in ("payload_available", "payload_not_available") if key in said}
    each = several if isinstance(several, list) else [alone]
    found = []
    for one in (_spelled_out(one) for one in each[:8]):
        topic = _topic(said, one.get("topic"))
        template = _template(one)
        if topic is not None and known(template):
            there, gone = one.get("payload_available", "online"), one.get("payload_not_available", "offline")
            path = path_of(template)
            found.append(Availability(topic, _text(there), _text(gone), path or (), template if path is None else ""))
    return tuple(found)


def _topic(said: dict[str, Any], topic: object) -> str | None:
    """A topic to follow, its base put in for `~`; never a filter."""
    base, text = (
        one if isinstance(one, str) else "" for one in (said.get("~"), topic)
    )  # whole: a part is another topic
    if base and text.startswith("~"):
        text = base + text[1:]
    elif base and text.endswith("~"):
        text = text[:-1] + base
    return text if text and len(text) <= LONGEST_TOPIC and not set("+#\0") & set(text) else None


def _spelled_out(said: object) -> dict[str, Any]:
    return {LONG.get(str(key), str(key)): value for key, value in said.items()} if isinstance(said, dict) else {}


def _text(value: object) -> str:
    """As a template would print it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:200] if isinstance(value, str | int | float) else ""
