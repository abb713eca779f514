//! What a subscription may be sent.

/// Why a video is withheld from a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Its link does not carry it.
    Bandwidth,
    /// Its publisher is none of those who spoke last.
    LastN,
}

/// What a subscription may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Layers up to this one.
    Upto(u8),
    /// Nothing.
    Nothing(Withheld),
}

impl Grant {
    /// Whatever there is.
    pub const ALL: Self = Self::Upto(u8::MAX);

    /// The highest layer, if any.
    #[must_use]
    pub const fn highest(self) -> Option<u8> {
        match self {
            Self::Upto(layer) => Some(layer),
            Self::Nothing(_) => None,
        }
    }

    /// Why it is nothing.
    #[must_use]
    pub const fn withheld(self) -> Option<Withheld> {
        match self {
            Self::Upto(_) => None,
            Self::Nothing(reason) => Some(reason),
        }
    }
}
