//! The media relay's sans-IO core: bytes and time in, bytes and events out.
//!
//! No sockets, threads, clocks or unsafe code. A shell (`relay-engine`) feeds datagrams, commands and `now` to a
//! [`relay::Relay`], and sends what comes out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        clippy::verbose_bit_mask,
        reason = "tests make numbers that fit"
    )
)]

pub mod allocate;
mod arena;
pub mod bwe;
mod bytes;
pub mod codec;
pub mod drop;
pub mod egress;
pub mod flight;
pub mod forward;
mod ingress;
pub mod layer;
pub mod message;
#[cfg(test)]
mod noise;
pub mod outbox;
mod pacer;
pub mod relay;
pub mod remb;
pub mod ring;
pub mod rtcp;
pub mod rtp;
pub mod sctp;
pub mod speaker;
pub mod srtp;
pub mod switch;
pub mod track;
pub mod transport;
pub mod twcc;
pub mod wire;
