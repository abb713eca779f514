"""Tables of controls and motion: as V4L2 lists them, and any bytes."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.capabilities import Velocity
from devices.emulators.uvc import table
from devices.errors import Garbage
from devices.uvc.camera import Control, decode
from devices.uvc.layout import PAN_ABSOLUTE, PAN_SPEED, QUERY, TILT_SPEED, WRITE_ONLY, ZOOM_CONTINUOUS
from devices.uvc.motion import PERIOD, Motion

SPEED = st.floats(-1, 1)


@given(st.one_of(st.binary(max_size=300), st.binary(min_size=QUERY.size, max_size=QUERY.size)))
def test_any_bytes_are_a_control_or_refused(data: bytes) -> None:
    with contextlib.suppress(Garbage):
        control = decode(data)
        assert control.minimum <= control.maximum


NUMBERS = st.integers(-(2**31), 2**31 - 1)


@given(NUMBERS, NUMBERS, st.integers(0, 2**16), st.floats(-1e12, 1e12))
def test_a_value_is_always_within_its_control(one: int, other: int, step: int, value: float) -> None:
    control = Control(1, 1, "x", min(one, other), max(one, other), step, 0, 0)
    assert control.minimum <= control.nearest(value) <= control.maximum


@given(SPEED, SPEED, SPEED)
def test_speeds_go_the_right_way_and_slow_is_never_nothing(pan: float, tilt: float, zoom: float) -> None:
    motion = Motion.of({control.id: control for control in table("right", absolute=True)})
    values = motion.speed_values(Velocity(pan, tilt, zoom))
    for id, part, most in ((PAN_SPEED, pan, 20), (TILT_SPEED, tilt, 18), (ZOOM_CONTINUOUS, zoom, 7)):
        assert abs(values[id]) <= most
        assert (values[id] > 0) == (part > 0)
        assert (values[id] < 0) == (part < 0)
    assert not motion.steps


@given(SPEED, st.floats(-1e6, 1e6), st.floats(1, 120))
def test_a_step_stays_within_the_axis(part: float, place: float, traverse: float) -> None:
    motion = Motion.of({control.id: control for control in table(None, absolute=True)})
    then = motion.next_place("pan", place, part, traverse)
    assert -468000 <= then <= 468000
    if -400000 < place < 400000 and traverse > 2:
        assert then - place == pytest.approx(part * 936000 * PERIOD / traverse, abs=1e-3)


def test_speeds_that_cannot_be_stopped_are_not_used() -> None:
    motion = Motion.of({control.id: control for control in table("misreported", absolute=True)})
    assert not motion.speeds
    assert motion.steps["pan"].id == PAN_ABSOLUTE
    assert not Motion.of({control.id: control for control in table("misreported", absolute=False)}).moves


def test_a_speed_that_cannot_be_read_is_used_and_a_place_that_cannot_is_not() -> None:
    controls = table("right", absolute=True)
    silent = [replace(one, flags=WRITE_ONLY) for one in controls if one.id in (PAN_SPEED, PAN_ABSOLUTE)]
    assert all(one.usable for one in silent)
    motion = Motion.of({control.id: control for control in silent})
    assert [*motion.speeds] == ["pan"]
    assert not motion.places
