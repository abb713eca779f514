"""pulsectl-asyncio's client, corrected where it trips over a connection or a stream that ends with something on its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from pulsectl import _pulsectl as native
from pulsectl_asyncio.pulsectl_async import PulseAsync

SAMPLE = 4  # bytes of one float
WAITING = 64  # peaks that may wait to be read; more are forgotten
FLAGS = native.PA_STREAM_DONT_MOVE | native.PA_STREAM_PEAK_DETECT | native.PA_STREAM_ADJUST_LATENCY


class PulseClient(PulseAsync):  # type: ignore[misc]  # the library has no types
    """A connection to a sound server."""

    waiting_futures: set[asyncio.Future[None]]

    def _pulse_state_cb(self, context: Any, userdata: Any) -> None:
        """Called by libpulse: fails every call that waits, but not those already answered (version 1.3.2 did)."""
        self.waiting_futures = {future for future in self.waiting_futures if not future.done()}
        super()._pulse_state_cb(context, userdata)

    async def peaks(self, source: str, rate: int) -> AsyncGenerator[float, None]:
        """Peaks of 0..1 of a source, `rate` a second; raises PulseError, PulseDisconnected.

        The library's own (version 1.3.2) lets its callback go while the server still sends, and the process dies: here the
        stream forgets the callback first.
        """
        heard: asyncio.Queue[float] = asyncio.Queue(WAITING)

        def read(stream: Any, length: int, _: Any) -> None:
            size, data = native.c_int(length), native.c_void_p()
            native.pa.stream_peek(stream, data, native.byref(size))
            if data and size.value >= SAMPLE and not heard.full():
                heard.put_nowait(native.cast(data, native.POINTER(native.c_float))[0])
            if size.value:
                native.pa.stream_drop(stream)

        callback = native.PA_STREAM_REQUEST_CB_T(read)
        stream = self._peak_stream(rate)
        try:
            native.pa.stream_set_read_callback(stream, callback, None)
            fragment = native.PA_BUFFER_ATTR(fragsize=SAMPLE, maxlength=2**32 - 1)
            native.pa.stream_connect_record(stream, source.encode(), fragment, FLAGS)
            while True:
                yield await self._wait_disconnect_or(heard.get())
        finally:
            native.pa.stream_set_read_callback(stream, native.PA_STREAM_REQUEST_CB_T(), None)
            with contextlib.suppress(native.pa.CallError):  # it may never have been connected, or be gone
                native.pa.stream_disconnect(stream)
            native.pa.stream_unref(stream)

    def _peak_stream(self, rate: int) -> Any:
        properties = native.pa.proplist_from_string("")
        samples = native.PA_SAMPLE_SPEC(format=native.PA_SAMPLE_FLOAT32NE, rate=rate, channels=1)
        try:
            return native.pa.stream_new_with_proplist(self._ctx, "peak detect", native.byref(samples), None, properties)
        finally:
            native.pa.proplist_free(properties)
