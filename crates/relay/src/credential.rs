//! Generated usernames and passwords, and the keyed hash that a password is checked by.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use smtp::server::Secret;

use crate::dice::Dice;
use crate::smtp_user::PasswordHash;

/// Letters and digits of a generated username; it is no secret.
pub const USERNAME_CHARACTERS: usize = 16;

/// Letters and digits of a generated password: 20 of 62 are 119 bits.
pub const PASSWORD_CHARACTERS: usize = 20;

/// Passwords of one SMTP user that work at the same time, so that one can replace the other.
pub const PASSWORDS_MAX: usize = 2;

const PASSWORD_LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

// people read usernames to one another: one case, no l or o beside 1 and 0
const USERNAME_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const USERNAME_FIRST_LETTERS: &[u8; 24] = b"abcdefghijkmnpqrstuvwxyz";

/// A new username. Forms that want a letter in front get one.
pub fn generate_username(dice: &mut dyn Dice) -> String {
    let first = letter(dice, USERNAME_FIRST_LETTERS);
    let rest = (1..USERNAME_CHARACTERS).map(|_| letter(dice, USERNAME_LETTERS));
    std::iter::once(first).chain(rest).map(char::from).collect()
}

/// A new password; shown once, kept only as its hash.
pub fn generate_password(dice: &mut dyn Dice) -> Secret {
    Secret::new(letters(dice, PASSWORD_CHARACTERS).collect())
}

/// Letters and digits of a secret, drawn anew.
pub(crate) fn letters(dice: &mut dyn Dice, count: usize) -> impl Iterator<Item = u8> {
    (0..count).map(|_| letter(dice, PASSWORD_LETTERS))
}

fn letter(dice: &mut dyn Dice, letters: &[u8]) -> u8 {
    letters[dice.below(letters.len() as u64) as usize]
}

/// A new secret on its way to whoever is shown it, once: sent as the text that it is, printed as `[secret]`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself, for the eyes that it was made for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&Secret> for SecretText {
    fn from(secret: &Secret) -> Self {
        SecretText(String::from_utf8_lossy(secret.expose()).into_owned())
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// The key that passwords are hashed under, derived from the master key (`Book::password_key`).
#[derive(Clone)]
pub struct PasswordKey(hmac::Key);

impl std::fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl PasswordKey {
    /// Takes the key.
    pub fn new(key: [u8; 32]) -> Self {
        PasswordKey(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The hash to keep of a password.
    pub fn hash(&self, password: &[u8]) -> PasswordHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.0, password).as_ref());
        PasswordHash(hash)
    }

    /// Which of the live hashes the password has, if any.
    ///
    /// Takes equally long whatever is live, so that a user who does not exist is asked about with
    /// none: one hash is made and [`PASSWORDS_MAX`] are compared, in constant time, always.
    pub fn verify(&self, password: &[u8], live: &[PasswordHash]) -> Option<PasswordHash> {
        let given = self.hash(password);
        let nobody = PasswordHash([0; 32]);
        let mut found = None;
        for place in 0..PASSWORDS_MAX {
            let kept = live.get(place);
            let same = verify_slices_are_equal(&given.0, &kept.unwrap_or(&nobody).0).is_ok();
            if same && kept.is_some() {
                found = Some(given);
            }
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dice::Seeded;

    #[test]
    fn a_secret_is_sent_as_it_is_and_printed_by_nobody() {
        let text = SecretText::from(&Secret::new(b"mouse".to_vec()));
        assert_eq!((text.expose(), serde_json::to_string(&text).unwrap().as_str()), ("mouse", r#""mouse""#));
        assert_eq!(format!("{:?}", Some(text)), "Some([secret])");
    }

    #[test]
    fn usernames_and_passwords_are_letters_and_digits_of_their_length() {
        let mut dice = Seeded::new(1);
        let username = generate_username(&mut dice);
        let password = generate_password(&mut dice);
        assert_eq!((username.len(), password.expose().len()), (16, 20));
        assert!(username.bytes().chain(password.expose().iter().copied()).all(|octet| octet.is_ascii_alphanumeric()));
        assert_ne!(generate_username(&mut dice), username);
    }

    #[test]
    fn every_letter_is_as_likely() {
        let mut dice = Seeded::new(2);
        let mut counts = [0u32; 256];
        for _ in 0..6_200 {
            for octet in generate_password(&mut dice).expose() {
                counts[usize::from(*octet)] += 1;
            }
        }
        for letter in PASSWORD_LETTERS {
            let count = counts[usize::from(*letter)];
            // 2,000 are expected, with a standard deviation of 44
            assert!((1_700..2_300).contains(&count), "{} came {count} times", char::from(*letter));
        }
    }

    #[test]
    fn a_password_is_known_by_its_hash_and_key() {
        let key = PasswordKey::new([7; 32]);
        let (old, new) = (key.hash(b"old"), key.hash(b"new"));
        assert_eq!(key.verify(b"old", &[old, new]), Some(old));
        assert_eq!(key.verify(b"new", &[old, new]), Some(new));
        assert_eq!(key.verify(b"new", &[old]), None);
        assert_eq!(key.verify(b"", &[]), None);
        assert_eq!(PasswordKey::new([8; 32]).verify(b"old", &[old]), None);
        assert_eq!(format!("{key:?} {old:?}"), "[secret] [secret]");
    }
}
