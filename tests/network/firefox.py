"""A Firefox tab with the page of tests/signaling/rtc/browser.py, over web/tools/firefox_tab.js."""

from __future__ import annotations

import asyncio
import json
import shlex
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

WEB = Path(__file__).parents[2] / "web"


class FirefoxTab:
    """What `Tab` is for Chromium."""

    def __init__(self, process: Process, path: str) -> None:
        self._process = process
        self._path = path
        self._one = asyncio.Lock()

    async def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate JavaScript (an expression or a function of one argument)."""
        return await self._ask({"run": script, "argument": argument})

    async def join(self, url: str, token: str) -> None:
        """Open the page and join; returns once media is connected."""
        await self._ask({"open": f"{url}/tab?{self._path}"})
        await self.run("([url, token]) => room.connect(url, token)", [url.replace("http", "ws", 1), token])

    async def screenshot(self, file: Path) -> None:
        """Picture the page."""
        await self._ask({"screenshot": str(file)})

    async def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._one, asyncio.timeout(30):
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            answer = json.loads(await self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]


@asynccontextmanager
async def firefox(path: str = "v1", inside: str = "") -> AsyncIterator[FirefoxTab]:
    """A headless Firefox with fake devices; `inside` is the command that runs others on its host, if that is not this one."""
    process = await asyncio.create_subprocess_exec(
        *shlex.split(inside), "node", "tools/firefox_tab.js", cwd=WEB, stdin=PIPE, stdout=PIPE, limit=1 << 24
    )
    try:
        yield FirefoxTab(process, path)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
