//! What the relay writes to people, in their language.

use relay::language::Language;

use crate::console::words::Words;

/// A Subject and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The Subject.
    pub subject: String,
    /// The text, its lines ended by LF.
    pub text: String,
}

/// Why somebody gets a link to choose a password by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// They were added.
    Invitation,
    /// Somebody asked for it with their address.
    Forgotten,
    /// An administrator made it for them.
    Given,
}

/// The letter with a link to choose a password by; `place` is the account, or the relay.
pub fn link(language: Language, why: LinkFor, name: &str, place: &str, url: &str, until_rfc3339: &str) -> Letter {
    let words = Words::new(language);
    let until = words.minute(until_rfc3339);
    let values = [("name", name), ("place", place), ("url", url), ("until", until.as_str())];
    let (subject, opening) = match why {
        LinkFor::Invitation => ("letter-invitation-subject", "letter-invitation"),
        LinkFor::Forgotten => ("letter-forgotten-subject", "letter-forgotten"),
        LinkFor::Given => ("letter-forgotten-subject", "letter-given"),
    };
    let parts = ["letter-greeting", opening, "letter-link", "letter-unexpected", "letter-signature"];
    let text: Vec<_> = parts.iter().map(|part| words.filled(part, &values)).collect();
    Letter { subject: words.filled(subject, &values), text: text.join("\n\n") + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_the_link_on_a_line_of_its_own() {
        for language in Language::ALL {
            for why in [LinkFor::Invitation, LinkFor::Forgotten, LinkFor::Given] {
                let url = "https://console.example.com/choose-password?token=abc";
                let letter = link(language, why, "Éloïse", "Acme", url, "2026-11-29T20:00:00.000Z");
                assert!(letter.text.lines().any(|line| line == url), "{}", letter.text);
                assert!(letter.text.contains("Éloïse") && !letter.subject.is_empty());
                assert!(!letter.text.contains("letter-") && !letter.subject.contains("letter-"), "{}", letter.text);
            }
        }
    }
}
