"""Every driver with its emulator, and what each fault must lead to: the material of the conformance suite.

A driver family adds a file here with a list `CASES` of `Case`; nothing else is to be registered.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.devices.cases.case import FAILS, WORKS, Breakable, Case, Expected, Rig

__all__ = ["CASES", "FAILS", "MATRIX", "WORKS", "Breakable", "Case", "Expected", "Rig"]


def _collected() -> dict[str, Case]:
    names = sorted(module.name for module in iter_modules(__path__) if module.name != "case")
    families = [import_module(f"{__name__}.{name}").CASES for name in names]
    return {case.name: case for family in families for case in family}


CASES: dict[str, Case] = _collected()
MATRIX = [(name, fault) for name, case in CASES.items() for fault in case.tested if fault != "clock"]
