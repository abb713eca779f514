"""Axes that have no speed: a step of their position each period, until halted."""

from __future__ import annotations

import asyncio

from devices.errors import DeviceError
from devices.uvc.camera import V4l2Camera
from devices.uvc.motion import PERIOD, Motion


class Steps:
    """`go` takes the first step itself, so that a camera that refuses it says so; `run` takes those that follow."""

    def __init__(self, camera: V4l2Camera, motion: Motion, traverse: float) -> None:
        self._camera = camera
        self._motion = motion
        self._traverse = traverse
        self._going: dict[str, float] = {}  # axis -> part of the fastest
        self._place: dict[str, float] = {}  # where the axes were told to be
        self._begun = asyncio.Event()
        self._turn = asyncio.Lock()  # a step is not under way while a halt is carried out

    async def go(self, going: dict[str, float]) -> None:
        """These axes from now on, from where the camera is when none went; raises DeviceError."""
        async with self._turn:
            fresh, self._going = not self._going, going
            if not (going and fresh):
                return
            try:
                self._place = {**await self._camera.place(self._motion)}
                await self._step()
            except BaseException:
                self._going = {}
                raise
            self._begun.set()

    async def halt(self) -> None:
        """No axis goes, and no step is under way."""
        self._going = {}
        async with self._turn:
            return

    async def run(self) -> None:
        """Until cancelled. A step that the camera refuses is the last one."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            while self._going:
                await asyncio.sleep(PERIOD)
                async with self._turn:
                    try:
                        await self._step()
                    except DeviceError as error:
                        if not error.about_command:
                            raise
                        self._going = {}

    async def _step(self) -> None:
        steps, going = self._motion.steps, self._going
        for axis, part in going.items():
            self._place[axis] = self._motion.next_place(axis, self._place[axis], part, self._traverse)
        if going:
            await self._camera.write({steps[axis].id: steps[axis].nearest(self._place[axis]) for axis in going})
