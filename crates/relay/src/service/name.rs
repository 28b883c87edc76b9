//! Names that people give: what is taken, and in which form it is kept.

use std::net::IpAddr;

use smtp::address::Address;

use super::Fault;

/// The longest descriptive name of an account or SMTP user, in characters.
pub const DISPLAY_NAME_CHARACTERS_MAX: usize = 100;

/// Whether a letter takes no place where it is shown: joiners, marks of order and direction, blanks without width.
pub fn takes_no_place(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// Whether a letter would spoil lists and logs: it controls a terminal, turns the direction of what follows, or stands for
/// what could not be read.
fn spoils(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || letter == char::REPLACEMENT_CHARACTER
}

/// A descriptive name, blanks at its ends removed.
///
/// # Errors
/// It is empty, shows nothing, is too long, or has characters that spoil lists and logs.
pub fn display_name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.chars().all(|letter| letter.is_whitespace() || takes_no_place(letter)) {
        return Err(
            Fault::invalid("The name is empty.", "Give a name that people will know it by.").named("name-empty", &[])
        );
    }
    if name.chars().count() > DISPLAY_NAME_CHARACTERS_MAX {
        return Err(Fault::invalid(
            format!("The name is longer than {DISPLAY_NAME_CHARACTERS_MAX} characters."),
            "Give a shorter one.",
        )
        .named("name-too-long", &[("most", &DISPLAY_NAME_CHARACTERS_MAX)]));
    }
    if name.chars().any(spoils) {
        return Err(Fault::invalid("The name has control characters.", "Give it as plain text on one line.")
            .named("name-control", &[]));
    }
    Ok(name.to_owned())
}

/// The longest name that DNS has, in octets of its text (RFC 1035 §2.3.4).
pub(super) const DNS_NAME_OCTETS_MAX: usize = 253;

/// A domain name as it is kept: lower case, A-labels (RFC 5890), no dot at the end.
///
/// # Errors
/// It is not a name that mail could be sent from: the text says which part is wrong.
pub fn domain_name(given: &str) -> Result<String, Fault> {
    let trimmed = given.trim().trim_end_matches('.');
    let wrong = |why: &str| {
        Fault::invalid(
            format!("`{given}` is not a domain name: {why}."),
            "Give the part after the @ of its senders, such as example.com.",
        )
        .named("domain-wrong", &[("domain", &given)])
    };
    if trimmed.is_empty() {
        return Err(wrong("it is empty"));
    }
    if trimmed.contains('@') {
        return Err(wrong("it has an @"));
    }
    if trimmed.parse::<IpAddr>().is_ok() || trimmed.starts_with('[') {
        return Err(wrong("it is an IP address"));
    }
    let ascii = idna::domain_to_ascii(trimmed).map_err(|_| wrong("it has characters that no domain may have"))?;
    if ascii.len() > DNS_NAME_OCTETS_MAX {
        return Err(wrong("it is longer than 253 octets"));
    }
    if !ascii.contains('.') {
        return Err(wrong("it has no dot"));
    }
    for label in ascii.split('.') {
        check_label(label).map_err(wrong)?;
    }
    if ascii.rsplit('.').next().is_some_and(|top| top.bytes().all(|octet| octet.is_ascii_digit())) {
        return Err(wrong("its last part is a number"));
    }
    Ok(ascii)
}

fn check_label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() {
        return Err("two dots follow each other, or it begins with one");
    }
    if label.len() > 63 {
        return Err("a part is longer than 63 octets");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("a part begins or ends with a hyphen");
    }
    if !label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-') {
        return Err("only letters, digits, hyphens and dots are allowed");
    }
    Ok(())
}

/// An address `local@domain`, its domain as [`domain_name`] keeps it.
///
/// # Errors
/// It has no local part, one that no mail could be for (RFC 5321 §4.1.2), or a wrong domain.
pub fn mailbox(given: &str) -> Result<String, Fault> {
    let wrong = |why: &str| {
        Fault::invalid(format!("`{given}` is not an address: {why}."), "Give it as name@example.com, without brackets.")
            .named("address-wrong", &[("address", &given)])
    };
    let (local, domain) = given.trim().rsplit_once('@').ok_or_else(|| wrong("it has no @"))?;
    if local.is_empty() || local.len() > 64 {
        return Err(wrong("the part before the @ has to have 1 to 64 octets"));
    }
    let address = Address::parse(&format!("{local}@{}", domain_name(domain)?), true);
    match address {
        Ok(address) if !local.chars().any(|letter| spoils(letter) || takes_no_place(letter)) => Ok(address.to_string()),
        _ => Err(wrong("the part before the @ has characters that are not allowed there")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_kept_lower_case_and_in_a_labels() {
        assert_eq!(domain_name(" Example.COM. ").unwrap(), "example.com");
        assert_eq!(domain_name("Bücher.example").unwrap(), "xn--bcher-kva.example");
        assert_eq!(domain_name("envois.québec").unwrap(), "envois.xn--qubec-csa");
    }

    #[test]
    fn what_is_no_domain_is_refused_with_its_reason() {
        for (given, reason) in [
            ("", "empty"),
            ("localhost", "no dot"),
            ("a@example.com", "an @"),
            ("192.0.2.1", "IP address"),
            ("[192.0.2.1]", "IP address"),
            ("a..example.com", "dots"),
            ("-a.example.com", "hyphen"),
            ("a_b.example.com", "allowed"),
            ("exa mple.com", ""),
            ("example.123", "number"),
        ] {
            let fault = domain_name(given).unwrap_err();
            assert!(fault.what.contains(reason), "{given}: {}", fault.what);
        }
        assert!(domain_name(&format!("{}.com", "a".repeat(64))).is_err());
        assert!(domain_name(&format!("{}com", "abcdefg.".repeat(32))).is_err());
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(display_name("  Boutique Été ").unwrap(), "Boutique Été");
        assert!(display_name(" \t").is_err());
        assert!(display_name("a\nb").is_err());
        for unseen in ["\u{200b}", "\u{feff} \u{2060}", "sal\u{202e}gp.exe", "\u{fffd}\u{fffd}"] {
            assert!(display_name(unseen).is_err(), "{unseen:?}");
        }
        assert!(display_name("👩\u{200d}🌾").is_ok());
        assert!(display_name(&"é".repeat(100)).is_ok());
        assert!(display_name(&"é".repeat(101)).is_err());
    }

    #[test]
    fn addresses_keep_their_local_part() {
        assert_eq!(mailbox("Jane.Doe@Example.COM").unwrap(), "Jane.Doe@example.com");
        assert!(mailbox("example.com").is_err());
        assert!(mailbox("@example.com").is_err());
        assert!(mailbox("<a@example.com>").is_err());
        assert_eq!(mailbox("\"q q\"@example.com").unwrap(), "\"q q\"@example.com");
        for wrong in
            ["a@b@c.example", "..@c.example", "a..b@c.example", ".a@c.example", "a b@c.example", "a\u{200b}@c.example"]
        {
            assert!(mailbox(wrong).is_err(), "{wrong:?}");
        }
    }
}
