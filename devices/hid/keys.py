"""What a press of a telephony device's key asks of the room. Source: HID Usage Tables 1.5, 3.4.1 (kinds of controls).

A key is a request: the room answers by a light. The hook switch of most devices follows the light that says off-hook, and
says so: what agrees with the light is no press.
"""

from __future__ import annotations

from typing import Literal

from devices.hid.descriptor import Field
from devices.hid.telephony import HOOK_SWITCH, PHONE_MUTE, VOLUME_DOWN, VOLUME_UP, Telephony

RELEASED = 1.0  # seconds: a hook switch that falls sooner than this was a key let go, not a receiver put down

Style = Literal["auto", "press", "switch"]
Wish = tuple[str, str, bool]  # operation, argument, value


class Keys:
    """The keys of one device since it was opened. `mute` and `hook`: how they move, or what the descriptor says."""

    def __init__(self, device: Telephony, mute: Style = "auto", hook: Style = "auto") -> None:
        self._device = device
        self._styles: dict[int, Style] = {PHONE_MUTE: mute, HOOK_SWITCH: hook}
        self._were: dict[int, int] = {}
        self._lifted = 0.0

    def hear(self, data: bytes, now: float, *, muted: bool, in_call: bool) -> list[Wish]:
        """What an input report asks for. `muted`, `in_call`: as the lights show. `now`: seconds of any clock."""
        wishes: list[Wish] = []
        for usage in self._device.keys:
            value = self._device.value(usage, data)
            if value is None:
                continue
            before, self._were[usage] = self._were.get(usage, 0), value
            pressed = value > 0 and (before <= 0 or self._field(usage).relative)
            if usage in (VOLUME_UP, VOLUME_DOWN):
                wishes += [("step_volume", "up", usage == VOLUME_UP)] * pressed
            elif usage == PHONE_MUTE:
                wishes += self._mute(before, value, pressed=pressed, muted=muted)
            else:
                wishes += self._hook(before, value, now, pressed=pressed, in_call=in_call)
        return wishes

    @property
    def held(self) -> bool | None:
        """Whether the volume key that is down is the one for up; None: neither is, both are, or they only tell presses."""
        down = [usage for usage in (VOLUME_UP, VOLUME_DOWN) if self._were.get(usage, 0) > 0]
        if len(down) != 1 or self._field(down[0]).relative:
            return None
        return down[0] == VOLUME_UP

    def _mute(self, before: int, value: int, *, pressed: bool, muted: bool) -> list[Wish]:
        if self._field(PHONE_MUTE).minimum < 0:  # two buttons, on and off
            return [("set_mute", "on", value > 0)] if value else []
        if self._switches(PHONE_MUTE):
            return [("set_mute", "on", value > 0)] if value != before else []
        return [("set_mute", "on", not muted)] if pressed else []

    def _hook(self, before: int, value: int, now: float, *, pressed: bool, in_call: bool) -> list[Wish]:
        if not self._switches(HOOK_SWITCH):
            return [("set_call", "on", not in_call)] if pressed else []
        if pressed:
            self._lifted = now
        released = not value and now - self._lifted < RELEASED and not self._field(HOOK_SWITCH).stays
        if value == before or (value > 0) is in_call or released:
            return []
        return [("set_call", "on", value > 0)]

    def _switches(self, usage: int) -> bool:
        """It says a state, and not that somebody pressed it.

        A mute key is a switch only where it is declared as one, a hook switch wherever it is not declared as a button:
        taking an answer to our light for a press would end the meeting that just began.
        """
        if (style := self._styles[usage]) != "auto":
            return style == "switch"
        field = self._field(usage)
        return not field.relative and (field.stays or usage == HOOK_SWITCH)

    def _field(self, usage: int) -> Field:
        return self._device.keys[usage][0]
