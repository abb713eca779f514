//! The media relay's sans-IO core: bytes and time in, bytes and events out.
//!
//! No sockets, threads, clocks or unsafe code. A shell (`relay-engine`) feeds datagrams, commands and `now` to a
//! [`relay::Relay`], and sends what comes out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bytes;
pub mod drop;
pub mod message;
pub mod outbox;
pub mod relay;
pub mod rtp;
pub mod sctp;
pub mod srtp;
pub mod switch;
pub mod transport;
pub mod wire;
