//! The master key: one secret file, from which the keys are derived that protect every other secret at rest.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, rand};
use smtp::server::Secret;

/// Bits of a mode that let others in. A group that reads it can be the operator's wish, as with credentials handed in by a
/// service manager.
const EXPOSING: u32 = 0o027;

/// Octets of the key and of each key derived from it.
const KEY_OCTETS: usize = 32;

/// Why there is no usable master key. Each text says what it means and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The ledger was made with one, and it is not there.
    #[error(
        "the master key {} is missing, and this data folder was made with one. Bring it back from where you keep \
         it: it is in no backup of the folder. Without it no SMTP user can log in and no DKIM key can sign; every \
         password would have to be reset and every domain added again",
        .0.display()
    )]
    Missing(PathBuf),
    /// It is not the one that the ledger was made with.
    #[error(
        "{} is not the master key that this data folder was made with. Bring the right one back, or name its place \
         in the configuration. With another key no SMTP user can log in and no DKIM key can sign, so nothing is \
         started",
        .0.display()
    )]
    Wrong(PathBuf),
    /// The file holds something else.
    #[error(
        "{} is not a master key: 64 hexadecimal digits are expected. Bring the right file back; nothing was changed",
        .0.display()
    )]
    Malformed(PathBuf),
    /// Others may read or change it.
    #[error("others can read or change the master key {} (mode {mode:03o}): set its mode to 600", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It cannot be read or made.
    #[error("the master key {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cryptographic library failed.
    #[error("the master key: the cryptographic library failed")]
    Library,
}

/// The keys derived from the master key, by purpose. The master key itself is not kept in memory.
pub(crate) struct Keys {
    passwords: [u8; KEY_OCTETS],
    cursors: [u8; KEY_OCTETS],
    return_paths: [u8; KEY_OCTETS],
    dkim: RandomizedNonceKey,
    totp: RandomizedNonceKey,
    webhooks: RandomizedNonceKey,
    check: [u8; KEY_OCTETS],
}

/// What a secret is wrapped for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// The private half of a DKIM key.
    DkimKey {
        /// Its domain.
        domain: u64,
        /// Its selector.
        selector: &'a str,
    },
    /// The seed of a member's one-time codes.
    TotpSeed {
        /// Whose.
        member: u64,
    },
    /// The secret of a webhook.
    WebhookSecret {
        /// Its number.
        webhook: u64,
    },
}

/// A secret could not be unwrapped: it was wrapped under another master key, or for another purpose.
#[derive(Debug)]
pub(crate) struct Sealed;

impl Keys {
    /// Reads the master key, or makes it where the data folder is new. `check` is what the ledger remembers of the
    /// key it was made with.
    pub(crate) fn open(path: &Path, check: Option<&[u8]>) -> Result<Keys, MasterKeyError> {
        let master = match read(path)? {
            Some(master) => master,
            None if check.is_some() => return Err(MasterKeyError::Missing(path.to_owned())),
            None => make(path)?,
        };
        let keys = Keys::derive(&master)?;
        match check {
            Some(check) if check != keys.check => Err(MasterKeyError::Wrong(path.to_owned())),
            _ => Ok(keys),
        }
    }

    fn derive(master: &[u8; KEY_OCTETS]) -> Result<Keys, MasterKeyError> {
        let sealing = |purpose| {
            RandomizedNonceKey::new(&AES_256_GCM, &subkey(master, purpose)?).map_err(|_| MasterKeyError::Library)
        };
        Ok(Keys {
            passwords: subkey(master, "password hashes")?,
            cursors: subkey(master, "cursors")?,
            return_paths: subkey(master, "return paths")?,
            dkim: sealing("dkim private keys")?,
            totp: sealing("totp seeds")?,
            webhooks: sealing("webhook secrets")?,
            check: subkey(master, "check of the master key")?,
        })
    }

    /// The key that password hashes are made under.
    pub(crate) fn passwords(&self) -> [u8; KEY_OCTETS] {
        self.passwords
    }

    /// The key that cursors are sealed under.
    pub(crate) fn cursors(&self) -> [u8; KEY_OCTETS] {
        self.cursors
    }

    /// The key that addresses for reports are made under.
    pub(crate) fn return_paths(&self) -> [u8; KEY_OCTETS] {
        self.return_paths
    }

    /// What the ledger remembers, to know the key again. Says nothing about it.
    pub(crate) fn check(&self) -> &[u8] {
        &self.check
    }

    /// Wraps a secret so that it can be used for this purpose alone.
    pub(crate) fn wrap(&self, purpose: Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, Sealed> {
        let mut octets = secret.expose().to_vec();
        let nonce = self.sealing(purpose).seal_in_place_append_tag(purpose.bound(), &mut octets);
        octets.extend_from_slice(nonce.map_err(|_| Sealed)?.as_ref());
        Ok(octets)
    }

    /// Takes it out again.
    pub(crate) fn unwrap(&self, purpose: Purpose<'_>, wrapped: &[u8]) -> Result<Secret, Sealed> {
        let at = wrapped.len().checked_sub(NONCE_LEN).ok_or(Sealed)?;
        let (octets, nonce) = wrapped.split_at(at);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Sealed)?;
        let mut octets = octets.to_vec();
        let secret = self.sealing(purpose).open_in_place(nonce, purpose.bound(), &mut octets).map_err(|_| Sealed)?;
        Ok(Secret::new(secret.to_vec()))
    }

