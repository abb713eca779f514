"""What a PJLink device says is wrong with it.

Source: "PJLink Specifications" class 1 (1.04), 4.7 `ERST`; 2.3 `ERR4`, a failure of the device itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wire.problems import Notice

PARTS = ("fan", "lamp", "temperature", "cover", "filter", "other")  # digits of ERST in order
LEVELS = {"1": "warning", "2": "error"}


def read(value: str) -> dict[str, str]:
    """ERST: `warning` or `error` by part; parts that are well are left out."""
    return {part: LEVELS[digit] for part, digit in zip(PARTS, value, strict=False) if digit in LEVELS}


def notice(parts: Mapping[str, str], failed: bool, missing: Sequence[str], there: Sequence[str]) -> Notice | None:
    """What people read first: the worst part, that it `failed`, or what of its inputs is `missing`."""
    if parts:
        return Notice(f"device.{min(parts, key=lambda part: parts[part])}")
    if failed:
        return Notice("device.other")
    return Notice("device.no_input", {"inputs": ", ".join(missing), "there": " ".join(there)}) if missing else None
