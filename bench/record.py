"""The last values measured, `bench/results/latest.json`: a part measured alone takes the place of its own rows only."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec

from bench.rows import Row

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"


def record(rows: list[Row], *, alone: bool, file: Path = RESULTS) -> list[Row]:
    """Write `rows` into the file, `alone` measured in the places of those of their names, else instead of all.

    Returns them with the machine's conditions.
    """
    measured = [_with_machine(row) for row in rows]
    found = {row.name: row for row in _read(file)} if alone else {}
    found |= {row.name: row for row in measured}
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(list(found.values()))) + b"\n")
    return measured


def _read(file: Path) -> list[Row]:
    return msgspec.json.decode(file.read_bytes(), type=list[Row]) if file.exists() else []


def _with_machine(row: Row) -> Row:
    machine = {"machine": f"{os.cpu_count()} cores, Linux {platform.release()}"}
    return msgspec.structs.replace(row, conditions={**row.conditions, **machine})
