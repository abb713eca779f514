"""What a relay is started with, and the table of a server's configuration that says it.

The Rust twin of `RelayConfig` is `relay/engine/src/config.rs`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MOST_SHARDS = 64
MOST_FORWARDED = 1000  # voices, cameras of one room


class RelayConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a relay, checked when it starts.

    `bind` holds `ip:port` (IPv6 as `[ip]:port`) of the first shard; shard i listens on port + i, port 0 takes free ones.
    `announce` are the addresses peers reach us at where they are not the bound ones (NAT, a public address); without
    them a wildcard announces the address of the default route. With `tcp`, each port takes TCP
    connections too (RFC 6544), for networks that let no UDP through. Buffers are per socket, in bytes; beyond the system's
    limit they need CAP_NET_ADMIN. `gso` "auto" segments in the kernel until it refuses.
    """

    bind: list[str]
    announce: list[str] = []
    tcp: bool = True
    shards: int = 1
    receive_buffer: int = 8 * 1024 * 1024
    send_buffer: int = 8 * 1024 * 1024
    gso: Literal["auto", "off"] = "auto"
    dtls_retry_ms: int = 100
    dtls_longest_retry_ms: int = 1600
    dtls_handshake_ms: int = 30_000


class Media(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[media]` of a server's configuration, as the server and `relay.doctor` read it.

    Where the relay listens, what it announces, how many shard threads; how much of a room it forwards (None = all).
    """

    bind: list[str] = msgspec.field(default_factory=lambda: ["127.0.0.1:7882"])
    announce: list[str] = []
    tcp: bool = True
    shards: int = 1
    loudest_audio: int | None = None
    last_video: int | None = None

    def mistake(self) -> str | None:
        """The first value that cannot work, with what it may be; addresses are for their readers to check."""
        if not 1 <= self.shards <= MOST_SHARDS:
            return f"media.shards must be 1 to {MOST_SHARDS} (a thread each; usually the number of cores)"
        for name in ("loudest_audio", "last_video"):
            if (limit := getattr(self, name)) is not None and not 1 <= limit <= MOST_FORWARDED:
                return f"media.{name} must be 1 to {MOST_FORWARDED}; leave it out to forward all"
        return None

    def relay(self) -> RelayConfig:
        """What the relay is started with for it."""
        return RelayConfig(bind=self.bind, announce=self.announce, tcp=self.tcp, shards=self.shards)
