"""Runs the real command as a process, beside the emulators of a test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

WITHIN = 40.0  # seconds for one command on a busy machine


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return msgspec.json.decode(self.out)


async def roomctl(*words: str, environment: Mapping[str, str] | None = None) -> Ran:
    """`roomctl WORDS…`; no trace of an exception may ever be printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "roomctl",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Ran(process.returncode, out.decode(), err.decode())


def at(driver: str, address: tuple[str, int], **settings: str) -> tuple[str, ...]:
    """Options that name one device."""
    said = {"host": address[0], "port": str(address[1]), **settings}
    return ("--driver", driver, *(word for key, value in said.items() for word in ("--set", f"{key}={value}")))
