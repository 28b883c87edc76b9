//! Seals messages with DKIM on a bounded number of threads: signing is the dearest step of all.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use message::dkim::{self, BodyHash, KeyError, Signer, SigningKey};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::sending_domain::{DkimKey, SendingDomain};
use relay::store::{Book, Content, StoreError};
use tokio::sync::Semaphore;

use crate::offload::Offload;

/// Keys kept ready to sign; past it all are read anew.
const KEYS_MAX: usize = 10_000;

/// How content in a file is read.
const CHUNK_OCTETS: usize = 64 * 1024;

/// Why a message could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The store does not give the key.
    #[error("the signing key {selector} of {domain} cannot be had: {source}")]
    Store {
        /// Whose.
        domain: String,
        /// Which.
        selector: String,
        /// Why.
        source: StoreError,
    },
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The content cannot be read.
    #[error("the content cannot be read: {0}")]
    Content(#[from] io::Error),
    /// The process is ending.
    #[error("the process is ending")]
    Stopped,
}

/// Parsed keys, by domain, selector, and when the key was made in the place of an earlier one.
type Keys = HashMap<(Id<SendingDomain>, String, Option<Timestamp>), Arc<SigningKey>>;

/// The pool of seals, with the keys it has parsed.
pub struct Sealer<S> {
    store: Arc<S>,
    keys: Mutex<Keys>,
    permits: Arc<Semaphore>,
    offload: Offload,
}

/// What is to be sealed.
#[derive(Clone, Debug)]
pub struct Unsealed {
    /// Who signs.
    pub domain: Arc<SendingDomain>,
    /// With which of its keys, by selector.
    pub selectors: Vec<String>,
    /// The admitted content.
    pub content: Content,
    /// Octets of its header section, the empty line included.
    pub header_octets: u64,
    /// The moment of signing.
    pub at: Timestamp,
}

impl Unsealed {
    /// Content to be signed with these keys of a domain.
    pub fn new(
        domain: Arc<SendingDomain>,
        keys: &[&DkimKey],
        content: Content,
        header_octets: u64,
        at: Timestamp,
    ) -> Self {
        let selectors = keys.iter().map(|key| key.selector.clone()).collect();
        Unsealed { domain, selectors, content, header_octets, at }
    }
}

impl<S: Book> Sealer<S> {
    /// A pool that makes `seals_max` seals at once; 0: one for each processor.
    pub fn new(store: Arc<S>, seals_max: usize, offload: Offload) -> Self {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let permits = if seals_max == 0 { processors() } else { seals_max };
        Sealer { store, keys: Mutex::default(), permits: Arc::new(Semaphore::new(permits)), offload }
    }

