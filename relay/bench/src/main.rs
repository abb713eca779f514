//! What forwarding a packet costs the relay, against the bare limit of the machine it runs on.
//!
//! One publisher sends bursts of 1,100-byte packets over loopback, 50 subscribers take them. The *limit loop* does only what
//! cannot be avoided: receive (`recvmmsg`, GRO), open AES-GCM, seal AES-GCM once per subscriber, send (`sendmmsg`, GSO). Its
//! parts are also measured apart: a sound loop costs no more than 1.1 times their sum. The relay does the same job behind
//! real ICE, DTLS and SRTP, in its own engine. Both are measured in turns in the same run, as CPU time (user and system) of
//! the forwarding thread per forwarded packet, and compared at the same number of packets per GSO run.
//!
//! Prints the rows as one JSON list; see [`row::Row`].
#![deny(missing_docs)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of packets and microseconds"
)]

mod cpu;
mod keyframe;
mod limit;
mod load;
mod offload;
mod parts;
mod peer;
mod relay;
mod row;
mod setting;

use setting::Setting;

/// A failed measurement ends the run: its words go to the user.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let setting = Setting::from_arguments(std::env::args().skip(1))?;
    let mut relay = relay::Relay::start(&setting)?;
    let mut limit = limit::Limit::start(&setting)?;
    let mut rows = Vec::new();
    for run in setting.runs.clone() {
        rows.extend(row::measure(&setting, run, &mut relay, &mut limit)?);
    }
    relay.close();
    // Its sockets are where the next relay's will be.
    drop(limit);
    rows.push(keyframe::measure(&setting)?);
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
