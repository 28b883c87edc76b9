//! Any octets as an MTA-STS policy, and as the record that tells of one: what is taken is whole, bounded and what it says.

use relay::mta_sts::{Mode, Policy, Record};

/// Reads the octets as a policy, and as a record.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    if let Record::Policy(id) = Record::read(&[text]) {
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{id:?}");
        assert!(data.starts_with(b"v=STSv1") && data.windows(id.len()).any(|window| window == id.as_bytes()));
    }
    let Ok(policy) = Policy::parse(data) else { return };
    assert!(policy.max_age <= 31_557_600 && policy.mx.len() <= 100, "{policy:?}");
    assert!(policy.mode == Mode::None || !policy.mx.is_empty());
    let mode = match policy.mode {
        Mode::Enforce => "enforce",
        Mode::Testing => "testing",
        Mode::None => "none",
    };
    let mut spelt = format!("version: STSv1\r\nmode: {mode}\r\nmax_age: {}\r\n", policy.max_age);
    for pattern in &policy.mx {
        assert!(pattern.len() <= 255 && !pattern.bytes().any(|octet| octet.is_ascii_uppercase()), "{pattern:?}");
        spelt.push_str(&format!("mx: {pattern}\r\n"));
        match pattern.strip_prefix("*.") {
            Some(parent) => {
                assert!(policy.admits(&format!("any.{parent}")));
                assert!(!parent.is_empty() && !parent.contains('*'));
            }
            None => assert!(policy.admits(pattern)),
        }
    }
    assert_eq!(Policy::parse(spelt.as_bytes()), Ok(policy));
}
