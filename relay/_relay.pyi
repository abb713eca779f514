"""Typed stub of the PyO3 binding (`relay/python`)."""

class Engine:
    """A running relay: shard threads, sockets, and two queues."""

    def __init__(self, config: bytes) -> None:
        """Start from a msgpack-coded `RelayConfig`. Raises OSError (address in use…), ValueError (bad config)."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DTLS certificate, `AB:CD:…`."""

    def candidates(self, room: str) -> list[tuple[str, int, str]]:
        """(address, port, "udp" or "tcp") to announce for transports of `room`: the ports of its home shard."""

    def submit(self, commands: bytes) -> None:
        """Queue a msgpack array of commands. Raises ValueError where they cannot be decoded."""

    def event_fd(self) -> int:
        """An eventfd readable when events wait."""

    def drain(self) -> bytes:
        """Take all waiting events as one msgpack array; resets the eventfd."""

    def close(self) -> None:
        """Stop threads and close sockets; releases the GIL while it waits."""
