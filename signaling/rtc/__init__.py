"""LiveKit-compatible media sessions: signal messages, SDP, subscriptions, as commands to the relay."""
