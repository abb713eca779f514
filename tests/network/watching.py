"""What tabs of tests/signaling/rtc/browser.py show: a picture that fills its bitrate, and when each frame was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import msgspec


class Browsing(Protocol):
    """A tab of any browser."""

    async def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate JavaScript."""

    async def join(self, url: str, token: str) -> None:
        """Open the page and join."""


LAYERS = ((240, 135, 150_000), (480, 270, 500_000), (960, 540, 1_500_000))
"""(width, height, bit/s) of the simulcast layers that `film` publishes."""

FRAMES = 12
"""Pictures per second that `film` publishes."""

# A picture that costs what it may, key frames not much more than others: a still shade, noise that jumps within a part of
# it, a name and a number. `detail` is a still pattern over all of it instead of the shade: key frames are then many times
# as large as others, as those of a camera are.
_FILM = """async ([name, layers, detail, rate, source]) => {
  const [width, height, maxBitrate] = layers[layers.length - 1];
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  const tile = new OffscreenCanvas(256, 256);
  const grain = tile.getContext('2d');
  const pixels = grain.createImageData(tile.width, tile.height);
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
  for (let at = 0; at < pixels.data.length; at += 4) {
    const shade = random() & 255;
    pixels.data.set([shade, shade, shade, 255], at);
  }
  grain.putImageData(pixels, 0, 0);
  const shade = pen.createLinearGradient(0, 0, width, height);
  shade.addColorStop(0, '#234'); shade.addColorStop(1, '#9ab');
  const still = new OffscreenCanvas(width, height);
  const brush = still.getContext('2d');
  brush.fillStyle = shade; brush.fillRect(0, 0, width, height);
  brush.globalAlpha = detail;
  for (let x = 0; detail && x < width; x += tile.width)
    for (let y = 0; y < height; y += tile.height) brush.drawImage(tile, x, y);
  let number = 0;
  setInterval(() => {
    number += 1;
    pen.drawImage(still, 0, 0);
    const side = height / 3;
    pen.drawImage(tile, random() % 128, random() % 128, 64, 64, width / 2, height / 2, side, side);
    pen.fillStyle = 'white'; pen.font = `${height / 8}px sans-serif`; pen.fillText(`${name} ${number}`, 8, height / 8);
  }, 1000 / rate);
  const { VideoPreset } = LivekitClient;
  const smaller = layers.slice(0, -1).map(([w, h, bits]) => new VideoPreset(w, h, bits, rate));
  const encoding = { maxBitrate, maxFramerate: rate };
  const options = { source, name: source, simulcast: smaller.length > 0, videoSimulcastLayers: smaller,
    screenShareSimulcastLayers: smaller, videoEncoding: encoding, screenShareEncoding: encoding,
    degradationPreference: 'maintain-resolution' };
  await room.localParticipant.publishTrack(canvas.captureStream(rate).getVideoTracks()[0], options);
}"""

# Remembers in `shown[identity]` when each frame was shown, and what is known of each picture by `shownNow()`.
_WATCH = """() => {
  window.shown = {};
  const watch = (track, who) => {
    if (track.kind !== 'video') return;
    const times = window.shown[who.identity] ??= [];
    const element = track.attachedElements[0];
    const look = (now) => { times.push(now); element.requestVideoFrameCallback(look); };
    element.requestVideoFrameCallback(look);
  };
  for (const who of room.remoteParticipants.values())
    for (const publication of who.trackPublications.values()) if (publication.track) watch(publication.track, who);
  room.on('trackSubscribed', (track, publication, who) => watch(track, who));
}"""

_LOOK = """async () => {
  const pictures = {}, sounds = {};
  for (const [name, stats] of Object.entries(await inbound())) {
    const [identity, kind] = name.split(' ');
    if (kind === 'audio') sounds[identity] = { received: stats.packetsReceived, energy: stats.totalAudioEnergy,
      samples: stats.totalSamplesReceived, concealed: stats.concealedSamples - stats.silentConcealedSamples };
    else pictures[identity] = { frames: stats.framesDecoded ?? 0, width: stats.frameWidth ?? 0, bytes: stats.bytesReceived,
      freezes: stats.freezeCount ?? 0, frozen: (stats.totalFreezesDuration ?? 0) * 1000 };
  }
  return { at: performance.now(), pictures, sounds };
}"""


class Picture(msgspec.Struct):
    """What came of somebody's camera: `frames` decoded, `width` in pixels, `frozen` in ms (all since it began)."""

    frames: int
    width: int
    bytes: int
    freezes: int
    frozen: float


class Sound(msgspec.Struct):
    """What came of somebody's microphone: packets, energy (webrtc-stats), samples played and those made up."""

    received: int
    energy: float
    samples: int
    concealed: int


class Look(msgspec.Struct):
    """Everything a tab receives, by identity; `at` in ms of its own clock."""

    at: float
    pictures: dict[str, Picture]
    sounds: dict[str, Sound]


async def film(
    tab: Browsing,
    name: str,
    layers: Sequence[tuple[int, int, int]] = LAYERS,
    detail: float = 0,
    rate: int = FRAMES,
    source: str = "camera",
) -> None:
    """Publish a moving picture that fills these layers, with so much (0 to 1) still detail, so many times a second.

    `source`: a `camera`, or a `screen_share`.
    """
    await tab.run(_FILM, [name, layers, detail, rate, source])


async def watch(tab: Browsing) -> None:
    """Begin to remember when frames are shown."""
    await tab.run(_WATCH)


async def look(tab: Browsing) -> Look:
    """Count now."""
    return msgspec.convert(await tab.run(_LOOK), Look)


@dataclass(frozen=True)
class Span:
    """What happened between two looks."""

    first: Look
    last: Look

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.last.at - self.first.at) / 1000

    def rate(self) -> float:
        """bit/s of pictures received."""
        return 8 * sum(p.bytes - self._before(who).bytes for who, p in self.last.pictures.items()) / self.seconds

    def frames(self, who: str) -> int:
        """Frames decoded of a person's camera."""
        return self.last.pictures[who].frames - self._before(who).frames

    def frozen(self, who: str) -> float:
        """Milliseconds that a person's picture was frozen, as webrtc-stats defines it."""
        return self.last.pictures[who].frozen - self._before(who).frozen

    def energy(self, who: str) -> float:
        """Sound heard of a person."""
        return self.last.sounds[who].energy - self.first.sounds[who].energy

    def concealed(self, who: str) -> float:
        """Which part of a person's sound had to be made up, 0 to 1."""
        before, after = self.first.sounds[who], self.last.sounds[who]
        return (after.concealed - before.concealed) / max(after.samples - before.samples, 1)

    def _before(self, who: str) -> Picture:
        return self.first.pictures.get(who, Picture(0, 0, 0, 0, 0.0))


async def gaps(tab: Browsing, who: str, span: Span) -> list[float]:
    """Milliseconds between frames shown of a person's camera during a span, the time to its end included."""
    times: list[Any] = await tab.run("(who) => window.shown[who] ?? []", who)
    within = [span.first.at, *(at for at in times if span.first.at < at < span.last.at), span.last.at]
    return [later - earlier for earlier, later in pairwise(within)]
