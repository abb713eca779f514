"""How a camera's axes move: by speed where it can, else by small steps of its absolute position. Pure.

Kernels before 6.11 report the least speed of a UVC camera as positive or zero and clamp to it, so that neither the
other direction nor a stop would arrive: such a speed is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from devices.capabilities import Velocity
from devices.uvc.camera import Control
from devices.uvc.layout import (
    PAN_ABSOLUTE,
    PAN_SPEED,
    TILT_ABSOLUTE,
    TILT_SPEED,
    ZOOM_ABSOLUTE,
    ZOOM_CONTINUOUS,
)

PERIOD = 0.1  # seconds between two steps
AXES = {"pan": (PAN_ABSOLUTE, PAN_SPEED), "tilt": (TILT_ABSOLUTE, TILT_SPEED), "zoom": (ZOOM_ABSOLUTE, ZOOM_CONTINUOUS)}


@dataclass(frozen=True)
class Motion:
    """What an axis moves by: a speed control, or an absolute one in steps; not at all when it is in neither."""

    speeds: Mapping[str, Control]
    steps: Mapping[str, Control]
    places: Mapping[str, Control]  # axes whose position is known

    @classmethod
    def of(cls, controls: Mapping[int, Control]) -> Motion:
        """As the camera's controls allow."""
        speeds, steps, places = {}, {}, {}
        for axis, (absolute, speed) in AXES.items():
            place, fast = controls.get(absolute), controls.get(speed)
            if place is not None and place.range > 0 and place.readable:
                places[axis] = place
            if fast is not None and fast.minimum < 0 < fast.maximum:
                speeds[axis] = fast
            elif axis in places:
                steps[axis] = places[axis]
        return cls(speeds, steps, places)

    @property
    def moves(self) -> bool:
        """Any axis does."""
        return bool(self.speeds or self.steps)

    @property
    def axes(self) -> set[str]:
        """`pan`, `tilt` and `zoom`, those that move."""
        return {*self.speeds, *self.steps}

    def at(self, place: Mapping[str, int], other: Mapping[str, int]) -> bool:
        """The same place, as near as a motor comes back to it: a step of the control."""
        near = (
            abs(place[axis] - value) <= max(1, self.places[axis].step) for axis, value in other.items() if axis in place
        )
        return place.keys() == other.keys() and all(near)

    def speed_values(self, velocity: Velocity) -> dict[int, int]:
        """What to write for a velocity; slow is never nothing."""
        values = {}
        for axis, control in self.speeds.items():
            part = getattr(velocity, axis)
            most = control.maximum if part > 0 else -control.minimum
            values[control.id] = int(math.copysign(math.ceil(abs(part) * most), part)) if part else 0
        return values

    def stepping(self, velocity: Velocity) -> dict[str, float]:
        """The axes that go by steps, with their part of the fastest."""
        return {axis: part for axis in self.steps if (part := getattr(velocity, axis))}

    def next_place(self, axis: str, place: float, part: float, traverse: float) -> float:
        """Where an axis is one PERIOD later; `traverse` seconds take it from one end to the other at full speed."""
        control = self.steps[axis]
        wanted = place + part * control.range * PERIOD / traverse
        return min(max(wanted, control.minimum), control.maximum)
