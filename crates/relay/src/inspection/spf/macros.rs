//! Macros in SPF records (RFC 7208 §7): names that are made of who sends.

use std::net::IpAddr;

/// Octets of a name (RFC 1035 §2.3.4), to which what is longer is cut from the left (RFC 7208 §7.3).
const NAME_OCTETS_MAX: usize = 253;
/// Octets that macros may make before that: a record of nothing but macros is no name.
const MADE_OCTETS_MAX: usize = 4 * 1024;
/// What parts the labels of a value.
const DELIMITERS: &str = ".-+,/_=";

/// Who sends, as RFC 7208 §2.1 and §2.4 have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The address that the connection comes from.
    pub address: IpAddr,
    /// What stands before the @ of MAIL FROM; `postmaster` where that is the null reverse-path.
    pub local: String,
    /// What stands behind it; the name of EHLO where it is null.
    pub domain: String,
    /// The name of EHLO.
    pub hello: String,
}

/// What a text with macros means where the record is this domain's; none: it is none (RFC 7208 §7.1).
pub(super) fn expanded(text: &str, sender: &Sender, domain: &str) -> Option<String> {
    let made = replaced(text, |letter| {
        Some(match letter {
            's' => format!("{}@{}", sender.local, sender.domain),
            'l' => sender.local.clone(),
            'o' => sender.domain.clone(),
            'd' => domain.to_owned(),
            'i' => spelt(sender.address),
            // nobody is to use it, and it may always be this (RFC 7208 §7.3)
            'p' => "unknown".to_owned(),
            'v' => zone(sender.address).to_owned(),
            'h' => sender.hello.clone(),
            _ => return None,
        })
    })?;
    let mut name = made.as_str();
    while name.len() > NAME_OCTETS_MAX {
        name = name.split_once('.')?.1;
    }
    Some(name.to_owned())
}

/// Whether a text has no macro that is none.
pub(super) fn is_one(text: &str) -> bool {
    replaced(text, |letter| "slodipvh".contains(letter).then(String::new)).is_some()
}

/// The name at which it stands what an address is called (RFC 1035 §3.5, RFC 3596 §2.5).
pub(super) fn reverse_name(address: IpAddr) -> String {
    format!("{}.{}.arpa", reversed(address), zone(address))
}

/// An address as names below which it is looked up have it: its octets, or of IPv6 its nibbles, the last first.
pub fn reversed(address: IpAddr) -> String {
    let spelt = spelt(address);
    let labels: Vec<&str> = spelt.split('.').rev().collect();
    labels.join(".")
}

fn zone(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "in-addr" } else { "ip6" }
}

/// An address as it stands in names: IPv4 as ever, IPv6 by its nibbles.
fn spelt(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

fn replaced(text: &str, value_of: impl Fn(char) -> Option<String>) -> Option<String> {
    let (mut made, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('%') {
        made.push_str(before);
        rest = match behind.split_at_checked(1)? {
            ("%", rest) => {
                made.push('%');
                rest
            }
            ("_", rest) => {
                made.push(' ');
                rest
            }
            ("-", rest) => {
                made.push_str("%20");
                rest
            }
            ("{", rest) => {
                let (inside, rest) = rest.split_once('}')?;
                made.push_str(&one(inside, &value_of)?);
                rest
            }
            _ => return None,
        };
        if made.len() > MADE_OCTETS_MAX {
            return None;
        }
    }
    made.push_str(rest);
    Some(made)
}

/// What stands between the braces: a letter, how many labels from the right, `r` for the other way round, what parts them.
fn one(inside: &str, value_of: &impl Fn(char) -> Option<String>) -> Option<String> {
    let letter = inside.chars().next()?;
    let rest = &inside[letter.len_utf8()..];
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (count, rest) = rest.split_at(digits);
    let (reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let count = if count.is_empty() { usize::MAX } else { count.parse().ok().filter(|count| *count > 0)? };
    if !delimiters.chars().all(|letter| DELIMITERS.contains(letter)) {
        return None;
    }
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let value = value_of(letter.to_ascii_lowercase())?;
    let mut labels: Vec<&str> = value.split(|letter| delimiters.contains(letter)).collect();
    if reversed {
        labels.reverse();
    }
    let made = labels[labels.len().saturating_sub(count)..].join(".");
    Some(if letter.is_ascii_uppercase() { escaped(&made) } else { made })
}

/// As it stands in an address of the web (RFC 7208 §7.3).
fn escaped(text: &str) -> String {
    let octet = |octet: u8| {
        let is_plain = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
        if is_plain { char::from(octet).to_string() } else { format!("%{octet:02X}") }
    };
    text.bytes().map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(address: &str) -> Sender {
        Sender {
            address: address.parse().unwrap(),
            local: "strong-bad".into(),
            domain: "email.example.com".into(),
            hello: "mx.example.com".into(),
        }
    }

    #[test]
    fn the_published_examples_come_out() {
        let four = sender("192.0.2.3");
        for (text, name) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%%.%_.%-.%{p}.%{h}", "%. .%20.unknown.mx.example.com"),
            ("%{S}", "strong-bad%40email.example.com"),
        ] {
            assert_eq!(expanded(text, &four, "email.example.com").as_deref(), Some(name), "{text}");
        }
        let six = sender("2001:db8::cb01");
        assert_eq!(
            expanded("%{ir}.%{v}._spf.%{d2}", &six, "email.example.com").as_deref(),
            Some("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com")
        );
    }

    #[test]
    fn what_is_no_macro_is_none_and_what_is_long_is_cut() {
        for text in ["%", "%a", "%{", "%{}", "%{x}", "%{d0}", "%{d!}", "%{c}", "%{d99999999999999999999999}"] {
            assert!(!is_one(text) && expanded(text, &sender("192.0.2.3"), "x.example").is_none(), "{text}");
        }
        let long = expanded(&format!("{}%{{d}}", "%{s}.".repeat(20)), &sender("192.0.2.3"), "x.example").unwrap();
        assert!(long.len() <= NAME_OCTETS_MAX && long.ends_with(".x.example"), "{long}");
        assert!(expanded(&"%{s}".repeat(1_000), &sender("192.0.2.3"), "x.example").is_none());
    }
}
