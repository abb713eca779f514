"""The room controller agent: room state machine, scenes, control link, media; serves the room's panel and display."""
