"""pulsectl-asyncio's client, corrected where it trips over a connection that ends while an answer is on its way."""

from __future__ import annotations

import asyncio
from typing import Any

from pulsectl_asyncio.pulsectl_async import PulseAsync


class PulseClient(PulseAsync):  # type: ignore[misc]  # the library has no types
    """A connection to a sound server."""

    waiting_futures: set[asyncio.Future[None]]

    def _pulse_state_cb(self, context: Any, userdata: Any) -> None:
        """Called by libpulse: fails every call that waits, but not those already answered (version 1.3.2 did)."""
        self.waiting_futures = {future for future in self.waiting_futures if not future.done()}
        super()._pulse_state_cb(context, userdata)
