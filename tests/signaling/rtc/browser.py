"""Chromium tabs running livekit-client against a media server, and what their getStats say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
LIVEKIT = Path(__file__).parents[3] / "web/node_modules/livekit-client/dist"

_PAGE = """<!doctype html><title>tab</title><script src="/livekit-client.js"></script><script>
const asked = new URLSearchParams(location.search);
const options = { adaptiveStream: asked.has('adaptive'), dynacast: true, singlePeerConnection: !asked.has('v0') };
if (asked.has('small')) options.videoCaptureDefaults = { resolution: { width: 320, height: 180, frameRate: 15 } };
if (asked.has('key')) {   // encrypted end to end
  const keyProvider = new LivekitClient.ExternalE2EEKeyProvider();
  void keyProvider.setKey(asked.get('key'));
  options.e2ee = { keyProvider, worker: new Worker('/livekit-client.e2ee.worker.js') };
}
const room = new LivekitClient.Room(options);
const heard = [];   // names of room events, in order
const data = [];    // [identity, text, topic]
for (const name of Object.values(LivekitClient.RoomEvent)) room.on(name, () => heard.push(name));
room.on('dataReceived', (bytes, who, kind, topic) =>
  data.push([who && who.identity, new TextDecoder().decode(bytes), topic]));
room.on('trackSubscribed', (track) => document.body.append(track.attach()));
async function inbound() {   // receiving side, by publisher identity and kind
  const out = {};
  for (const peer of room.remoteParticipants.values())
    for (const publication of peer.trackPublications.values()) {
      if (!publication.track) continue;
      const report = await publication.track.getRTCStatsReport();
      for (const stats of report ? report.values() : [])
        if (stats.type === 'inbound-rtp') out[peer.identity + ' ' + stats.kind] = stats;
    }
  return out;
}
async function decoded(identity, source) {   // frames of one picture of a participant
  const publication = room.remoteParticipants.get(identity)?.getTrackPublication(source);
  const report = await publication?.track?.getRTCStatsReport();
  const stats = [...(report?.values() ?? [])].find((entry) => entry.type === 'inbound-rtp');
  return stats?.framesDecoded ?? 0;
}
async function sent() {   // what leaves for our camera: [codec, layer] -> active, frames
  const out = {};
  const { sender, simulcastCodecs } = room.localParticipant.getTrackPublication('camera').track;
  for (const one of [sender, ...[...simulcastCodecs.values()].map((entry) => entry.sender)]) {
    const report = await one?.getStats();
    for (const stats of report?.values() ?? [])
      if (stats.type === 'outbound-rtp') {
        const codec = report.get(stats.codecId)?.mimeType ?? '';
        out[`${codec.slice(6)} ${stats.rid ?? ''}`.trim()] = { active: stats.active, frames: stats.framesSent ?? 0 };
      }
  }
  return out;
}
async function share() {   // a screen: a canvas that moves
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const pen = canvas.getContext('2d');
  setInterval(() => { pen.fillStyle = `hsl(${Date.now() / 10 % 360} 80% 50%)`; pen.fillRect(0, 0, 1280, 720); }, 66);
  const track = canvas.captureStream(15).getVideoTracks()[0];
  await room.localParticipant.publishTrack(track, { source: 'screen_share', name: 'screen' });
}
async function transport() {
  const { publisher, subscriber } = room.engine.pcManager;
  const report = await (subscriber ?? publisher).getStats();
  return [...report.values()].find((stats) => stats.type === 'transport');
}
</script><body></body>"""


def routes() -> list[web.RouteDef]:
    """The page and the library, for `serve(routes=…)`."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def library(request: web.Request) -> web.FileResponse:
        return web.FileResponse(LIVEKIT / "livekit-client.umd.js")

    async def worker(request: web.Request) -> web.FileResponse:
        return web.FileResponse(LIVEKIT / "livekit-client.e2ee.worker.js")

    return [
        web.get("/tab", page),
        web.get("/livekit-client.js", library),
        web.get("/livekit-client.e2ee.worker.js", worker),
    ]


class Tab:
    """One tab with one `room`, on path V1 (one peer connection, livekit-client's own choice) or V0.

    `key`: a passphrase for encryption end to end. `small`: its camera is, so that many of them fit one computer. `adaptive`:
    it wants pictures as large as they are shown.
    """

    def __init__(
        self, page: Page, path: str = "v1", *, key: str = "", small: bool = False, adaptive: bool = False
    ) -> None:
        self.page = page
        self.query = path + (f"&key={key}" if key else "") + "&small" * small + "&adaptive" * adaptive
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(message.text))

    async def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate JavaScript (an expression or a function of one argument)."""
        return await self.page.evaluate(script, argument)

    async def join(self, url: str, token: str) -> None:
        """Open the page and join; returns once media is connected."""
        await self.page.goto(f"{url}/tab?{self.query}")
        await self.run("([url, token]) => room.connect(url, token)", [url.replace("http", "ws", 1), token])

    async def until(self, condition: str, seconds: float = 20) -> Any:
        """Wait for an (async) JavaScript condition to be true; its value."""
        last: Any = None
        try:
            async with asyncio.timeout(seconds):
                while not (last := await self.run(f"(async () => {condition})()")):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            inbound = json.dumps(await self.run("inbound()"), indent=1)
            raise AssertionError(f"{condition} never came true: {last}\n{inbound}\n{self.console[-20:]}") from None
        return last

    async def frames(self, identity: str) -> int:
        """Frames decoded so far of a participant's video."""
        stats = (await self.run("inbound()")).get(f"{identity} video", {})
        return int(stats.get("framesDecoded", 0))

    async def more_frames(self, identity: str, count: int = 20) -> None:
        """Wait for that many more decoded frames."""
        target = await self.frames(identity) + count
        await self.until(f"((await inbound())['{identity} video'] || {{}}).framesDecoded >= {target}")


@asynccontextmanager
async def chromium(*flags: str, executable: str = CHROMIUM) -> AsyncIterator[Browser]:
    """A headless browser with fake devices, and these flags besides; `executable` may be a script that starts it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
        yield browser
        await browser.close()
