//! Why a packet was refused, and how often.

/// The reason a received packet was dropped. The wire name (for statistics) is [`Reason::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Too short for its fixed part, or a length inside it points beyond its end.
    Truncated,
    /// The version bits are not 2.
    Version,
    /// A header extension or padding that contradicts itself.
    Malformed,
    /// SRTP or SRTCP authentication failed.
    Authentication,
    /// Seen before (replay window), or too old to tell.
    Replayed,
    /// No SRTP keys yet.
    NoKeys,
    /// The SSRC is bound to no track and cannot be bound by MID/RID; or feedback about a stream its sender is not sent.
    UnknownStream,
    /// More SSRCs than one transport may send.
    TooManyStreams,
    /// The payload type is not the negotiated one of the track.
    PayloadType,
    /// An RTX packet without an original sequence number, or padding only.
    EmptyRetransmission,
    /// Larger than a stored packet may be.
    TooLarge,
    /// The media packet was already received.
    Duplicate,
    /// The packet is older than what the layer still keeps.
    TooOld,
    /// The track is muted.
    Muted,
    /// An SRTCP packet without encryption.
    Unencrypted,
    /// STUN that does not parse, or came where we have no address.
    StunMalformed,
    /// STUN for a user fragment nobody has.
    StunUnknownUser,
    /// STUN with a wrong password or peer fragment.
    StunUnauthenticated,
    /// More peer addresses than one transport may use.
    StunPaths,
    /// From an address no valid STUN check came from.
    UnknownAddress,
    /// For a transport that has failed or was closed.
    Ended,
    /// Neither STUN nor DTLS nor RTP by its first byte (RFC 7983).
    UnknownProtocol,
    /// DTLS before the peer's SDP was known.
    DtlsEarly,
    /// A DTLS datagram before the handshake that is no part of an acceptable `ClientHello`.
    DtlsHello,
    /// A DTLS record that does not parse or authenticate, or that was seen before.
    DtlsRefused,
    /// An SCTP packet that does not parse, or is of no association.
    SctpMalformed,
    /// SCTP data beyond what may be out of order, incomplete or unacknowledged.
    SctpWindow,
    /// A data channel establishment message that does not parse.
    DcepMalformed,
    /// Data on a stream that was never opened as a channel.
    ChannelUnknown,
    /// More data channels than one transport may have.
    ChannelLimit,
    /// A message over 64 KiB, to send or received.
    DataTooLarge,
    /// A message to send while the peer does not keep up.
    DataBacklog,
    /// Transport-wide feedback about packets that were never sent.
    FeedbackUnsent,
    /// More transport-wide feedback than the packets sent can need.
    FeedbackFlood,
    /// More retransmissions asked for than a subscriber may get.
    NackFlood,
    /// More key frames asked for than a subscriber may have made.
    KeyFrameFlood,
    /// A datagram whose handling panicked: a bug, contained.
    Panicked,
}

impl Reason {
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; 37] = [
        Self::Truncated,
        Self::Version,
        Self::Malformed,
        Self::Authentication,
        Self::Replayed,
        Self::NoKeys,
        Self::UnknownStream,
        Self::TooManyStreams,
        Self::PayloadType,
        Self::EmptyRetransmission,
        Self::TooLarge,
        Self::Duplicate,
        Self::TooOld,
        Self::Muted,
        Self::Unencrypted,
        Self::StunMalformed,
        Self::StunUnknownUser,
        Self::StunUnauthenticated,
        Self::StunPaths,
        Self::UnknownAddress,
        Self::Ended,
        Self::UnknownProtocol,
        Self::DtlsEarly,
        Self::DtlsHello,
        Self::DtlsRefused,
        Self::SctpMalformed,
        Self::SctpWindow,
        Self::DcepMalformed,
        Self::ChannelUnknown,
        Self::ChannelLimit,
        Self::DataTooLarge,
        Self::DataBacklog,
        Self::FeedbackUnsent,
        Self::FeedbackFlood,
        Self::NackFlood,
        Self::KeyFrameFlood,
        Self::Panicked,
    ];

    /// The stable snake-case name used in statistics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Version => "version",
            Self::Malformed => "malformed",
            Self::Authentication => "authentication",
            Self::Replayed => "replayed",
            Self::NoKeys => "no_keys",
            Self::UnknownStream => "unknown_stream",
            Self::TooManyStreams => "too_many_streams",
            Self::PayloadType => "payload_type",
            Self::EmptyRetransmission => "empty_retransmission",
            Self::TooLarge => "too_large",
            Self::Duplicate => "duplicate",
            Self::TooOld => "too_old",
            Self::Muted => "muted",
            Self::Unencrypted => "unencrypted",
            Self::StunMalformed => "stun_malformed",
            Self::StunUnknownUser => "stun_unknown_user",
            Self::StunUnauthenticated => "stun_unauthenticated",
            Self::StunPaths => "stun_paths",
            Self::UnknownAddress => "unknown_address",
            Self::Ended => "ended",
            Self::UnknownProtocol => "unknown_protocol",
            Self::DtlsEarly => "dtls_early",
            Self::DtlsHello => "dtls_hello",
            Self::DtlsRefused => "dtls_refused",
            Self::SctpMalformed => "sctp_malformed",
            Self::SctpWindow => "sctp_window",
            Self::DcepMalformed => "dcep_malformed",
            Self::ChannelUnknown => "channel_unknown",
            Self::ChannelLimit => "channel_limit",
            Self::DataTooLarge => "data_too_large",
            Self::DataBacklog => "data_backlog",
            Self::FeedbackUnsent => "feedback_unsent",
            Self::FeedbackFlood => "feedback_flood",
            Self::NackFlood => "nack_flood",
            Self::KeyFrameFlood => "key_frame_flood",
            Self::Panicked => "panicked",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::error::Error for Reason {}

/// Packets dropped, by reason.
#[derive(Clone, Copy, Debug)]
pub struct Drops([u64; Reason::ALL.len()]);

impl Default for Drops {
    fn default() -> Self {
        Self([0; Reason::ALL.len()])
    }
}

impl Drops {
    /// Counts one packet.
    pub fn count(&mut self, reason: Reason) {
        self.0[reason as usize] += 1;
    }

    /// Counts so many packets, or parts of them.
    pub fn count_many(&mut self, reason: Reason, count: u64) {
        self.0[reason as usize] += count;
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// How many packets were dropped for `reason`.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// The reasons seen at least once, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.iter().copied().map(|reason| (reason, self.of(reason))).filter(|(_, count)| *count > 0)
    }
}