    /// The DKIM-Signature fields to send in front of the content.
    ///
    /// # Errors
    /// A key or the content cannot be used now; the message must wait.
    pub async fn seal(self: &Arc<Self>, unsealed: Unsealed) -> Result<Bytes, SealError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| SealError::Stopped)?;
        let sealer = self.clone();
        let sealing = self.offload.run(move || {
            let _permit = permit;
            sealer.seal_now(&unsealed)
        });
        sealing.await.map_err(|_| SealError::Stopped)?
    }

    fn seal_now(&self, unsealed: &Unsealed) -> Result<Bytes, SealError> {
        let keys = unsealed
            .selectors
            .iter()
            .map(|selector| self.key(&unsealed.domain, selector))
            .collect::<Result<Vec<_>, _>>()?;
        let signers: Vec<Signer<'_>> = keys
            .iter()
            .zip(&unsealed.selectors)
            .map(|(key, selector)| Signer { domain: &unsealed.domain.name, selector, key })
            .collect();
        let (header, body_hash) = read(&unsealed.content, unsealed.header_octets)?;
        Ok(dkim::seal(&signers, &header, body_hash, unsealed.at.0 / 1000)?)
    }

    fn key(&self, domain: &SendingDomain, selector: &str) -> Result<Arc<SigningKey>, SealError> {
        let made_at = domain.keys.iter().find(|key| key.selector == selector).and_then(|key| key.made_at);
        let name = (domain.id, selector.to_owned(), made_at);
        if let Some(key) = self.lock().get(&name) {
            return Ok(key.clone());
        }
        let failed = |source| SealError::Store { domain: domain.name.clone(), selector: selector.to_owned(), source };
        let secret = self.store.domain_key(domain.id, selector).map_err(failed)?;
        let key = Arc::new(SigningKey::from_pkcs8(secret.expose())?);
        let mut keys = self.lock();
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(name, key.clone());
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The header section, and the hash of the body.
fn read(content: &Content, header_octets: u64) -> io::Result<(Bytes, [u8; 32])> {
    let mut hash = BodyHash::default();
    let header = match content {
        Content::Held(octets) => {
            let cut = usize::try_from(header_octets).unwrap_or(usize::MAX).min(octets.len());
            hash.update(&octets[cut..]);
            octets.slice(..cut)
        }
        Content::Filed { path, .. } => {
            let mut file = File::open(path)?;
            let header = read_beginning(&mut file, header_octets)?;
            let mut chunk = vec![0; CHUNK_OCTETS];
            loop {
                match file.read(&mut chunk)? {
                    0 => break,
                    octets => hash.update(&chunk[..octets]),
                }
            }
            header
        }
    };
    Ok((header, hash.finish()))
}

/// The first octets of kept content: its header section, or more of it. Blocks where that is a file.
///
/// # Errors
/// The file cannot be read.
pub fn beginning(content: &Content, octets_max: u64) -> io::Result<Bytes> {
    match content {
        Content::Held(octets) => {
            let cut = usize::try_from(octets_max).unwrap_or(usize::MAX).min(octets.len());
            Ok(octets.slice(..cut))
        }
        Content::Filed { path, .. } => read_beginning(&mut File::open(path)?, octets_max),
    }
}

fn read_beginning(file: &mut File, octets_max: u64) -> io::Result<Bytes> {
    let mut beginning = Vec::new();
    file.take(octets_max).read_to_end(&mut beginning)?;
    Ok(beginning.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::sending_domain::{DomainState, KeyAlgorithm};
    use relay::store::{Actor, NewDkimKey};
    use relay::verification::{Check, RecordState};
    use smtp::server::Secret;
    use store::memory::Memory;

    const HEADER: &str = "From: app@shop.example\r\nSubject: Hello\r\n\r\n";

    fn domain(store: &Memory, private: Vec<u8>) -> Arc<SendingDomain> {
        let actor = Actor { name: "operator".into(), from: "test".into() };
        let account = store.account_add("Shop", &actor, Timestamp(0)).unwrap();
        let key = DkimKey { seen_at: Some(Timestamp(0)), ..DkimKey::new("s1", KeyAlgorithm::Ed25519, "", true) };
        let keys = vec![NewDkimKey { key, private: Secret::new(private) }];
        let domain = store.domain_add(account.id, "shop.example", keys, &actor, Timestamp(0)).unwrap();
        store.domain_state(domain.id, DomainState::Vouched, &actor, Timestamp(0)).unwrap()
    }

    fn unsealed(domain: &Arc<SendingDomain>, content: Content) -> Unsealed {
        let keys: Vec<&DkimKey> = domain.keys.iter().collect();
        Unsealed::new(domain.clone(), &keys, content, HEADER.len() as u64, Timestamp(1_800_000_000_000))
    }

    #[tokio::test]
    async fn content_in_a_file_is_sealed_like_content_in_memory() {
        let store = Arc::new(Memory::new());
        let domain = domain(&store, dkim::generate_ed25519().unwrap());
        let sealer = Arc::new(Sealer::new(store, 2, Offload::Threads));
        let content = Bytes::from(format!("{HEADER}{}", "A line of text.\r\n".repeat(20_000)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content");
        std::fs::write(&path, &content).unwrap();
        let filed = Content::Filed { path: path.clone(), octets: content.len() as u64 };
        assert_eq!(&beginning(&filed, HEADER.len() as u64).unwrap()[..], HEADER.as_bytes());
        let held = sealer.seal(unsealed(&domain, Content::Held(content))).await.unwrap();
        assert_eq!(sealer.seal(unsealed(&domain, filed)).await.unwrap(), held);
        std::fs::remove_file(&path).unwrap();
        let gone = sealer.seal(unsealed(&domain, Content::Filed { path, octets: 1 })).await;
        assert!(matches!(gone, Err(SealError::Content(_))));
    }

    #[tokio::test]
    async fn a_rotation_decides_the_next_seal() {
        let store = Arc::new(Memory::new());
        let actor = Actor { name: "operator".into(), from: "test".into() };
        let key = |selector: &str, active| {
            let seen_at = Some(Timestamp(0));
            let record = String::new();
            let key = DkimKey { seen_at, ..DkimKey::new(selector, KeyAlgorithm::Ed25519, record, active) };
            NewDkimKey { key, private: Secret::new(dkim::generate_ed25519().unwrap()) }
        };
        let account = store.account_add("Shop", &actor, Timestamp(0)).unwrap().id;
        let keys = vec![key("s1", true), key("s2", false)];
        let id = store.domain_add(account, "shop.example", keys, &actor, Timestamp(0)).unwrap().id;
        let records = ["s1", "s2"].map(|selector| (selector.to_owned(), RecordState::Right)).to_vec();
        store.domain_check(id, Check::new(Timestamp(0), records)).unwrap();
        let sealer = Arc::new(Sealer::new(store.clone(), 1, Offload::Threads));
        for selector in ["s=s1;", "s=s2;", "s=s1;"] {
            let domain = store.directory().domains[&id].clone();
            let keys = relay::signing::keys(&domain, false);
            let content = Content::Held(Bytes::from_static(HEADER.as_bytes()));
            let next = Unsealed::new(domain.clone(), &keys, content, HEADER.len() as u64, Timestamp(1_800_000_000_000));
            let seal = String::from_utf8(sealer.seal(next).await.unwrap().to_vec()).unwrap();
            assert!(seal.contains(selector) && seal.matches("DKIM-Signature:").count() == 1, "{seal}");
            store.domain_rotate(id, KeyAlgorithm::Ed25519, false, &actor, Timestamp(1)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_had_or_used_is_named() {
        let store = Arc::new(Memory::new());
        let domain = domain(&store, vec![1, 2, 3]);
        let sealer = Arc::new(Sealer::new(store, 0, Offload::Threads));
        let content = Content::Held(Bytes::from_static(HEADER.as_bytes()));
        let broken = sealer.seal(unsealed(&domain, content.clone())).await;
        assert!(matches!(broken, Err(SealError::Key(_))));
        let mut other = unsealed(&domain, content);
        other.selectors = vec!["gone".into()];
        let error = sealer.seal(other).await.unwrap_err().to_string();
        assert!(error.starts_with("the signing key gone of shop.example cannot be had"), "{error}");
    }
}
