"""The JSON control API `/api/v1` and the live WebSocket."""
