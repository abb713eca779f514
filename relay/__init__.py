"""The media relay: an SFU in Rust behind an asyncio face.

relay = Relay.start(RelayConfig(bind=["127.0.0.1:7882"]))
relay.listen(on_events)                 # called on the loop with a list of events, a batch per wake-up
relay.submit(OpenTransport(...), ...)   # never blocks
stats = await relay.stats(room="demo")
relay.close()
"""
