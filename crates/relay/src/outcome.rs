//! What a finding of the outbound side means for a recipient: delivered, deferred, soft or hard bounce.

use smtp::reply::Reply;

/// How far the conversation had come when the next hop gave a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    Tls,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The end of the content: a positive reply here delivers.
    Content,
}

/// Why there was no reply to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The domain does not exist, or has neither MX nor address.
    NoSuchDomain(String),
    /// The domain says that it takes no mail (RFC 7505).
    NullMx,
    /// DNS did not answer, or not usefully: never a bounce by itself.
    Dns(String),
    /// DNS named only addresses that must not be dialled (loopback, private, our own…).
    ForbiddenAddress(String),
    /// No host could be connected to.
    Connect(String),
    /// TLS was required and could not be had.
    Tls(String),
    /// The connection broke, or fell silent, before a final reply.
    Lost(String),
    /// The next hop lacks SMTPUTF8 and the message needs it.
    NeedsSmtputf8,
    /// The next hop lacks 8BITMIME and the content needs it.
    NeedsEightBit,
    /// The next hop said something that is not SMTP.
    Protocol(String),
    /// The message is larger than the next hop's SIZE.
    TooLarge(u64),
}

/// What was found out about one recipient in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The next hop's reply that decides about this recipient.
    Replied(Stage, Reply),
    /// There was none.
    Failed(Failure),
}
