"""The demo network behind `make run`: supervisor, seed data, emulated rooms. May import everything; nothing imports it."""
