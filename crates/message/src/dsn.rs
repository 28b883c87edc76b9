//! Delivery status notifications (RFC 3464 in RFC 6522's multipart/report).

/// A recipient that failed.
#[derive(Clone, Debug)]
pub struct FailedRecipient {
    /// Its address.
    pub address: String,
    /// The enhanced status, `5.1.1`.
    pub status: String,
    /// The remote's reply, code first, where there was one.
    pub remote_reply: Option<String>,
    /// The host that gave it.
    pub remote_host: Option<String>,
    /// In words that a non-expert understands.
    pub reason: String,
}

/// Everything a failure DSN says.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// Our name (Reporting-MTA, From's domain).
    pub hostname: &'a str,
    /// Its own message id, for Message-ID.
    pub message: &'a str,
    /// To whom: the original reverse-path.
    pub recipient: &'a str,
    /// The id of the message that failed.
    pub original: &'a str,
    /// When that arrived, seconds since 1970.
    pub arrived_seconds: u64,
    /// Now, seconds since 1970.
    pub seconds: u64,
    /// Who failed; at least one.
    pub failed: &'a [FailedRecipient],
    /// The header section of the message that failed, returned as text/rfc822-headers.
    pub header: &'a [u8],
}

/// The whole content of the DSN, CRLF line ends, 7-bit unless an address or header needs more.
pub fn compose(_notification: &Notification<'_>) -> Vec<u8> {
    Vec::new()
}
