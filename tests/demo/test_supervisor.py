"""The supervisor restarts what dies and ends everything it started."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from demo.supervisor import NotStarted, Process, Supervisor


def process(folder: Path, code: str) -> Process:
    marker = folder / "ready"
    script = f"open({str(marker)!r}, 'a').write('x')\n{code}"

    async def ready() -> bool:
        return marker.exists()

    return Process("child", (sys.executable, "-c", script), folder / "child.log", ready)


async def lives(folder: Path, count: int) -> None:
    """Wait until the child began its `count`th life."""
    async with asyncio.timeout(20):
        while not (folder / "ready").exists() or len((folder / "ready").read_text()) < count:
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_process_is_started_again_and_ended_at_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor(said.append) as supervisor:
        await supervisor.start(process(tmp_path, "import time; time.sleep(60)"))
        first = supervisor.pids()["child"]
        os.kill(first, signal.SIGKILL)
        await lives(tmp_path, 2)
        async with asyncio.timeout(5):
            while (second := supervisor.pids().get("child", first)) == first:
                await asyncio.sleep(0.02)
        assert alive(second)
    assert not alive(second)
    assert "starting it again" in said[0]


async def test_children_of_a_process_end_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'grandchild')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    async with Supervisor(print) as supervisor:
        await supervisor.start(process(tmp_path, code))
        async with asyncio.timeout(10):
            while not (tmp_path / "grandchild").exists() or not (tmp_path / "grandchild").read_text():
                await asyncio.sleep(0.02)
        grandchild = int((tmp_path / "grandchild").read_text())
        assert alive(grandchild)
    assert not alive(grandchild) or Path(f"/proc/{grandchild}/stat").read_text().split()[2] == "Z"


async def test_one_that_never_serves_is_named_with_its_log(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    broken = Process("broken", (sys.executable, "-c", "raise SystemExit('no licence')"), tmp_path / "broken.log", never)
    async with Supervisor(print) as supervisor:
        with pytest.raises(NotStarted, match="no licence"):
            await supervisor.start(broken, timeout=3)
