//! What a next hop says of itself in its reply to EHLO.

use crate::address::Address;
use crate::reply::Reply;

/// The extensions of a next hop that concern us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `PIPELINING` (RFC 2920).
    pub pipelining: bool,
    /// `STARTTLS` (RFC 3207).
    pub starttls: bool,
    /// `8BITMIME` (RFC 6152).
    pub eight_bit_mime: bool,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `ENHANCEDSTATUSCODES` (RFC 2034).
    pub enhanced_status: bool,
    /// `DSN` (RFC 3461).
    pub dsn: bool,
    /// `REQUIRETLS` (RFC 8689).
    pub require_tls: bool,
    /// `MT-PRIORITY` (RFC 6710).
    pub priority: bool,
    /// `AUTH` names PLAIN (RFC 4616).
    pub auth_plain: bool,
    /// `AUTH` names LOGIN.
    pub auth_login: bool,
    /// `SIZE` was offered (RFC 1870).
    pub size: bool,
    /// Octets of its largest message, where `SIZE` says so.
    pub octets_max: Option<u64>,
    /// `LIMITS RCPTMAX` (RFC 9422): recipients of one transaction.
    pub recipients_max: Option<usize>,
    /// `LIMITS MAILMAX`: transactions on one connection.
    pub mails_max: Option<u32>,
    /// `LIMITS RCPTDOMAINMAX`: distinct recipient domains of one transaction.
    pub domains_max: Option<usize>,
}

impl Capabilities {
    /// Reads a positive reply to EHLO. What is not understood counts as not offered.
    pub fn read(reply: &Reply) -> Capabilities {
        let mut found = Capabilities::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => found.pipelining = true,
                "STARTTLS" => found.starttls = true,
                "8BITMIME" => found.eight_bit_mime = true,
                "SMTPUTF8" => found.smtputf8 = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_status = true,
                "DSN" => found.dsn = true,
                "REQUIRETLS" => found.require_tls = true,
                "MT-PRIORITY" => found.priority = true,
                "SIZE" => {
                    found.size = true;
                    // RFC 1870 §4: 0 says that there is no fixed maximum
                    found.octets_max = words.next().and_then(|word| word.parse().ok()).filter(|octets| *octets > 0);
                }
                "LIMITS" => words.for_each(|word| found.limit(word)),
                "AUTH" => words.for_each(|word| {
                    found.auth_plain |= word.eq_ignore_ascii_case("PLAIN");
                    found.auth_login |= word.eq_ignore_ascii_case("LOGIN");
                }),
                _ => {}
            }
        }
        found
    }

    fn limit(&mut self, word: &str) {
        let Some((name, value)) = word.split_once('=') else { return };
        // RFC 9422 §3: at most six digits, no leading zero, so never 0; anything else is ignored
        let Some(value) = value.parse::<u32>().ok().filter(|value| (1..=999_999).contains(value)) else { return };
        match name.to_ascii_uppercase().as_str() {
            "RCPTMAX" => self.recipients_max = usize::try_from(value).ok(),
            "MAILMAX" => self.mails_max = Some(value),
            "RCPTDOMAINMAX" => self.domains_max = usize::try_from(value).ok(),
            _ => {}
        }
    }

    /// How many of these recipients, from the first on, the next transaction may have; at least 1
    /// where there is one. `ours` is our own bound.
    pub fn batch(&self, recipients: &[Address], ours: usize) -> usize {
        let count = recipients.len().min(self.recipients_max.unwrap_or(ours).min(ours).max(1));
        let Some(domains_max) = self.domains_max else { return count };
        let mut domains: Vec<&str> = Vec::new();
        for (place, recipient) in recipients[..count].iter().enumerate() {
            if !domains.contains(&recipient.domain()) {
                if domains.len() == domains_max {
                    return place;
                }
                domains.push(recipient.domain());
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Capabilities {
        let lines = lines.iter().map(|line| (*line).into()).collect();
        Capabilities::read(&Reply { code: 250, enhanced: None, lines, reference: None })
    }

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| Address::parse(text, false).unwrap()).collect()
    }

    #[test]
    fn keywords_are_read_in_any_letter_case_and_the_greeting_line_is_none() {
        let found = read(&["PIPELINING", "starttls", "Size 1000", "8BITMIME", "X-OTHER y", "", "smtputf8 ", "dsn"]);
        assert!(!found.pipelining, "the first line is the server's name");
        assert!(found.starttls && found.eight_bit_mime && found.smtputf8 && found.dsn);
        assert_eq!(found.octets_max, Some(1000));
    }

    #[test]
    fn of_auth_the_mechanisms_count_that_we_speak() {
        let found = |line| {
            let found = read(&["host", line]);
            (found.auth_plain, found.auth_login)
        };
        assert_eq!(found("AUTH CRAM-MD5 login plain"), (true, true));
        assert_eq!(found("auth LOGIN XOAUTH2"), (false, true));
        assert_eq!((found("AUTH"), found("PLAIN LOGIN")), ((false, false), (false, false)));
    }

    #[test]
    fn size_without_a_number_or_with_zero_sets_no_maximum() {
        for line in ["SIZE", "SIZE 0", "SIZE x"] {
            let found = read(&["host", line]);
            assert!(found.size && found.octets_max.is_none(), "{line}");
        }
    }

    #[test]
    fn limits_are_read_and_nonsense_is_ignored() {
        let found = read(&["host", "LIMITS RCPTMAX=20 mailmax=5 RCPTDOMAINMAX=1 X=9 Y"]);
        assert_eq!((found.recipients_max, found.mails_max, found.domains_max), (Some(20), Some(5), Some(1)));
        let found = read(&["host", "LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=99999999999"]);
        assert_eq!((found.recipients_max, found.mails_max, found.domains_max), (None, None, None));
    }

    #[test]
    fn batches_keep_to_every_bound() {
        let list = addresses(&["a@x.example", "b@x.example", "c@y.example", "d@x.example"]);
        assert_eq!(read(&["host"]).batch(&list, 100), 4);
        assert_eq!(read(&["host"]).batch(&list, 3), 3);
        assert_eq!(read(&["host", "LIMITS RCPTMAX=2"]).batch(&list, 100), 2);
        assert_eq!(read(&["host", "LIMITS RCPTDOMAINMAX=1"]).batch(&list, 100), 2);
        assert_eq!(read(&["host", "LIMITS RCPTDOMAINMAX=2"]).batch(&list, 100), 4);
        assert_eq!(read(&["host"]).batch(&[], 100), 0);
    }
}
