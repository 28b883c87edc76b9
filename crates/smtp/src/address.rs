//! Mailboxes and paths of an envelope (RFC 5321 §4.1.2, RFC 6531 §3.3).

use std::fmt;

/// A mailbox `local-part@domain`, as it may stand in an envelope.
///
/// The local part is kept as the peer spelt it; the domain is kept in lower case, and in its
/// Unicode form where the peer used one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: Box<str>,
    domain: Box<str>,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `local-part@domain` by the grammar of RFC 5321 §4.1.2.
    #[error("the address is not of the form local-part@domain")]
    Syntax,
    /// Local part over 64 octets, domain over 255, or the whole over 254 (RFC 5321 §4.5.3.1).
    #[error("the address is too long")]
    TooLong,
    /// The domain has no dot, so no mail can reach it from here.
    #[error("the domain has no dot")]
    NoDot,
    /// The domain is an address literal, `[192.0.2.1]`.
    #[error("the domain is an address literal")]
    Literal,
    /// Non-ASCII where SMTPUTF8 was not asked for.
    #[error("the address has non-ASCII characters and SMTPUTF8 was not asked for")]
    NonAscii,
}

impl Address {
    /// The part before the last `@`, as spelt.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Where a failure is told: a mailbox, or nobody (`<>`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `MAIL FROM:<>`
    Null,
    /// `MAIL FROM:<local@domain>`
    Mailbox(Address),
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(address) => address.fmt(f),
        }
    }
}
