"""Media signaling: tokens in, LiveKit messages both ways, relay commands out."""
