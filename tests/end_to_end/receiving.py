"""What a page really received: counts from every RTCPeerConnection's getStats, never a connection state alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import Page

# Runs before the page's own scripts: remembers every peer connection.
WATCH_CONNECTIONS = """
(() => {
  const Native = window.RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) { super(...args); window.connections.push(this); }
  };
})();
"""

_COUNT = """
async () => {
  const streams = [];
  const ciphers = [];
  for (const connection of window.connections ?? []) {
    if (connection.connectionState === 'closed') continue;
    const report = await connection.getStats();
    for (const entry of report.values()) {
      if (entry.type === 'inbound-rtp') {
        streams.push({
          kind: entry.kind, track: entry.trackIdentifier, frames: entry.framesDecoded ?? 0,
          packets: entry.packetsReceived, energy: entry.totalAudioEnergy ?? 0, width: entry.frameWidth ?? 0,
          freezes: entry.freezeCount ?? 0,
        });
      }
      if (entry.type === 'transport' && entry.srtpCipher) ciphers.push(entry.srtpCipher);
    }
  }
  return { streams, ciphers };
}
"""


@dataclass(frozen=True)
class Stream:
    """One received stream. `energy` as webrtc-stats' totalAudioEnergy; `width` in pixels."""

    kind: str
    track: str
    frames: int
    packets: int
    energy: float
    width: int
    freezes: int


@dataclass(frozen=True)
class Received:
    """Everything a page receives now."""

    streams: list[Stream]
    ciphers: list[str]

    def video(self) -> list[Stream]:
        """Received pictures."""
        return [stream for stream in self.streams if stream.kind == "video"]

    def audio(self) -> list[Stream]:
        """Received sounds."""
        return [stream for stream in self.streams if stream.kind == "audio"]

    def shown(self, frames: int) -> int:
        """How many pictures decoded at least `frames` frames."""
        return sum(stream.frames >= frames for stream in self.video())

    def heard(self, energy: float = 1e-7) -> int:
        """How many sounds are not silence."""
        return sum(stream.energy > energy for stream in self.audio())


async def received(page: Page) -> Received:
    """Count now."""
    counted = await page.evaluate(_COUNT)
    return Received([Stream(**stream) for stream in counted["streams"]], counted["ciphers"])


async def until(page: Page, enough: Callable[[Received], bool], seconds: float) -> Received:
    """Wait until what the page received is enough. Raises AssertionError with the last counts."""
    deadline = time.monotonic() + seconds
    while True:
        counts = await received(page)
        if enough(counts):
            return counts
        assert time.monotonic() < deadline, f"not within {seconds} s: {counts}"
        await asyncio.sleep(0.25)


async def still_flows(page: Page, pictures: int, seconds: float) -> float:
    """Wait until `pictures` pictures have each decoded 10 more frames than now; the seconds it took."""
    before = {stream.track: stream.frames for stream in (await received(page)).video()}
    began = time.monotonic()
    await until(
        page,
        lambda now: sum(stream.frames >= before.get(stream.track, 0) + 10 for stream in now.video()) >= pictures,
        seconds,
    )
    return time.monotonic() - began
