"""Browsers that leave right after a document: it is whole at the others before they hear of the leave."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]
SIZE = 4_000_000
"""Bytes of the document."""

LISTEN = """() => {
  window.streams = [];   // of each byte stream its length, or why it broke off; and whether somebody left
  room.registerByteStreamHandler('document', async (reader) => {
    const one = { length: -1 };
    streams.push(one);
    try { one.length = (await reader.readAll()).reduce((sum, part) => sum + part.length, 0); }
    catch (error) { one.length = String(error); }
  });
  room.on('participantDisconnected', () => { streams.gone = true; });
}"""

SEND = """async (size) => {
  const writer = await room.localParticipant.streamBytes({ name: 'a', topic: 'document', totalSize: size });
  await writer.write(new Uint8Array(size));
  await writer.close();
  // What a browser has not sent yet ends with its connection: nobody else has it.
  const channel = room.engine.dataChannelForKind(LivekitClient.DataPacket_Kind.RELIABLE);
  while (channel.bufferedAmount > 0) await new Promise((done) => setTimeout(done, 1));
  await room.disconnect();
}"""


@pytest.mark.parametrize(("one", "other"), [("v1", "v0"), ("v0", "v1")])
async def test_a_document_of_who_leaves_at_once_arrives_whole(
    world: World, browser: Browser, one: str, other: str
) -> None:
    ann, bob = Tab(await browser.new_page(), one), Tab(await browser.new_page(), other)
    await bob.join(world.url, world.token("bob"))
    await bob.run(LISTEN)
    await ann.join(world.url, world.token("ann"))
    await bob.until("room.remoteParticipants.size === 1")
    await ann.run(SEND, SIZE)
    await bob.until("streams.gone && streams.length === 1 && streams[0].length !== -1", 30)
    assert await bob.run("streams[0].length") == SIZE
