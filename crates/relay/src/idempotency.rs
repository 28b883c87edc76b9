//! Idempotency keys: a request that is repeated under one is done once (draft-ietf-httpapi-idempotency-key-header).

use aws_lc_rs::digest;
use std::io::{self, Write};
use std::time::Duration;

use crate::limits::Limits;
use crate::service::operation::Operation;
use crate::store::KeyHash;

/// How long a key is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// A key as a caller chose it, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub KeyHash);

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to {max} visible ASCII characters")]
pub struct NoKey {
    /// Characters that it may have.
    pub max: u64,
}

impl IdempotencyKey {
    /// Reads the field's value: a string of RFC 9651 §3.3.3, or the bare text that many clients send.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters.
    pub fn parse(value: &[u8], limits: &Limits) -> Result<IdempotencyKey, NoKey> {
        let max = limits.idempotency_key_octets_max;
        let value = value.trim_ascii();
        let key = match value {
            [b'"', inner @ .., b'"'] => unquoted(inner).ok_or(NoKey { max })?,
            _ => value.to_vec(),
        };
        let is_visible = key.iter().all(|octet| matches!(octet, b' '..=b'~'));
        if key.is_empty() || key.len() as u64 > max || !is_visible {
            return Err(NoKey { max });
        }
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"idempotency key");
        context.update(&key);
        Ok(IdempotencyKey(octets(context)))
    }
}

/// What stands between quotes, backslashes taken away.
fn unquoted(inner: &[u8]) -> Option<Vec<u8>> {
    let (mut key, mut escaped) = (Vec::with_capacity(inner.len()), false);
    for octet in inner {
        match octet {
            b'"' | b'\\' if escaped => key.push(*octet),
            _ if escaped => return None,
            b'"' => return None,
            b'\\' => {}
            _ => key.push(*octet),
        }
        escaped = *octet == b'\\' && !escaped;
    }
    (!escaped).then_some(key)
}

/// The hash of what is asked for: the same for the same request, however it was written.
pub fn fingerprint(operation: &Operation) -> [u8; 32] {
    struct Hashing(digest::Context);
    impl Write for Hashing {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.update(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(digest::Context::new(&digest::SHA256));
    // plain data into what takes everything: this cannot fail
    let _ = serde_json::to_writer(&mut hashing, operation);
    octets(hashing.0)
}

fn octets(context: digest::Context) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(context.finish().as_ref());
    octets
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<IdempotencyKey, NoKey> {
        IdempotencyKey::parse(value.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_key_is_one_with_quotes_and_without() {
        assert_eq!(parse("\"8e03978e-40d5\"").unwrap(), parse(" 8e03978e-40d5 ").unwrap());
        assert_eq!(parse(r#""a\"b\\c""#).unwrap(), parse(r#"a"b\c"#).unwrap());
        assert_ne!(parse("a").unwrap(), parse("b").unwrap());
        for wrong in ["", "\"\"", "\"a\"b\"", "\"a\\\"", "\"a\\b\"", "a\u{e9}", "a\tb", &"a".repeat(256)] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn what_is_asked_for_has_one_fingerprint() {
        let add = |name: &str| Operation::AccountAdd {
            name: name.to_owned(),
            without_plan: false,
            time_zone: None,
            language: None,
        };
        assert_eq!(fingerprint(&add("A")), fingerprint(&add("A")));
        assert_ne!(fingerprint(&add("A")), fingerprint(&add("B")));
    }
}
