//! Which keys sign a message: the active one of each algorithm, while its record can be found.

use crate::sending_domain::{DkimKey, SendingDomain};
use crate::verification;

/// The keys that sign mail of a domain. A key whose record is not in DNS, as far as is known, signs only where the
/// route says so: elsewhere its signature could not be verified, and would look like a forgery.
pub fn keys(domain: &SendingDomain, sign_unpublished: bool) -> Vec<&DkimKey> {
    domain.keys.iter().filter(|key| key.active && (sign_unpublished || is_verifiable(domain, key))).collect()
}

/// Whether every active key may sign whatever the route: then one seal is good for all recipients.
pub fn is_published(domain: &SendingDomain) -> bool {
    domain.keys.iter().filter(|key| key.active).all(|key| is_verifiable(domain, key))
}

/// Whether a key's record was seen in DNS and, of a key that the domain can do without, was not found gone or another
/// since. One that it cannot do without signs on: the domain has its grace, and mail without any signature fares worse.
fn is_verifiable(domain: &SendingDomain, key: &DkimKey) -> bool {
    let is_lost = || domain.check.as_ref().is_some_and(|check| check.denies(&key.selector));
    key.seen_at.is_some() && (verification::is_required(domain, key) || !is_lost())
}

/// Whether a TXT record that was found publishes this key: the same `p=`, whatever stands around it
/// (RFC 6376 §3.6.1).
pub fn publishes(found: &str, key: &DkimKey) -> bool {
    match (tag(found, "p"), tag(&key.record, "p")) {
        (Some(found), Some(expected)) => !expected.is_empty() && found == expected,
        _ => false,
    }
}

/// The value of a tag, white space left out, as base64 may have it anywhere.
fn tag(record: &str, name: &str) -> Option<String> {
    record.split(';').find_map(|part| {
        let (tag, value) = part.split_once('=')?;
        (tag.trim() == name).then(|| value.split_whitespace().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::Id;
    use crate::sending_domain::{DomainState, KeyAlgorithm};
    use crate::verification::{Check, RecordState};

    fn key(selector: &str, active: bool, seen: bool) -> DkimKey {
        DkimKey {
            seen_at: seen.then_some(Timestamp(1)),
            ..DkimKey::new(selector, KeyAlgorithm::Ed25519, "v=DKIM1; k=ed25519; p=AbCd==", active)
        }
    }

    fn domain(keys: Vec<DkimKey>) -> SendingDomain {
        SendingDomain {
            state: DomainState::Vouched,
            ..SendingDomain::new(Id::new(1), Id::new(1), "example.com", keys, Timestamp(0))
        }
    }

    fn selectors(domain: &SendingDomain, sign_unpublished: bool) -> Vec<&str> {
        keys(domain, sign_unpublished).into_iter().map(|key| key.selector.as_str()).collect()
    }

    #[test]
    fn active_keys_sign_once_seen_or_where_the_route_says_so() {
        let domain = domain(vec![key("a", true, true), key("b", false, true), key("c", true, false)]);
        assert_eq!(selectors(&domain, false), ["a"]);
        assert_eq!(selectors(&domain, true), ["a", "c"]);
        assert!(!is_published(&domain));
    }

    #[test]
    fn an_optional_key_signs_while_its_record_is_not_known_to_be_gone() {
        let rsa = DkimKey { algorithm: KeyAlgorithm::Rsa2048, ..key("r", true, true) };
        let signing = |records: Vec<(&str, RecordState)>| {
            let records = records.into_iter().map(|(selector, finding)| (selector.to_owned(), finding)).collect();
            let mut domain = domain(vec![rsa.clone(), key("e", true, true)]);
            domain.check = Some(Check::new(Timestamp(2), records));
            let selectors = selectors(&domain, false).join(" ");
            assert_eq!(is_published(&domain), selectors == "r e");
            assert_eq!(keys(&domain, true).len(), 2);
            selectors
        };
        let wrong = RecordState::Wrong { found: vec!["v=DKIM1; p=".into()] };
        let unknown = RecordState::Unknown { fault: "SERVFAIL".into() };
        assert_eq!(signing(vec![("e", RecordState::Right)]), "r e");
        assert_eq!(signing(vec![("e", unknown)]), "r e");
        assert_eq!(signing(Vec::new()), "r e");
        assert_eq!(signing(vec![("e", RecordState::Absent)]), "r");
        assert_eq!(signing(vec![("e", wrong)]), "r");
        assert_eq!(signing(vec![("r", RecordState::Absent)]), "r e", "the domain has its grace");
    }

    #[test]
    fn a_record_publishes_a_key_by_its_p_alone() {
        let key = key("a", true, false);
        assert!(publishes("v=DKIM1; k=ed25519; p=AbCd==", &key));
        assert!(publishes("k=ed25519;p=Ab Cd==; t=s", &key));
        assert!(!publishes("v=DKIM1; k=ed25519; p=abcd==", &key));
        assert!(!publishes("v=DKIM1; p=", &key));
        assert!(!publishes("v=spf1 -all", &key));
    }
}
