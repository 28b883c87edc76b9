//! DKIM signatures (RFC 6376, RFC 8463): ours made (relaxed/relaxed, RSA-2048 and Ed25519, From oversigned), and anybody's checked.

mod body;
mod canonical;
mod key;
mod signature;
mod verify;

pub use body::BodyHash;
pub use key::{SigningKey, generate_ed25519, generate_rsa, record};
pub use signature::{SIGNED, Signer, seal};
pub use verify::{Checked, KeyRecord, SIGNATURES_MAX, Verdict, is_key, verify};

/// A key that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the DKIM key cannot be used: {0}")]
pub struct KeyError(pub String);

#[cfg(test)]
mod vectors;
