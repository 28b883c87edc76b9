//! What a certificate authority looks for to see that a name is ours, while it looks (RFC 8555 §8).

use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The protocol of TLS that an authority asks for (RFC 8737 §4).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Answers to authorities, by what they ask for. Each is there while its order is under way.
#[derive(Default)]
pub struct Proofs {
    /// Key authorizations by token.
    http: Mutex<HashMap<String, String>>,
    /// Certificates that prove a name, by it.
    tls: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proofs {
    /// The answer to `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3); none where nobody asked for it.
    pub fn over_http(&self, token: &str) -> Option<String> {
        locked(&self.http).get(token).cloned()
    }

    pub(super) fn over_tls(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        locked(&self.tls).get(name).cloned()
    }

    pub(crate) fn answer_http(&self, token: String, authorization: String) {
        locked(&self.http).insert(token, authorization);
    }

    pub(crate) fn answer_tls(&self, name: String, key: Arc<CertifiedKey>) {
        locked(&self.tls).insert(name, key);
    }

    /// The order is over: nothing is answered any more.
    pub(crate) fn clear(&self) {
        locked(&self.http).clear();
        locked(&self.tls).clear();
    }
}
