"""The audio system on a CEC line: an amplifier or a sound bar, at its own logical address."""

from __future__ import annotations

from devices.cec.adapter import CecAdapter
from devices.cec.frames import AUDIO, Frame, Key, Opcode
from devices.context import Context
from devices.errors import NotSupported, Rejected

STEP = 1  # how near, in hundredths, a volume that goes by steps must come
MOST_STEPS = 100


class AudioSystem:
    """Its volume and mute. `answers`: it was there when last asked."""

    def __init__(self, context: Context, adapter: CecAdapter) -> None:
        self._context = context
        self._adapter = adapter
        self._by_steps = False  # it does not take a volume as such
        self.answers = False

    def hear(self, frame: Frame) -> None:
        """What it says."""
        if frame.aborted == Opcode.SET_AUDIO_VOLUME_LEVEL:
            self._by_steps = True
        if frame.audio is not None:
            level, muted = frame.audio
            self._context.report("volume", None if level is None else level / 100)
            self._context.report("mute", muted)

    async def look(self) -> None:
        """Is it there, and what does it say."""
        try:
            await self._status(sure=self.answers)
            self.answers = True
        except (Rejected, NotSupported):
            self.answers = False

    async def set_volume(self, wanted: int) -> None:
        """0 to 100: at once where it can, else by steps as with its remote."""
        if not self._by_steps:
            await self._adapter.send(AUDIO, Opcode.SET_AUDIO_VOLUME_LEVEL, bytes([wanted]))
            if (await self._level()) == wanted:
                return
        level = await self._level()
        for _ in range(MOST_STEPS):
            if abs(level - wanted) <= STEP:
                return
            await self._press(Key.VOLUME_UP if level < wanted else Key.VOLUME_DOWN)
            before, level = level, await self._level()
            if level == before or (level - wanted) * (before - wanted) <= 0:
                return  # as near as its steps go
        raise Rejected("its volume does not follow")

    async def set_mute(self, on: bool) -> None:
        """By the key that says which, then by the one that changes it."""
        for key in (Key.MUTE_ON if on else Key.MUTE_OFF, Key.MUTE):
            if (await self._status())[1] is on:
                return
            await self._press(key)
        if (await self._status())[1] is not on:
            raise Rejected("its mute does not follow")

    async def _level(self) -> int:
        level = (await self._status())[0]
        if level is None:
            raise Rejected("it does not say its volume")
        return level

    async def _status(self, *, sure: bool = True) -> tuple[int | None, bool | None]:
        answer = await self._adapter.ask(AUDIO, Opcode.GIVE_AUDIO_STATUS, Opcode.REPORT_AUDIO_STATUS, sure=sure)
        return answer.audio if answer and answer.audio else (None, None)

    async def _press(self, key: Key) -> None:
        released = False
        try:
            await self._adapter.send(AUDIO, Opcode.USER_CONTROL_PRESSED, bytes([key]))
            await self._adapter.send(AUDIO, Opcode.USER_CONTROL_RELEASED)
            released = True
        finally:
            if not released:  # a deadline may end us here: a key that stays down goes on to change the volume
                self._adapter.tell(AUDIO, Opcode.USER_CONTROL_RELEASED)
