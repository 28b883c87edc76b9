//! Which keys sign a message: the active one of each algorithm, once its record can be found.

use crate::sending_domain::{DkimKey, SendingDomain};

/// The keys that sign mail of a domain. A key whose record was never seen in DNS signs only where the
/// route says so: elsewhere its signature could not be verified, and would look like a forgery.
pub fn keys(domain: &SendingDomain, sign_unpublished: bool) -> Vec<&DkimKey> {
    domain.keys.iter().filter(|key| key.active && (sign_unpublished || key.seen_at.is_some())).collect()
}

/// Whether every active key may sign whatever the route: then one seal is good for all recipients.
pub fn is_published(domain: &SendingDomain) -> bool {
    domain.keys.iter().filter(|key| key.active).all(|key| key.seen_at.is_some())
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

    fn key(selector: &str, active: bool, seen: bool) -> DkimKey {
        DkimKey {
            selector: selector.into(),
            algorithm: KeyAlgorithm::Ed25519,
            record: "v=DKIM1; k=ed25519; p=AbCd==".into(),
            active,
            seen_at: seen.then_some(Timestamp(1)),
        }
    }

    fn domain(keys: Vec<DkimKey>) -> SendingDomain {
        SendingDomain {
            id: Id::new(1),
            account: Id::new(1),
            name: "example.com".into(),
            state: DomainState::Vouched,
            bounce_mails: true,
            keys,
            created_at: Timestamp(0),
            deleted_at: None,
            lost_at: None,
            check: None,
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
    fn a_record_publishes_a_key_by_its_p_alone() {
        let key = key("a", true, false);
        assert!(publishes("v=DKIM1; k=ed25519; p=AbCd==", &key));
        assert!(publishes("k=ed25519;p=Ab Cd==; t=s", &key));
        assert!(!publishes("v=DKIM1; k=ed25519; p=abcd==", &key));
        assert!(!publishes("v=DKIM1; p=", &key));
        assert!(!publishes("v=spf1 -all", &key));
    }
}
