"""Volume and mute of a PulseAudio (or PipeWire) sink or source."""
