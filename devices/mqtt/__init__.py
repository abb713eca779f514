"""MQTT sensors: `packets` (the protocol), `broker` (a shared connection), `announcements` (what sensors say of themselves)."""
