"""What clients do with others only if the server's version, or what it tells of those, allows: calls, compressed text.

livekit-client in Chromium and the Python package. What else depends on the version is tested where it belongs:
`test_simulcast_of_codecs_that_have_layers`, `test_layers_nobody_watches_are_not_sent`.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc
from playwright.async_api import Browser

from tests.signaling.rtc.browser import Tab
from tests.signaling.rtc.world import World
from tests.signaling.test_rtc_python_paths import person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(90)]

_ANSWER = """() => room.registerRpcMethod('greet', async (call) => {
  if (call.payload === 'refuse') throw new LivekitClient.RpcError(1600, 'not now');
  return `${call.callerIdentity} said ${call.payload.length} letters`;
})"""
_CALL = """(payload) => room.localParticipant.performRpc({ destinationIdentity: 'pia', method: 'greet', payload })
  .catch((error) => `refused: ${error.code} ${error.message}`)"""


@pytest.mark.parametrize("path", ["v1", "v0"])
async def test_calls_between_a_browser_and_a_native_client(world: World, browser: Browser, path: str) -> None:
    ann = Tab(await browser.new_page(), path)
    await ann.join(world.url, world.token("ann"))
    await ann.run(_ANSWER)
    async with person(world, "pia", single=path == "v1") as pia, asyncio.timeout(40):

        async def greet(call: rtc.RpcInvocationData) -> str:
            if call.payload == "refuse":
                raise rtc.RpcError(1600, "not now")
            return f"{call.caller_identity} said {len(call.payload)} letters"

        pia.room.local_participant.register_rpc_method("greet", greet)

        async def ask(payload: str) -> str:
            return await pia.room.local_participant.perform_rpc(
                destination_identity="ann", method="greet", payload=payload
            )

        await ann.until("room.remoteParticipants.has('pia')")
        # The last one is over what one data packet takes: it goes as a stream of them, by what the other one says it can.
        for payload in ("hello", "x" * 14_000, "y" * 200_000):
            assert await ann.run(_CALL, payload) == f"ann said {len(payload)} letters"
            assert await ask(payload) == f"pia said {len(payload)} letters"

        # A refusal comes with its code and words.
        assert await ann.run(_CALL, "refuse") == "refused: 1600 not now"
        with pytest.raises(rtc.RpcError) as refused:
            await ask("refuse")
        assert (refused.value.code, refused.value.message) == (1600, "not now")


async def test_what_a_client_can_is_told_to_the_others(world: World, browser: Browser) -> None:
    """By which they choose how to send: text is compressed to those who said that they can read that."""
    ann, bob = Tab(await browser.new_page()), Tab(await browser.new_page())
    for name, tab in (("ann", ann), ("bob", bob)):
        await tab.join(world.url, world.token(name))
    async with person(world, "pia", single=False):  # by the query of path V0, as others do by their join request
        for tab, others in ((ann, 2), (bob, 2)):
            await tab.until(f"room.remoteParticipants.size === {others}")
            told = (
                "[...room.remoteParticipants.values()].map((who) => [who.clientProtocol, who.capabilities.includes(2)])"
            )
            assert await tab.run(told) == [[2, True]] * others
    await bob.run("""() => {
      window.texts = [];
      room.registerTextStreamHandler('t', async (reader, from) => texts.push([from.identity, await reader.readAll()]));
    }""")
    text = "again and again " * 20_000
    sent = "room.engine.pcManager.publisher.getStats().then((report) =>"
    sent += " [...report.values()].find((stats) => stats.type === 'transport').bytesSent)"
    before = await ann.run(f"{sent}")
    await ann.run("(text) => room.localParticipant.sendText(text, { topic: 't' })", text)
    await bob.until("texts.length")
    assert await bob.run("texts") == [["ann", text]]
    assert await ann.run(f"{sent}") - before < len(text) / 4
