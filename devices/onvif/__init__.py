"""ONVIF cameras: `soap` (envelopes), `camera` (what is asked of one), `search` (WS-Discovery)."""
