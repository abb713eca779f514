"""VISCA cameras: over IP (UDP 52381, with or without header) and raw over TCP (5678)."""
