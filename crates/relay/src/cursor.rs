//! Places in Activity as callers hold them: cursors and row numbers that tell nobody how much happened, to whomever.
//!
//! Rows and changes of all accounts are counted together. Whoever could read or compare two cursors, or two numbers,
//! would know how much mail the others had in between. Cursors are sealed under a fresh nonce, so that not even two of the
//! same place look alike; row numbers are permuted.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::account::Account;
use crate::dice::Dice;
use crate::id::Id;
use crate::power::Scope;

/// The key that cursors are sealed under, derived from the master key (`Book::cursor_key`).
pub struct CursorKey {
    cursors: Option<LessSafeKey>,
    numbers: hmac::Key,
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl CursorKey {
    /// Takes the key.
    pub fn new(key: [u8; 32]) -> Self {
        // the length is right: this cannot fail
        let cursors = UnboundKey::new(&AES_256_GCM_SIV, &key).ok().map(LessSafeKey::new);
        let numbers = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), b"row numbers");
        CursorKey { cursors, numbers: hmac::Key::new(hmac::HMAC_SHA256, numbers.as_ref()) }
    }

    /// The cursor of a place, good for callers of the same scope alone, whatever their powers.
    pub fn seal(&self, scope: Scope, place: u64, dice: &mut dyn Dice) -> String {
        let mut nonce = [0; NONCE_LEN];
        dice.fill(&mut nonce);
        let mut octets = place.to_be_bytes().to_vec();
        let Some(key) = &self.cursors else { return String::new() };
        match key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), holder(scope), &mut octets) {
            Ok(()) => URL_SAFE_NO_PAD.encode([&nonce[..], &octets].concat()),
            // some octets under a key that is there: this cannot fail
            Err(_) => String::new(),
        }
    }

    /// The place of a cursor; none where it was not given to a caller of this scope.
    pub fn open(&self, scope: Scope, cursor: &str) -> Option<u64> {
        let octets = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = octets.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let place = self.cursors.as_ref()?.open_in_place(nonce, holder(scope), &mut sealed).ok()?;
        Some(u64::from_be_bytes((&*place).try_into().ok()?))
    }
}

/// What a round of the permutation is made from: halves of a number.
const HALF_BITS: u32 = 26;
const HALF: u64 = (1 << HALF_BITS) - 1;
/// Four make such a permutation look random (Luby, Rackoff); two more cost next to nothing.
const ROUNDS: u8 = 6;

/// Row numbers: the operator sees them as they are; to an account each is another number, always the same, in no order.
/// A permutation of numbers of 52 bits by Feistel's construction, so that JavaScript can hold them.
impl CursorKey {
    /// The number that a caller knows a row by.
    pub fn number(&self, scope: Scope, row: u64) -> u64 {
        let Scope::Account(account, _) = scope else { return row };
        if row >> (2 * HALF_BITS) != 0 {
            return row;
        }
        let (left, right) = (0..ROUNDS).fold((row >> HALF_BITS, row & HALF), |(left, right), round| {
            (right, left ^ self.mixed(account, round, right))
        });
        left << HALF_BITS | right
    }

    /// The row that a caller knows by this number, whether or not there is one.
    pub fn row(&self, scope: Scope, number: u64) -> u64 {
        let Scope::Account(account, _) = scope else { return number };
        if number >> (2 * HALF_BITS) != 0 {
            return number;
        }
        let halves = (number >> HALF_BITS, number & HALF);
        let (left, right) =
            (0..ROUNDS).rev().fold(halves, |(left, right), round| (right ^ self.mixed(account, round, left), left));
        left << HALF_BITS | right
    }

    fn mixed(&self, account: Id<Account>, round: u8, half: u64) -> u64 {
        let octets = [&account.number().to_be_bytes()[..], &[round], &half.to_be_bytes()].concat();
        let tag = hmac::sign(&self.numbers, &octets);
        tag.as_ref().iter().take(4).fold(0, |mixed, octet| mixed << 8 | u64::from(*octet)) & HALF
    }
}

/// Whose a cursor is.
fn holder(scope: Scope) -> Aad<Vec<u8>> {
    Aad::from(match scope {
        Scope::Operator => Vec::new(),
        Scope::Account(account, _) => account.number().to_be_bytes().to_vec(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dice::Seeded;
    use crate::power::Powers;

    #[test]
    fn a_cursor_is_good_for_those_it_was_given_to() {
        let (key, mut dice) = (CursorKey::new([7; 32]), Seeded::new(1));
        let (own, other) = (Scope::Account(Id::new(1), Powers::ALL), Scope::Account(Id::new(2), Powers::ALL));
        for place in [0, 1, u64::MAX] {
            let cursor = key.seal(own, place, &mut dice);
            assert_eq!(key.open(own, &cursor), Some(place));
            assert_eq!(key.open(Scope::Account(Id::new(1), Powers::NONE), &cursor), Some(place));
            assert_eq!((key.open(other, &cursor), key.open(Scope::Operator, &cursor)), (None, None));
            assert_eq!(CursorKey::new([8; 32]).open(own, &cursor), None);
        }
        let operators = key.seal(Scope::Operator, 5, &mut dice);
        assert_eq!((key.open(Scope::Operator, &operators), key.open(own, &operators)), (Some(5), None));
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    #[test]
    fn cursors_cannot_be_compared() {
        let (key, mut dice) = (CursorKey::new([7; 32]), Seeded::new(1));
        let (one, same) = (key.seal(Scope::Operator, 1, &mut dice), key.seal(Scope::Operator, 1, &mut dice));
        let far = key.seal(Scope::Operator, 1 << 60, &mut dice);
        assert_ne!(one, same);
        assert_eq!((one.len(), one.len()), (same.len(), far.len()));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        let key = CursorKey::new([7; 32]);
        let mut changed = key.seal(Scope::Operator, 1, &mut Seeded::new(1)).into_bytes();
        changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
        for given in ["", "0", "17", "é", "AAAA", "====", std::str::from_utf8(&changed).unwrap()] {
            assert_eq!(key.open(Scope::Operator, given), None, "{given}");
        }
    }

    #[test]
    fn row_numbers_are_permuted_for_each_account() {
        let key = CursorKey::new([7; 32]);
        let of = |account| Scope::Account(Id::new(account), Powers::ALL);
        let rows = (0..200).chain([1 << 30, (1 << 52) - 1, 1 << 52, u64::MAX]);
        for row in rows {
            for scope in [of(1), of(2), Scope::Operator] {
                assert_eq!(key.row(scope, key.number(scope, row)), row);
            }
            assert_eq!(key.number(Scope::Operator, row), row);
        }
        let numbers: Vec<_> = (0..200).map(|row| key.number(of(1), row)).collect();
        assert!(numbers.iter().all(|number| *number < 1 << 52));
        let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((70..130).contains(&rising), "{rising} of 199 rise");
        assert_ne!(key.number(of(1), 17), key.number(of(2), 17));
    }
}
