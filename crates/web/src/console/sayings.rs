//! What is kept in the relay's own English sentences, in the reader's language: there are so many, each with what is put in. What
//! another server or the system said stays in its words within them.

use super::reasons::taken;
use super::refusal::Refusal;
use super::words::Words;

/// A sentence as it is kept, with the names of what is put in, and the message that says the same. What begins like another one
/// comes after it.
const SAYINGS: &[(&str, &str)] = &[
    // why a call to a webhook had no answer
    ("There was no whole answer within {seconds} seconds.", "saying-no-answer"),
    ("The conversation broke off: {error}.", "saying-broke-off"),
    ("No certificate can be valid for {host}.", "saying-no-certificate"),
    ("TLS with {host} failed: {error}.", "saying-tls"),
    ("HTTP cannot begin: {error}.", "saying-http"),
    ("The URL cannot be called: {error}.", "saying-url"),
    ("DNS does not say where {host} is: {fault}.", "saying-dns"),
    ("{host} has no address: {none}.", "saying-no-address"),
    ("{host} has no address.", "saying-no-address"),
    ("{host} is {address}, {why}, which is not called.", "saying-not-called"),
    ("{remote} cannot be reached: {error}.", "saying-unreached"),
    // why a line of a list of addresses was not taken
    ("It is no CSV: {error}.", "saying-no-csv"),
    ("It names no address.", "saying-names-no-address"),
    ("`{word}` is no cause: write manual, bounce, complaint or unsubscribed.", "saying-no-cause"),
    ("`{user}` is no number of an SMTP user.", "saying-no-user"),
    ("`{given}` is not a moment: write 2026-11-23T21:00:00Z, 2026-11-23, or how long ago: 90m, 7d", "saying-no-moment"),
    ("`{given}` lies before 1970", "saying-no-moment"),
    ("Its time is over.", "saying-over"),
    ("`{given}` is not an address: {why}.", "saying-not-an-address"),
    ("`{given}` is not a domain name: {why}.", "saying-not-a-domain"),
    ("The text is longer than {most} {unit}.", "saying-long"),
    // why a certificate did not come
    ("the authority does not offer {challenge} for {name}", "saying-no-challenge"),
    ("the order was not finished within {minutes} minutes", "saying-order-long"),
    ("the authority does not say why", "saying-authority-silent"),
];

/// A sentence in the reader's language, or as it is kept.
pub(super) fn said(words: &Words, kept: &str) -> Refusal {
    let known = SAYINGS.iter().find_map(|(pattern, message)| Some((message, taken(pattern, kept)?)));
    match known {
        Some((message, values)) => {
            let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            Refusal::Ours(words.filled(message, &values))
        }
        None => Refusal::Relay(kept.to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::Path;

    use relay::language::Language;

    use super::*;

    /// Where the sentences are made.
    const SOURCES: &[&str] = &[
        "net/src/acme.rs",
        "net/src/acme/order.rs",
        "net/src/webhook.rs",
        "net/src/webhook/client.rs",
        "relay/src/moment.rs",
        "relay/src/service/name.rs",
        "relay/src/service/room.rs",
        "relay/src/service/suppression.rs",
        "relay/src/suppression.rs",
    ];

    fn source(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
    }

    /// A text without the names of what is put in.
    fn bare(text: &str) -> String {
        let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_:.?".contains(letter));
        let (mut bare, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            bare.push_str(before);
            bare.push('{');
            rest = behind.split_once('}').filter(|(name, _)| is_name(name)).map_or(behind, |(_, behind)| behind);
        }
        bare + rest
    }

    #[test]
    fn every_saying_is_said_in_both_languages() {
        let sources: Vec<_> = SOURCES.iter().map(|path| bare(&source(path))).collect();
        for (pattern, message) in SAYINGS {
            assert!(
                sources.iter().any(|text| text.contains(&format!("\"{}\"", bare(pattern)))),
                "nobody says: {pattern}"
            );
            for language in [Language::English, Language::French] {
                let words = Words::new(language);
                assert!(words.has(message), "{message}");
                assert!(matches!(said(&words, pattern), Refusal::Ours(_)), "{pattern}");
            }
        }
        let french =
            said(&Words::new(Language::French), "hooks.example is 10.0.0.1, a private address, which is not called.");
        let Refusal::Ours(french) = french else { panic!() };
        assert!(
            french.contains("hooks.example") && french.contains("10.0.0.1") && !french.contains("private"),
            "{french}"
        );
    }

    #[test]
    fn whatever_a_webhook_is_told_of_itself_is_known() {
        let client = source("net/src/webhook/client.rs");
        let sentences: Vec<_> =
            client.split('"').skip(1).step_by(2).filter(|text| text.ends_with('.') && text.contains(' ')).collect();
        let known = |text: &&str| {
            // a status has words of its own
            text.starts_with("The receiver answered") || SAYINGS.iter().any(|(pattern, _)| bare(pattern) == bare(text))
        };
        let unknown: Vec<_> = sentences.iter().filter(|text| !known(text)).collect();
        assert!(sentences.len() > 8 && unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_is_not_ours_stays_as_it_was() {
        let words = Words::new(Language::French);
        assert!(
            matches!(said(&words, "urn:ietf:params:acme:error:dns"), Refusal::Relay(kept) if kept.ends_with(":dns"))
        );
    }
}
