//! Shards: threads with sockets, timers and batched UDP that drive `relay-core`. The only Rust here that does I/O.
