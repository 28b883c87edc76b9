//! Mailboxes and paths of an envelope (RFC 5321 §4.1.2, RFC 6531 §3.3).

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

/// Octets of a local part (RFC 5321 §4.5.3.1.1).
pub const LOCAL_OCTETS_MAX: usize = 64;
/// Octets of a domain (RFC 5321 §4.5.3.1.2).
pub const DOMAIN_OCTETS_MAX: usize = 255;
/// Octets of an address: a path of 256 without its brackets (RFC 5321 §4.5.3.1.3).
pub const ADDRESS_OCTETS_MAX: usize = 254;
const LABEL_OCTETS_MAX: usize = 63;

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
    /// Reads an address that mail can be sent to: `local-part@domain` without brackets, the local
    /// part a dot-string or quoted, the domain a name with a dot.
    ///
    /// # Errors
    /// Every [`AddressError`]; what it means to a recipient stands there.
    pub fn parse(text: &str, smtputf8: bool) -> Result<Address, AddressError> {
        let (address, kind) = parse(text, smtputf8)?;
        match kind {
            Kind::Name => Ok(address),
            Kind::Dotless => Err(AddressError::NoDot),
            Kind::Literal => Err(AddressError::Literal),
        }
    }

    /// The part before the last `@`, as spelt.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The domain as DNS and old servers know it: in A-labels (RFC 5890 §2.3.2.1).
    pub fn domain_ascii(&self) -> Cow<'_, str> {
        // a domain beyond ASCII was proved convertible when it was read
        idna::domain_to_ascii_cow(self.domain.as_bytes(), idna::AsciiDenyList::EMPTY)
            .unwrap_or(Cow::Borrowed(&self.domain))
    }

    /// Whether it can be written without SMTPUTF8 as it is.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii() && self.domain.is_ascii()
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

impl ReversePath {
    /// Reads what stood between the brackets. A domain without a dot, or an address literal, is good
    /// syntax: whether it may send is decided elsewhere.
    ///
    /// # Errors
    /// [`AddressError::Syntax`], [`AddressError::TooLong`], [`AddressError::NonAscii`].
    pub fn parse(text: &str, smtputf8: bool) -> Result<ReversePath, AddressError> {
        if text.is_empty() {
            return Ok(ReversePath::Null);
        }
        parse(text, smtputf8).map(|(address, _)| ReversePath::Mailbox(address))
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(address) => address.fmt(f),
        }
    }
}

/// What a domain turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Dotless,
    Literal,
}

fn parse(text: &str, smtputf8: bool) -> Result<(Address, Kind), AddressError> {
    // said first: whoever wrote it may not know that the rest is fine
    if !smtputf8 && !text.is_ascii() {
        return Err(AddressError::NonAscii);
    }
    let (local, domain) = split(text).ok_or(AddressError::Syntax)?;
    let (domain, kind) = parse_domain(domain)?;
    if local.len() > LOCAL_OCTETS_MAX || local.len() + 1 + domain.len() > ADDRESS_OCTETS_MAX {
        return Err(AddressError::TooLong);
    }
    Ok((Address { local: local.into(), domain: domain.into() }, kind))
}

/// A valid local part, and what follows its `@`.
fn split(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted_end(quoted)? + 1;
        let domain = text[end..].strip_prefix('@')?;
        return Some((&text[..end], domain));
    }
    let (local, domain) = text.split_once('@')?;
    let dot_string = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    dot_string.then_some((local, domain))
}

/// Where a quoted string ends, just past its closing quote; `text` begins after the opening one.
fn quoted_end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => return (at > 0).then_some(at + 1),
            (_, '\\') => {
                let (_, escaped) = characters.next()?;
                if !(' '..='~').contains(&escaped) {
                    return None;
                }
            }
            (_, ' '..='~') => {}
            (_, other) if is_beyond_ascii(other) => {}
            _ => return None,
        }
    }
}

fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character) || is_beyond_ascii(character)
}

/// Beyond ASCII, and no control character, nor the sign that stands for broken UTF-8.
fn is_beyond_ascii(character: char) -> bool {
    !character.is_ascii() && !character.is_control() && character != char::REPLACEMENT_CHARACTER
}

fn parse_domain(text: &str) -> Result<(String, Kind), AddressError> {
    if text.starts_with('[') {
        return parse_literal(text);
    }
    if text.len() > DOMAIN_OCTETS_MAX {
        return Err(AddressError::TooLong);
    }
    let domain = if text.is_ascii() { text.to_ascii_lowercase() } else { international(text)? };
    if domain.is_ascii() {
        check_labels(&domain)?;
    }
    let kind = match domain.parse::<Ipv4Addr>() {
        // brackets forgotten: it is no name either
        Ok(_) => Kind::Literal,
        Err(_) if domain.contains('.') => Kind::Name,
        Err(_) => Kind::Dotless,
    };
    Ok((domain, kind))
}

fn parse_literal(text: &str) -> Result<(String, Kind), AddressError> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(AddressError::Syntax)?;
    let good = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b':' | b'-');
    if inside.is_empty() || !inside.bytes().all(good) {
        return Err(AddressError::Syntax);
    }
    Ok((text.to_ascii_lowercase(), Kind::Literal))
}

fn check_labels(domain: &str) -> Result<(), AddressError> {
    for label in domain.split('.') {
        if label.len() > LABEL_OCTETS_MAX {
            return Err(AddressError::TooLong);
        }
        let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') || !label.bytes().all(inner) {
            return Err(AddressError::Syntax);
        }
    }
    Ok(())
}

