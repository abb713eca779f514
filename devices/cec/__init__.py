"""HDMI-CEC: a television and an audio system on the line of an HDMI output."""
