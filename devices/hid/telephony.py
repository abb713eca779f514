"""What a telephony device's reports say of its mute key and lights. Source: HID Usage Tables 1.5, pages 0x08 and 0x0B."""

from __future__ import annotations

from dataclasses import dataclass

from devices.hid.descriptor import Field, Kind, ReportMap

PHONE_MUTE = 0x0B_002F
HOOK_SWITCH = 0x0B_0020
LED_MUTE = 0x08_0009
LED_OFF_HOOK = 0x08_0017
LED_RING = 0x08_0018
LIGHTS = (LED_MUTE, LED_OFF_HOOK, LED_RING)


@dataclass(frozen=True)
class Telephony:
    """A device's key and lights, found in its reports."""

    reports: ReportMap

    @property
    def mute_key(self) -> Field | None:
        """The key, when it has one."""
        return self.reports.find(Kind.INPUT, PHONE_MUTE)

    @property
    def mute_light(self) -> Field | None:
        """The light, when it has one."""
        return self.reports.find(Kind.OUTPUT, LED_MUTE)

    def key(self, data: bytes) -> bool | None:
        """Whether a report has the mute key down; None when it does not speak of the key."""
        field = self.mute_key
        number, body = self.reports.split(data)
        if field is None or number != field.report or len(body) * 8 < field.offset + field.size:
            return None
        return field.says(body, PHONE_MUTE)

    def lights(self, lit: frozenset[int]) -> list[bytes]:
        """The output reports that light these usages and no other, as hidraw takes them (number first)."""
        bodies: dict[int, int] = {}
        for usage in LIGHTS:
            field = self.reports.find(Kind.OUTPUT, usage)
            if field is None or field.array:
                continue
            bodies.setdefault(field.report, 0)
            bodies[field.report] |= (usage in lit) << field.offset
        return [
            bytes([number]) + body.to_bytes(self.reports.length(Kind.OUTPUT, number), "little")
            for number, body in bodies.items()
        ]

    def muted(self, data: bytes) -> bool | None:
        """Whether an output report read back (number first) has the mute light lit; None when it does not say."""
        field = self.mute_light
        if field is None or not data or data[0] != field.report or len(data) - 1 != self.light_length:
            return None
        return field.says(data[1:], LED_MUTE)

    @property
    def light_length(self) -> int:
        """Bytes of the body of the mute light's report."""
        field = self.mute_light
        return self.reports.length(Kind.OUTPUT, field.report) if field else 0
