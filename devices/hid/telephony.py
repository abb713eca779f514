"""What a telephony device's reports say of its keys and lights. Source: HID Usage Tables 1.5, pages 0x08, 0x0B and 0x0C."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from devices.hid.descriptor import Field, Kind, ReportMap

HOOK_SWITCH, PHONE_MUTE = 0x0B_0020, 0x0B_002F
VOLUME_UP, VOLUME_DOWN = 0x0C_00E9, 0x0C_00EA
KEYS = (PHONE_MUTE, HOOK_SWITCH, VOLUME_UP, VOLUME_DOWN)
LED_MUTE, LED_OFF_HOOK, LED_RING = 0x08_0009, 0x08_0017, 0x08_0018
LIGHTS = (LED_MUTE, LED_OFF_HOOK, LED_RING)


@dataclass(frozen=True)
class Telephony:
    """A device's keys and lights, found in its reports."""

    reports: ReportMap

    @cached_property
    def keys(self) -> dict[int, tuple[Field, ...]]:
        """Where each of `KEYS` that it has may be said: in one field, or in any place of an array."""
        inputs = [one for one in self.reports.fields if one.kind is Kind.INPUT]
        found = {usage: tuple(one for one in inputs if usage in one.usages) for usage in KEYS}
        return {usage: fields for usage, fields in found.items() if fields}

    @property
    def telephone(self) -> bool:
        """It has more than keys for the volume, as a keyboard has them too."""
        return PHONE_MUTE in self.keys or HOOK_SWITCH in self.keys or self.light(LED_MUTE) is not None

    def light(self, usage: int) -> Field | None:
        """A light, when it has it."""
        field = self.reports.find(Kind.OUTPUT, usage)
        return None if field is None or field.array else field

    def value(self, usage: int, data: bytes) -> int | None:
        """What a report says of a key: 0 up, 1 down, -1 the other of two buttons; None when it does not speak of it."""
        number, body = self.reports.split(data)
        fields = [one for one in self.keys.get(usage, ()) if one.report == number and one.fits(body)]
        return max((one.reads(body, usage) for one in fields), key=abs, default=None)

    def lights(self, lit: frozenset[int]) -> list[bytes]:
        """The output reports that light these usages and no other, as hidraw takes them (number first)."""
        bodies: dict[int, int] = {}
        for usage in LIGHTS:
            field = self.light(usage)
            if field is None:
                continue
            bodies.setdefault(field.report, 0)
            bodies[field.report] |= (usage in lit) << field.offset
        return [
            bytes([number]) + body.to_bytes(self.reports.length(Kind.OUTPUT, number), "little")
            for number, body in bodies.items()
        ]

    def lit(self, usage: int, data: bytes) -> bool | None:
        """Whether an output report read back (number first) has a light on; None when it does not say."""
        field = self.light(usage)
        if field is None or not data or data[0] != field.report or len(data) - 1 != self.length(field):
            return None
        return field.reads(data[1:], usage) != 0

    def length(self, light: Field) -> int:
        """Bytes of the body of a light's report."""
        return self.reports.length(Kind.OUTPUT, light.report)
