"""LiveKit's server API (Twirp) and webhooks, so that its server SDKs work unchanged. See `docs/livekit.md`."""

from signaling.server_api.twirp import ServerApi
from signaling.server_api.webhooks import Webhooks

__all__ = ["ServerApi", "Webhooks"]
