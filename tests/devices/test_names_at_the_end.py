"""A program ends although name servers are silent: nobody waits any more for what they may say."""

from __future__ import annotations

import subprocess
import sys

HANGS = 300.0  # seconds a look-up takes
PATIENCE = 20.0  # seconds that a busy machine may take for what is over at once

PROGRAM = f"""
import asyncio, socket, time

def hang(*_, **__):
    print("asked", flush=True)
    time.sleep({HANGS})

socket.getaddrinfo = hang

from devices.names import NAMES

async def main():
    for _ in range(2):
        tasks = [asyncio.create_task(NAMES.addresses(f"projector-{{number}}.invalid")) for number in range(40)]
        await asyncio.wait(tasks, timeout=0.2)
        for task in tasks:
            task.cancel()
    print("over", flush=True)

asyncio.run(main())
"""


def test_a_program_does_not_wait_for_look_ups_that_hang() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "over"
    assert ended.stdout.count("asked") == 16, "as many threads as there may be, each name once"