    fn sealing(&self, purpose: Purpose<'_>) -> &RandomizedNonceKey {
        match purpose {
            Purpose::DkimKey { .. } => &self.dkim,
            Purpose::TotpSeed { .. } => &self.totp,
            Purpose::WebhookSecret { .. } => &self.webhooks,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Purpose<'_> {
    /// What a wrapped secret is bound to.
    fn bound(self) -> Aad<Vec<u8>> {
        Aad::from(match self {
            Purpose::DkimKey { domain, selector } => [&domain.to_be_bytes(), selector.as_bytes()].concat(),
            Purpose::TotpSeed { member: number } | Purpose::WebhookSecret { webhook: number } => {
                number.to_be_bytes().to_vec()
            }
        })
    }
}

struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_OCTETS
    }
}

/// HKDF-SHA-256 (RFC 5869) of the master key for one purpose.
fn subkey(master: &[u8], purpose: &str) -> Result<[u8; KEY_OCTETS], MasterKeyError> {
    let mut key = [0; KEY_OCTETS];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"envoi 1");
    let pseudorandom = salt.extract(master);
    let expanded = pseudorandom.expand(&[purpose.as_bytes()], KeyLength).and_then(|okm| okm.fill(&mut key));
    expanded.map(|()| key).map_err(|_| MasterKeyError::Library)
}

/// The mode of the key's file, where others may read or change it; none where it is well, or missing.
///
/// # Errors
/// It cannot be looked at.
pub(crate) fn exposed(path: &Path) -> io::Result<Option<u32>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.mode() & 0o777).filter(|mode| mode & EXPOSING != 0)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> Result<Option<[u8; KEY_OCTETS]>, MasterKeyError> {
    let failed = |source| MasterKeyError::Io { path: path.to_owned(), source };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = std::fs::metadata(path).map_err(failed)?.mode() & 0o777;
    if mode & EXPOSING != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    decode(&text).map(Some).ok_or_else(|| MasterKeyError::Malformed(path.to_owned()))
}

fn decode(text: &[u8]) -> Option<[u8; KEY_OCTETS]> {
    let digits = text.trim_ascii();
    if digits.len() != 2 * KEY_OCTETS {
        return None;
    }
    let mut key = [0; KEY_OCTETS];
    for (octet, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *octet = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

/// Makes a new key, on disk with its name before anything depends on it.
fn make(path: &Path) -> Result<[u8; KEY_OCTETS], MasterKeyError> {
    let mut key = [0; KEY_OCTETS];
    rand::fill(&mut key).map_err(|_| MasterKeyError::Library)?;
    let failed = |source| MasterKeyError::Io { path: path.to_owned(), source };
    let text: String = key.iter().map(|octet| format!("{octet:02x}")).chain(["\n".to_owned()]).collect();
    let unfinished = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn made_once_then_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = Keys::open(&path, None).unwrap();
        let read = Keys::open(&path, Some(made.check())).unwrap();
        assert_eq!(made.passwords(), read.passwords());
        assert_eq!(made.cursors(), read.cursors());
        assert_ne!(made.passwords().as_slice(), made.check());
        assert_ne!(made.passwords(), made.cursors());
        assert_ne!(made.return_paths(), made.cursors());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn missing_wrong_malformed_and_exposed_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let check = Keys::open(&folder.path().join("other.key"), None).unwrap().check().to_vec();
        assert!(matches!(Keys::open(&path, Some(&check)), Err(MasterKeyError::Missing(_))));
        assert!(!path.exists(), "a key was made in the place of the lost one");
        Keys::open(&path, None).unwrap();
        assert!(matches!(Keys::open(&path, Some(&check)), Err(MasterKeyError::Wrong(_))));
        std::fs::write(&path, "not a key").unwrap();
        assert!(matches!(Keys::open(&path, Some(&check)), Err(MasterKeyError::Malformed(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keys::open(&path, None), Err(MasterKeyError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn a_wrapped_secret_opens_for_its_purpose_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(&folder.path().join("a.key"), None).unwrap();
        let others = Keys::open(&folder.path().join("b.key"), None).unwrap();
        let private = Secret::new(b"PKCS#8".to_vec());
        let purpose = Purpose::DkimKey { domain: 7, selector: "selector" };
        let wrapped = keys.wrap(purpose, &private).unwrap();
        assert!(!wrapped.windows(6).any(|window| window == b"PKCS#8"));
        assert_eq!(keys.unwrap(purpose, &wrapped).unwrap(), private);
        assert!(keys.unwrap(Purpose::DkimKey { domain: 8, selector: "selector" }, &wrapped).is_err());
        assert!(keys.unwrap(Purpose::DkimKey { domain: 7, selector: "another" }, &wrapped).is_err());
        assert!(others.unwrap(purpose, &wrapped).is_err());
        assert!(keys.unwrap(purpose, &wrapped[..5]).is_err());
        let seed = keys.wrap(Purpose::TotpSeed { member: 7 }, &private).unwrap();
        assert_eq!(keys.unwrap(Purpose::TotpSeed { member: 7 }, &seed).unwrap(), private);
        assert!(keys.unwrap(Purpose::TotpSeed { member: 8 }, &seed).is_err());
        assert!(keys.unwrap(Purpose::DkimKey { domain: 7, selector: "" }, &seed).is_err(), "another key seals them");
        assert_eq!(format!("{keys:?} {private:?}"), "[secret] [secret]");
    }
}