/// The normal Unicode form of a domain with U-labels (RFC 5891, UTS #46).
fn international(text: &str) -> Result<String, AddressError> {
    let ascii = idna::domain_to_ascii_strict(text).map_err(|_| AddressError::Syntax)?;
    check_labels(&ascii)?;
    if ascii.len() > DOMAIN_OCTETS_MAX {
        return Err(AddressError::TooLong);
    }
    let (unicode, valid) = idna::domain_to_unicode(&ascii);
    valid.map_err(|_| AddressError::Syntax)?;
    // a name whose Unicode form means another name is nobody's
    match idna::domain_to_ascii_cow(unicode.as_bytes(), idna::AsciiDenyList::EMPTY) {
        Ok(again) if again == ascii => Ok(unicode),
        _ => Err(AddressError::Syntax),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<String, AddressError> {
        Address::parse(text, true).map(|address| address.to_string())
    }

    #[test]
    fn good_addresses_are_kept_as_spelt_but_for_the_domains_case() {
        for (text, kept) in [
            ("Jane.Doe+tag@Example.COM", "Jane.Doe+tag@example.com"),
            ("\"a b@c\\\"\"@example.com", "\"a b@c\\\"\"@example.com"),
            ("!#$%&'*+-/=?^_`{|}~@a-b.example", "!#$%&'*+-/=?^_`{|}~@a-b.example"),
            ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
            ("jos\u{e9}@B\u{dc}CHER.example", "jos\u{e9}@b\u{fc}cher.example"),
            ("\u{4e2d}@\u{4f8b}\u{5b50}.\u{5e7f}\u{544a}", "\u{4e2d}@\u{4f8b}\u{5b50}.\u{5e7f}\u{544a}"),
        ] {
            assert_eq!(parsed(text).unwrap(), kept);
        }
    }

    #[test]
    fn a_domain_whose_unicode_form_is_another_domain_is_refused() {
        // its Unicode form begins with another xn--, and would be read as a third domain
        let text = "+@XN--XN--04jrrrrzrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrN--043AA.\u{c3}\u{c3}";
        assert_eq!(parsed(text), Err(AddressError::Syntax));
    }

    #[test]
    fn bad_syntax_is_refused() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@example.com",
            "a b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@b@example.com",
            "a@-b.example",
            "a@b-.example",
            "a@b..example",
            "a@example.com.",
            "a@.example.com",
            "a@b_c.example",
            "\"a@example.com",
            "\"\"@example.com",
            "\"a\"b@example.com",
            "\"a\u{7f}\"@example.com",
            "a@[192.0.2.1",
            "a@[]",
            "a@[x y]",
            "a@exa mple.com",
            "<a@example.com>",
            "a@example.com\u{0}",
            "a\u{85}@b.example",
            "a\u{fffd}@b.example",
            "a@-\u{fc}.example",
            "a@\u{fc}..example",
            "a@xn--\u{fc}.example",
        ] {
            assert_eq!(parsed(text), Err(AddressError::Syntax), "{text:?}");
        }
    }

    #[test]
    fn domains_that_no_mail_reaches_are_told_apart() {
        assert_eq!(parsed("mario@gmail"), Err(AddressError::NoDot));
        assert_eq!(parsed("a@localhost"), Err(AddressError::NoDot));
        assert_eq!(parsed("a@[192.0.2.1]"), Err(AddressError::Literal));
        assert_eq!(parsed("a@[IPv6:2001:db8::1]"), Err(AddressError::Literal));
        assert_eq!(parsed("a@192.0.2.1"), Err(AddressError::Literal));
        for text in ["www-data@localhost", "a@[192.0.2.1]"] {
            assert!(matches!(ReversePath::parse(text, false), Ok(ReversePath::Mailbox(_))));
        }
        assert_eq!(ReversePath::parse("", false), Ok(ReversePath::Null));
    }

    #[test]
    fn lengths_are_held() {
        let local = "l".repeat(64);
        assert!(parsed(&format!("{local}@example.com")).is_ok());
        assert_eq!(parsed(&format!("{local}x@example.com")), Err(AddressError::TooLong));
        let domain = format!("{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(60));
        assert_eq!(parsed(&format!("{local}@{domain}")).unwrap().len(), 253);
        assert!(parsed(&format!("{local}@{domain}d")).is_ok());
        assert_eq!(parsed(&format!("{local}@{domain}dd")), Err(AddressError::TooLong));
        assert_eq!(parsed(&format!("a@{}.example", "d".repeat(64))), Err(AddressError::TooLong));
    }

    #[test]
    fn beyond_ascii_needs_smtputf8() {
        assert_eq!(Address::parse("jos\u{e9}@example.com", false), Err(AddressError::NonAscii));
        assert_eq!(Address::parse("a@b\u{fc}cher.example", false), Err(AddressError::NonAscii));
        let address = Address::parse("a@b\u{fc}cher.example", true).unwrap();
        assert_eq!(address.domain_ascii(), "xn--bcher-kva.example");
        assert!(!address.is_ascii());
    }

    proptest! {
        #[test]
        fn what_was_read_reads_again(text in "[a-zA-Z0-9.\"@ \\\\\\[\\]-]{0,30}|\\PC{0,20}@\\PC{0,20}") {
            if let Ok(address) = Address::parse(&text, true) {
                prop_assert_eq!(Address::parse(&address.to_string(), true), Ok(address));
            }
        }
    }
}
