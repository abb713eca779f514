"""One question to a device that is asked again and again, over UDP, until any of its tries is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """`once_more` is what `Context.retrying` tries; a device that is slow would else be asked in vain. `close` it in the end."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        self._ask = ask
        self._tries: set[asyncio.Future[Answer]] = set()

    async def once_more(self) -> Answer:
        """The first answer to any try; raises TimeoutError when every try did, or a DeviceError."""
        self._tries.add(asyncio.ensure_future(self._ask()))
        while self._tries:
            done, self._tries = await asyncio.wait(self._tries, return_when=asyncio.FIRST_COMPLETED)
            if answered := [one for one in done if not isinstance(one.exception(), TimeoutError)]:
                return answered[0].result()
        raise TimeoutError

    async def close(self) -> None:
        """Forget the tries that are not answered."""
        for one in self._tries:
            one.cancel()
        await asyncio.gather(*self._tries, return_exceptions=True)
