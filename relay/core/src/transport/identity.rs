//! Who is who in DTLS: our certificate with its configuration, and the fingerprint a peer is held to (RFC 8122).

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dimpl::certificate::{calculate_fingerprint, format_fingerprint, generate_self_signed_certificate};
use dimpl::{Config, DtlsCertificate};

use super::retry::{DtlsTimers, RETRIES, UNBOUNDED};

/// Records waiting in `dimpl`: one 64 KiB message is some sixty records, and each is taken out at once.
const QUEUE: usize = 128;

/// The relay's certificate with its configuration: one for all transports.
#[derive(Clone)]
pub struct Identity {
    pub(super) certificate: DtlsCertificate,
    pub(super) config: Arc<Config>,
    pub(super) timers: DtlsTimers,
}

impl Identity {
    /// A new self-signed ECDSA certificate.
    ///
    /// # Errors
    /// In words, where the timers make no sense or the system has no randomness.
    pub fn generate(timers: DtlsTimers) -> Result<Self, String> {
        let config = Config::builder()
            .use_server_cookie(false) // only ICE-validated addresses reach DTLS: the cookie's job is done
            .max_queue_tx(QUEUE)
            .flight_start_rto(timers.first_retry)
            .flight_retries(RETRIES)
            .handshake_timeout(UNBOUNDED)
            .build()
            .map_err(|error| error.to_string())?;
        let certificate = generate_self_signed_certificate().map_err(|error| error.to_string())?;
        Ok(Self { certificate, config: Arc::new(config), timers })
    }

    /// SHA-256 of the certificate, `AB:CD:…`, for our SDP.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format_fingerprint(&self.certificate.fingerprint())
    }
}

/// SHA-256 of a peer's certificate as its SDP gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Read `AB:CD:…`; `None` unless it is 32 bytes of hex.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut parts = text.trim().split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2 && part.is_ascii())?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }

    /// Whether it is the one of this certificate, DER.
    #[must_use]
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        verify_slices_are_equal(&calculate_fingerprint(certificate), &self.0).is_ok()
    }
}
