//! Any text as a command line, its path, its parameters, its credentials.

use smtp::command::{Chunk, PathArgument, Verb, mail_parameters, rcpt_parameters};
use smtp::dsn;
use smtp::envelope::MailParameters;
use smtp::sasl::{self, Progress};

/// Reads the octets, as the server would, as a command line and as what may stand in one.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (verb, argument) = Verb::split(&text);
    assert_eq!(Verb::split(&text.to_ascii_lowercase()).0, verb, "the letter case of a verb matters");
    assert!(text.contains(argument) && !argument.starts_with([' ', '\t']));
    for keyword in ["FROM:", "TO:"] {
        for argument in [argument, &text] {
            path(argument, keyword);
        }
    }
    for argument in [argument, &text] {
        parameters(argument);
        chunk(argument);
    }
    credentials(&text);
}

/// A path is part of its argument, and ends where its bracket does.
fn path(argument: &str, keyword: &str) {
    let Ok(found) = PathArgument::parse(argument, keyword) else { return };
    assert!(argument.len() > keyword.len() && argument.contains(found.path));
    assert!(argument.ends_with(found.parameters), "{found:?} of {argument:?}");
    assert!(found.parameters.is_empty() || found.parameters.starts_with([' ', '\t']));
    let rest = argument[keyword.len()..].trim_start_matches([' ', '\t']);
    // a route in front is passed over, once
    if rest.starts_with('<') && !rest[1..].trim_start_matches(' ').starts_with('@') {
        let again = format!("{keyword}<{}>{}", found.path, found.parameters);
        assert_eq!(PathArgument::parse(&again, keyword), Ok(found));
    }
}

/// Neither letter case nor order changes what parameters say, but for the id of the envelope and the original recipient,
/// which are kept as they came.
fn parameters(text: &str) {
    let found = mail_parameters(text);
    let upper = mail_parameters(&text.to_ascii_uppercase());
    let without_id = |parameters: &MailParameters| MailParameters { envid: None, ..parameters.clone() };
    match (&found, &upper) {
        (Ok(one), Ok(other)) => assert_eq!(without_id(one), without_id(other)),
        (Err(one), Err(other)) => assert_eq!(one.code, other.code),
        _ => panic!("the letter case matters: {found:?} and {upper:?}"),
    }
    if let Ok(parameters) = found {
        let words: Vec<&str> = text.split([' ', '\t']).rev().collect();
        assert_eq!(mail_parameters(&words.join(" ")), Ok(parameters), "the order matters");
    }
    recipient_parameters(text);
}

/// What is taken of RCPT can be shown in a notification, and be passed on to whom takes ASCII alone.
fn recipient_parameters(text: &str) {
    let Ok(found) = rcpt_parameters(text, true) else { return };
    let words: Vec<&str> = text.split([' ', '\t']).rev().collect();
    assert_eq!(rcpt_parameters(&words.join(" "), true).as_ref(), Ok(&found), "the order matters");
    let Some(orcpt) = &found.orcpt else { return };
    assert!(text.contains(&**orcpt), "{orcpt} of {text:?}");
    let Some((_, shown)) = dsn::original_recipient(orcpt) else { panic!("{orcpt} cannot be shown") };
    assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\t'), "{shown:?}");
    if let Some(ascii) = dsn::ascii_orcpt(orcpt) {
        let again = rcpt_parameters(&format!("ORCPT={ascii}"), false).map(|read| read.orcpt);
        assert_eq!(again, Ok(Some(ascii.into())), "{orcpt}");
    }
}

/// A chunk's size is what its digits say, or nobody knows what follows.
fn chunk(text: &str) {
    let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
    let size = words.next().unwrap_or_default();
    let is_size = size.len() <= 20 && !size.is_empty() && size.bytes().all(|octet| octet.is_ascii_digit());
    let octets = size.parse::<u128>().map_or(u64::MAX, |size| u64::try_from(size).unwrap_or(u64::MAX));
    let last = match (words.next(), words.next()) {
        (None, _) => Some(false),
        (Some(word), None) if word.eq_ignore_ascii_case("last") => Some(true),
        _ => None,
    };
    assert_eq!(Chunk::parse(text), is_size.then_some(Chunk { octets, last }));
}

/// Lines of an AUTH exchange: it ends within three, and no secret is ever printed.
fn credentials(text: &str) {
    let mut lines = text.split('\n');
    let mut progress = sasl::begin(lines.next().unwrap_or_default());
    for _ in 0..3 {
        let printed = format!("{progress:?}");
        match progress {
            Progress::Challenge(_, exchange) => progress = exchange.on_line(lines.next().unwrap_or("*")),
            Progress::Credentials { secret, .. } => {
                assert!(printed.contains("[secret]") && !secret.expose().contains(&0) | printed.contains("Login"));
                return;
            }
            Progress::Refused(reply, _) => return assert!(!reply.is_positive()),
        }
    }
    panic!("the exchange never ends");
}
