"""Signals, memory and back-off."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from roomctl.backoff import Backoff
from roomctl.media.endpoint import Published
from roomctl.memory import Kept, Memory
from roomctl.report import Reporter
from roomctl.room import Remembered, Switches
from roomctl.signals import Vitals, observe
from wire.devices import Connection, Device, Role
from wire.health import Status
from wire.link import Phase

CAMERA = Device("cam", Role.MAIN_CAMERA, "visca", "Camera", Connection.ONLINE)


def status(vitals: Vitals, code: str, phase: Phase = Phase.IDLE, published: Published | None = None) -> Status | None:
    signals = observe(vitals, {"cam": CAMERA}, phase, published or Published(), 100.0)
    assert all(signal.ttl > 0 and signal.observed_at == 100.0 for signal in signals)
    return next((signal.status for signal in signals if signal.code == code), None)


@pytest.mark.parametrize(
    ("drift", "expected"),
    [(None, Status.UNKNOWN), (0.1, Status.OK), (-3.0, Status.WARN), (45.0, Status.BAD)],
)
def test_clock_drift(drift: float | None, expected: Status) -> None:
    assert status(Vitals(drift, 0.5), "clock_drift") is expected


@pytest.mark.parametrize(
    ("free", "expected"), [(None, Status.UNKNOWN), (0.5, Status.OK), (0.05, Status.WARN), (0.0, Status.BAD)]
)
def test_disk(free: float | None, expected: Status) -> None:
    assert status(Vitals(0.0, free), "disk_free") is expected


def test_media_counts_in_a_meeting_only() -> None:
    vitals = Vitals(0.0, 0.5)
    assert status(vitals, "media_joined") is None
    assert status(vitals, "media_joined", Phase.IN_MEETING) is Status.BAD
    assert status(vitals, "media_joined", Phase.IN_MEETING, Published(connected=True)) is Status.OK


def test_only_changes_are_reported_and_everything_on_a_new_link() -> None:
    reporter = Reporter()
    first = reporter.changes(Phase.IDLE, None, {"cam": CAMERA}, [])
    assert first is not None
    assert set(first.devices) == {"cam"}
    assert reporter.changes(Phase.IDLE, None, {"cam": CAMERA}, []) is None
    moved = reporter.changes(Phase.CALLING, "m1", {"cam": CAMERA}, [])
    assert moved is not None
    assert (moved.phase, moved.meeting, moved.devices) == (Phase.CALLING, "m1", {})
    reporter.forget()
    again = reporter.changes(Phase.CALLING, "m1", {"cam": CAMERA}, [])
    assert again is not None
    assert set(again.devices) == {"cam"}


def test_memory_outlives_the_agent_and_garbage_is_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "lln-lauzelle")
    assert memory.read() == Kept()
    kept = Kept(Remembered("m1", Switches(True, False)), 0.25)
    assert memory.note(kept)
    memory.write()
    assert Memory(tmp_path, "lln-lauzelle").read() == kept
    assert memory.note(Kept(None, 0.25))
    memory.write()
    assert Memory(tmp_path, "lln-lauzelle").read() == Kept(None, 0.25)
    for garbage in ("{", "[]", '{"volume": 7}', '{"meeting": 1}'):
        (tmp_path / "lln-lauzelle.json").write_text(garbage)
        assert Memory(tmp_path, "lln-lauzelle").read() == Kept()


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file", "lln-lauzelle")
    assert memory.note(Kept(volume=0.5))
    memory.write()
    assert not memory.note(Kept(volume=0.5))


def test_waits_are_jittered_grow_and_start_again() -> None:
    backoff = Backoff(Random(1))
    waits = [backoff.wait() for _ in range(200)]
    assert waits[0] <= 2.0
    assert max(waits) <= 30.0
    assert max(waits[100:]) > 20.0
    assert min(waits[100:]) < 5.0
    backoff.succeeded()
    assert backoff.wait() <= 2.0
