"""What a relay is started with. The Rust twin is `relay/engine/src/config.rs`."""

from __future__ import annotations

from typing import Literal

import msgspec


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
