//! The relay against an independent WebRTC stack (`str0m`), both sans-IO, over a wire in memory and in virtual time.

mod bandwidth;
mod browser;
mod calling;
mod client;
mod connecting;
mod data;
mod garbage;
mod handshake;
mod hostile;
mod hour;
mod media;
mod memory;
mod moving;
mod pair;
mod pressure;
mod rough;
mod world;
