"""The directory of centers and rooms: pure rules."""
