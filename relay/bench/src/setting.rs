//! What is measured, and how long.

use std::time::Duration;

use crate::Failure;

/// The shape of the load. Every number may be given as `--name value`.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Those who receive each packet.
    pub subscribers: usize,
    /// Bytes of a published packet as UDP payload.
    pub packet: usize,
    /// Packets per burst of the publisher, which is also the length of the GSO runs.
    pub runs: Vec<usize>,
    /// Turns of relay and limit; the median counts.
    pub turns: usize,
    /// How long a turn lasts.
    pub turn: Duration,
    /// First of the UDP ports used.
    pub port: u16,
}

impl Setting {
    /// Reads `--subscribers 50 --packet 1100 --runs 1,4,16 --turns 7 --millis 400 --port 20000`, each optional.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut setting = Self {
            subscribers: 50,
            packet: 1100,
            runs: vec![1, 4, 16],
            turns: 7,
            turn: Duration::from_millis(400),
            port: 20_000,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--subscribers" => setting.subscribers = value.parse()?,
                "--packet" => setting.packet = value.parse()?,
                "--runs" => setting.runs = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "--turns" => setting.turns = value.parse()?,
                "--millis" => setting.turn = Duration::from_millis(value.parse()?),
                "--port" => setting.port = value.parse()?,
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        let usable = (1..=64).contains(&setting.subscribers)
            && (200..=1200).contains(&setting.packet)
            && setting.runs.iter().all(|run| (1..=32).contains(run))
            && setting.turns > 0;
        usable.then_some(setting).ok_or_else(|| "subscribers 1-64, packet 200-1200, runs 1-32, turns 1-".into())
    }
}
