"""Device nodes of the room's own kernel: opening one, asking it, and finding it again after a replug."""
