//! Probing: a short cluster of packets at a higher rate shows whether more would pass, without a lasting queue.
//!
//! A cluster is asked for when more is wanted than the estimate allows. Media sent meanwhile counts; what is missing is
//! filled up with retransmissions nobody needs, in their own sequence numbers.

/// How long a cluster lasts, µs.
const DURATION: u64 = 15_000;
/// Bytes it has at least and at most.
const LEAST: u64 = 5_000;
const MOST: u64 = 60_000;
/// A cluster that has not come to its end after this is given up, µs.
const STUCK: u64 = 200_000;
/// A cluster is judged by what feedback says within this of its end, µs, beside the round trip.
const JUDGED: u64 = 500_000;
/// Share of the packets that must have arrived.
const ARRIVED: f64 = 0.75;
/// What arrives slower than this share of the sending rate has filled the link.
const FULL: f64 = 0.85;
/// What then is taken of it.
const TAKEN: f64 = 0.92;
/// What arrives this much quicker than it was sent is no measurement.
const INVALID: f64 = 2.0;

/// One cluster.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: u8,
    /// bit/s aimed at.
    target: f64,
    /// Bytes to be sent.
    wanted: u64,
    began: u64,
    last_sent: u64,
    /// Bytes and packets sent, and the bytes of those sent at `last_sent`.
    bytes: u64,
    packets: u64,
    bytes_last: u64,
    ended: Option<u64>,
    /// What arrived: packets, bytes, those of the first, and when.
    arrived: u64,
    missing: u64,
    arrived_bytes: u64,
    arrived_first: u64,
    first: i64,
    last: i64,
}

/// What came of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// So much passed, bit/s; `full` when it was less than aimed at.
    Passed {
        /// bit/s.
        rate: f64,
        /// The link's capacity was reached.
        full: bool,
    },
    /// Nothing can be said.
    Unclear,
}

/// The cluster being sent or judged: one at a time.
#[derive(Debug, Default)]
pub struct Probe {
    cluster: Option<Cluster>,
    last_id: u8,
    /// Clusters begun.
    begun: u64,
}

impl Probe {
    /// Whether a cluster is being sent or judged.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.cluster.is_some()
    }

    /// Clusters begun so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.begun
    }

    /// Begins a cluster at `target` bit/s.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "bytes")]
    pub fn begin(&mut self, target: f64, now: u64) {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.begun += 1;
        self.cluster = Some(Cluster {
            id: self.last_id,
            target,
            wanted: ((target * DURATION as f64 / 8e6) as u64).clamp(LEAST, MOST),
            began: now,
            last_sent: now,
            bytes: 0,
            packets: 0,
            bytes_last: 0,
            ended: None,
            arrived: 0,
            missing: 0,
            arrived_bytes: 0,
            arrived_first: 0,
            first: i64::MAX,
            last: i64::MIN,
        });
    }

    /// Gives the cluster up.
    pub fn cancel(&mut self) {
        self.cluster = None;
    }

    /// The cluster a packet sent now belongs to, 0 for none.
    #[inline]
    #[must_use]
    pub fn sending(&self) -> u8 {
        self.cluster.as_ref().filter(|cluster| cluster.ended.is_none()).map_or(0, |cluster| cluster.id)
    }

    /// Counts a packet sent in the cluster.
    pub fn sent(&mut self, bytes: u64, now: u64) {
        let Some(cluster) = self.cluster.as_mut().filter(|cluster| cluster.ended.is_none()) else { return };
        if cluster.packets == 0 {
            cluster.began = now;
        }
        if cluster.last_sent != now {
            cluster.bytes_last = 0;
        }
        cluster.last_sent = now;
        cluster.bytes += bytes;
        cluster.bytes_last += bytes;
        cluster.packets += 1;
        // The last burst does not count towards the rate.
        if cluster.bytes >= cluster.wanted && cluster.packets >= 4 && cluster.last_sent > cluster.began {
            cluster.ended = Some(now);
        }
    }

    /// Bytes that should be sent now to keep to the cluster's rate, 0 when none is being sent.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "bytes")]
    pub fn due(&self, now: u64, tick: u64) -> u64 {
        let Some(cluster) = self.cluster.as_ref().filter(|cluster| cluster.ended.is_none()) else { return 0 };
        let elapsed = if cluster.packets == 0 { 0 } else { now.saturating_sub(cluster.began) };
        let planned = (cluster.target * (elapsed + tick) as f64 / 8e6) as u64;
        planned.saturating_sub(cluster.bytes)
    }

    /// Counts an arrival of the cluster `id`.
    pub fn arrived(&mut self, id: u8, bytes: u64, arrival: i64) {
        let Some(cluster) = self.cluster.as_mut().filter(|cluster| cluster.id == id && id != 0) else { return };
        if arrival < cluster.first {
            (cluster.first, cluster.arrived_first) = (arrival, bytes);
        }
        cluster.last = cluster.last.max(arrival);
        cluster.arrived += 1;
        cluster.arrived_bytes += bytes;
    }

    /// Counts a loss of the cluster `id`.
    pub fn missing(&mut self, id: u8) {
        if let Some(cluster) = self.cluster.as_mut().filter(|cluster| cluster.id == id && id != 0) {
            cluster.missing += 1;
        }
    }

    /// What came of the cluster, once that is known, or never will be.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    pub fn outcome(&mut self, now: u64) -> Option<Outcome> {
        let cluster = self.cluster.as_ref()?;
        let Some(ended) = cluster.ended else {
            let stuck = now.saturating_sub(cluster.began) > STUCK;
            return stuck.then(|| self.take(Outcome::Unclear));
        };
        let all = cluster.arrived + cluster.missing >= cluster.packets;
        let late = now.saturating_sub(ended) > JUDGED;
        let enough = cluster.arrived as f64 >= ARRIVED * cluster.packets as f64;
        let outcome = match (all || late, enough) {
            (false, _) => return None,
            (true, false) => Outcome::Unclear,
            (true, true) => judge(cluster),
        };
        Some(self.take(outcome))
    }

    fn take(&mut self, outcome: Outcome) -> Outcome {
        self.cluster = None;
        outcome
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts")]
fn judge(cluster: &Cluster) -> Outcome {
    let sending = cluster.last_sent.saturating_sub(cluster.began) as f64;
    let receiving = (cluster.last - cluster.first) as f64;
    if sending < 1_000.0 || receiving < 1_000.0 {
        return Outcome::Unclear;
    }
    let sent = (cluster.bytes - cluster.bytes_last) as f64 * 8e6 / sending;
    let received = cluster.arrived_bytes.saturating_sub(cluster.arrived_first) as f64 * 8e6 / receiving;
    if received > INVALID * sent {
        Outcome::Unclear
    } else if received < FULL * sent {
        Outcome::Passed { rate: TAKEN * received, full: true }
    } else {
        Outcome::Passed { rate: sent.min(received), full: false }
    }
}
