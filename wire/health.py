"""Signals with a lifetime, and the verdict drawn from them. An expired signal is unknown, never ok."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wire.problems import Notice


class Status(StrEnum):
    """What one signal says of its subject."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One observation. `subject` is `agent` or a device id; `observed_at` Unix seconds; `ttl` seconds."""

    code: str
    subject: str
    status: Status
    observed_at: float
    ttl: float
    value: str | int | float | bool | None = None


class Health(StrEnum):
    """The answer about a room."""

    READY = "ready"
    DEGRADED = "degraded"
    UNUSABLE = "unusable"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room's verdict: why, and what to do next and who can. `since` and `observed_at` are Unix seconds.

    `observed_at` is the age of the oldest fact it rests on: pages show it, and turn the verdict unknown when it is old.
    """

    health: Health
    because: list[Notice] = []
    next_step: Notice | None = None
    who: str = ""
    since: float | None = None
    observed_at: float | None = None
