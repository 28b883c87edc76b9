//! A reply: code, enhanced status, text (RFC 5321 §4.2, RFC 2034, RFC 3463).

use std::borrow::Cow;
use std::fmt;

/// An enhanced status code, `class.subject.detail` (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// One reply, ours or a remote server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// The enhanced status, where there is one.
    pub enhanced: Option<Enhanced>,
    /// Text lines without code, status or line end; at least one.
    pub lines: Vec<Cow<'static, str>>,
    /// The catalogue's stable name of one of our replies (`replies.rs`); none on a remote's.
    pub reference: Option<&'static str>,
}

impl Reply {
    /// 2xx or 3xx.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// 4xx: may succeed later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// The text on one line, lines joined by a space.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}
