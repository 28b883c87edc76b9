//! Passwords that people choose: which are taken, and the slow hash that they are kept as.

use std::collections::HashSet;
use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::dice::Dice;

/// The shortest password, in characters. A longer one beats rules about digits and signs (NIST SP 800-63B §3.1.1.2).
pub const CHARACTERS_MIN: usize = 12;
/// The longest, in octets: hashing one takes time.
pub const OCTETS_MAX: usize = 256;
/// Octets of the salt.
const SALT_OCTETS: usize = 16;

/// An argon2id hash with its salt and costs, in the PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(pub String);

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The library could not make a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct HashError;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than [`CHARACTERS_MIN`] characters.
    Short,
    /// More than [`OCTETS_MAX`] octets.
    Long,
    /// Hardly more than the address that it goes with, or what everybody tries.
    Guessable,
}

/// Whether a password is taken.
///
/// # Errors
/// Why not.
pub fn check(password: &str, email: &str) -> Result<(), Weakness> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(Weakness::Short);
    }
    if password.len() > OCTETS_MAX {
        return Err(Weakness::Long);
    }
    let lower = password.to_lowercase();
    let distinct: HashSet<char> = lower.chars().collect();
    let guessed = [&email.to_lowercase(), "password", "123456789", "motdepasse", "envoi"];
    let rest = guessed.iter().fold(lower, |rest, word| rest.replace(word, ""));
    let is_weak = distinct.len() < 5 || rest.chars().count() < CHARACTERS_MIN / 2;
    if is_weak { Err(Weakness::Guessable) } else { Ok(()) }
}

/// Hashes a password (argon2id at the costs that OWASP advises: 19 MiB, 2 passes). Takes tens of milliseconds.
///
/// # Errors
/// The library failed.
pub fn hash(password: &[u8], dice: &mut dyn Dice) -> Result<HashedPassword, HashError> {
    let mut salt = [0; SALT_OCTETS];
    dice.fill(&mut salt);
    let hashed: Result<PasswordHash, _> =
        hasher().hash_password_customized(password, &salt, None, None, Params::default());
    hashed.map(|hash| HashedPassword(hash.to_string())).map_err(|_| HashError)
}

/// Whether this is the password. Takes as long where there is none, so that nobody learns who has one.
pub fn verify(password: &[u8], kept: Option<&HashedPassword>) -> bool {
    // the hash of nothing that anybody knows
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.len() > OCTETS_MAX {
        return false;
    }
    let text = kept.map_or(NOBODY, |kept| kept.0.as_str());
    let same = PasswordHash::new(text).is_ok_and(|parsed| hasher().verify_password(password, &parsed).is_ok());
    same && kept.is_some()
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dice::Seeded;

    #[test]
    fn a_password_is_known_by_its_hash() {
        let mut dice = Seeded::new(1);
        let hashed = hash(b"correct horse battery", &mut dice).unwrap();
        assert!(hashed.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hashed.0);
        assert!(verify(b"correct horse battery", Some(&hashed)));
        assert!(!verify(b"correct horse batterY", Some(&hashed)));
        assert!(!verify(b"correct horse battery", None));
        assert_ne!(hash(b"correct horse battery", &mut dice).unwrap(), hashed, "the salt is another");
        assert_eq!(format!("{hashed:?}"), "[secret]");
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let refused = |password: &str| check(password, "jane@example.com").unwrap_err();
        assert_eq!(refused("short"), Weakness::Short);
        assert_eq!(refused(&"é".repeat(200)), Weakness::Long);
        for weak in ["aaaaaaaaaaaaaaaa", "jane@example.com", "Password123456789", "envoienvoienvoi", "motdepasse12345"]
        {
            assert_eq!(refused(weak), Weakness::Guessable, "{weak}");
        }
        check("vélo rouge sous la neige", "jane@example.com").unwrap();
        check("correct horse battery", "jane@example.com").unwrap();
    }
}
