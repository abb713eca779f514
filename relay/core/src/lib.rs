//! The media relay's sans-IO core: bytes and time in, bytes and events out.
//!
//! No sockets, threads, clocks or unsafe code. A [shell](../relay_engine/index.html) feeds datagrams, commands and `now`,
//! and sends what comes out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bytes;
pub mod drop;
pub mod message;
pub mod outbox;
pub mod rtp;
pub mod srtp;
pub mod switch;
