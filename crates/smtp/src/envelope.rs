//! What MAIL said about the transaction besides the path (RFC 5321 §4.1.1.11).

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
}
