//! Measuring in turns, and the rows that come of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::limit::Limit;
use crate::parts::{self, Parts};
use crate::relay::Relay;
use crate::setting::Setting;
use crate::{Failure, cpu};

/// The loop may cost this much more than its parts, else the harness itself is in the way.
const SOUND: f64 = 1.1;
/// What a forwarded packet should cost at most, over the limit loop.
const GOAL: f64 = 1.15;

/// One result. `ratio` is `value / limit`; `spread` is the distance of the quartiles over the median of the turns.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Which.
    pub name: String,
    /// Median.
    pub value: f64,
    /// Of `value` and `limit`.
    pub unit: &'static str,
    /// What it is held against.
    pub limit: Option<f64>,
    /// `value / limit`, the median of the turns' own ratios where they were measured in turns.
    pub ratio: Option<f64>,
    /// The ratio should not be above.
    pub goal: Option<f64>,
    /// Of the ratio, or of the value where there is none.
    pub spread: f64,
    /// Under which it holds.
    pub conditions: BTreeMap<&'static str, String>,
}

/// Measures relay and limit in turns at one run length.
///
/// # Errors
/// What did not work, in words.
pub fn measure(setting: &Setting, run: usize, relay: &mut Relay, limit: &mut Limit) -> Result<Vec<Row>, Failure> {
    let (mut costs, mut limits, mut sums, mut apart) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut per_call = 0.0;
    cpu::pin(0, 1);
    for _ in 0..setting.turns {
        limits.push(limit.turn(run, setting.turn)?);
        let turn = relay.turn(run, setting.turn)?;
        costs.push(turn.cost);
        per_call = turn.per_call;
        let parts = parts::measure(setting, run, setting.turn / 4)?;
        sums.push(parts.sum(setting.subscribers));
        apart.push(parts);
    }
    let mut conditions = BTreeMap::from([
        ("packet", format!("{} bytes", setting.packet)),
        ("fan_out", format!("1 -> {}", setting.subscribers)),
        ("gso_run", run.to_string()),
        ("cipher", relay.profile.clone()),
        ("turns", setting.turns.to_string()),
        ("cpu", cpu::model()),
    ]);
    let mut rows = part_rows(run, &apart, &conditions);
    rows.push(compared(format!("limit_loop_run_{run}"), &limits, &sums, SOUND, &conditions));
    conditions.insert("datagrams_per_call", format!("{per_call:.0}"));
    rows.push(compared(format!("forward_run_{run}"), &costs, &limits, GOAL, &conditions));
    Ok(rows)
}

/// One of the parts.
type Part = fn(&Parts) -> f64;

fn part_rows(run: usize, apart: &[Parts], conditions: &BTreeMap<&'static str, String>) -> Vec<Row> {
    let parts: [(&str, Part); 4] = [
        ("receive", |parts| parts.receive),
        ("open", |parts| parts.open),
        ("seal", |parts| parts.seal),
        ("send", |parts| parts.send),
    ];
    let row = |(name, of): (&str, Part)| {
        let values: Vec<f64> = apart.iter().map(of).collect();
        Row {
            name: format!("part_{name}_run_{run}"),
            value: round(median(&values)),
            unit: "µs/packet",
            limit: None,
            ratio: None,
            goal: None,
            spread: round(spread(&values)),
            conditions: conditions.clone(),
        }
    };
    parts.into_iter().map(row).collect()
}

fn compared(
    name: String,
    values: &[f64],
    limits: &[f64],
    goal: f64,
    conditions: &BTreeMap<&'static str, String>,
) -> Row {
    let ratios: Vec<f64> = values.iter().zip(limits).map(|(value, limit)| value / limit).collect();
    Row {
        name,
        value: round(median(values)),
        unit: "µs/packet",
        limit: Some(round(median(limits))),
        ratio: Some(round(median(&ratios))),
        goal: Some(goal),
        spread: round(spread(&ratios)),
        conditions: conditions.clone(),
    }
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Distance of the quartiles over the median.
pub fn spread(values: &[f64]) -> f64 {
    (quantile(values, 0.75) - quantile(values, 0.25)) / median(values)
}

/// Linear between the two nearest.
pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = at * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// To a thousandth.
pub fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let values = [4.0, 1.0, 3.0, 2.0, 5.0];
        assert!((median(&values) - 3.0).abs() < 1e-12);
        assert!((spread(&values) - 2.0 / 3.0).abs() < 1e-12);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-12);
    }
}
