//! Any octets as the record that says where a domain wants reports on TLS: whatever it names could be sent to, and is no place
//! that must not be called.

use relay::reachable::forbidden;
use relay::tls_report::{RUA_MAX, Rua, read_record};

/// Reads the octets as one record, and as two.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let places = read_record(std::slice::from_ref(&text), false);
    assert!(places.len() <= RUA_MAX, "{places:?}");
    for place in &places {
        match place {
            Rua::Mail(address) => {
                let spelt = address.to_string();
                assert!(spelt.is_ascii() && !spelt.chars().any(char::is_control) && spelt.len() <= 254, "{spelt:?}");
            }
            Rua::Https(target) => {
                assert!(target.is_tls && target.port != 0 && target.path.starts_with('/'), "{target:?}");
                assert!(!target.to_string().chars().any(char::is_control), "{target:?}");
                assert!(target.address.is_none_or(|address| forbidden(address, &[]).is_none()), "{target:?}");
            }
        }
    }
    // what does not look like one changes nothing, and a second that does leaves none
    assert_eq!(read_record(&["v=spf1 -all".to_owned(), text.clone()], false), places);
    if !places.is_empty() {
        assert!(read_record(&[text.clone(), text], false).is_empty());
    }
}
