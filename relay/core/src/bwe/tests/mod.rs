//! The estimate on emulated links, in virtual time, with seeded noise.

#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod figures;
mod lies;
mod link;
mod session;
