//! What an envelope is made of: paths as they are read, with the reply to those that cannot be, and what MAIL and RCPT
//! said besides the path (RFC 5321 §4.1.1.11).

use crate::address::{Address, AddressError, ReversePath};
use crate::dsn::{Notify, Ret};
use crate::replies;
use crate::reply::Reply;

/// How the client declared its content (RFC 6152).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Body {
    /// `BODY=7BIT`, or nothing said.
    #[default]
    SevenBit,
    /// `BODY=8BITMIME`
    EightBitMime,
}

/// The parameters of MAIL that this server honours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// `SIZE=`, octets (RFC 1870).
    pub size: Option<u64>,
    /// `BODY=`
    pub body: Body,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `AUTH=` was given: parsed, not trusted (RFC 4954 §5).
    pub auth: bool,
    /// `RET=` (RFC 3461 §4.3).
    pub ret: Option<Ret>,
    /// `ENVID=`, as it was sent (RFC 3461 §4.4).
    pub envid: Option<Box<str>>,
    /// `REQUIRETLS` (RFC 8689 §2).
    pub require_tls: bool,
    /// `MT-PRIORITY=`, from -9 to 9 (RFC 6710 §3).
    pub priority: Option<i8>,
}

/// The parameters of RCPT: what the sender wants to hear about this recipient (RFC 3461).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParameters {
    /// `NOTIFY=`; none where it was not given, which is no `NEVER`.
    pub notify: Option<Notify>,
    /// `ORCPT=`, as it was sent.
    pub orcpt: Option<Box<str>>,
}

/// Reads a reverse-path, without its brackets. `smtputf8`: the client asked for it.
///
/// # Errors
/// The reply that refuses it.
pub fn reverse_path(text: &str, smtputf8: bool) -> Result<ReversePath, Reply> {
    ReversePath::parse(text, smtputf8).map_err(|error| match error {
        AddressError::NonAscii => replies::sender_not_ascii(),
        error => replies::sender_syntax(&error.to_string()),
    })
}

/// Reads a forward-path, without its brackets. `smtputf8`: the client asked for it.
///
/// # Errors
/// The reply that refuses it.
pub fn forward_path(text: &str, smtputf8: bool) -> Result<Address, Reply> {
    Address::parse(text, smtputf8).map_err(|error| match error {
        AddressError::Literal => replies::recipient_literal(),
        AddressError::NonAscii => replies::recipient_not_ascii(),
        error => replies::recipient_syntax(&error.to_string()),
    })
}
