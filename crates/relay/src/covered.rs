//! Tokens that leave with mail and come back from strangers: what they name, under a keyed code, so that nobody makes one, and
//! covered by a key stream made from the code, so that nobody reads or compares the numbers in it. They need no memory of ours.

use aws_lc_rs::{constant_time, hmac};

/// Letters that survive mail servers which change their case (RFC 4648 §6, in small letters).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Octets of the code.
pub(crate) const CODE_OCTETS: usize = 10;

/// Makes tokens of one purpose, and knows them again.
#[derive(Clone)]
pub(crate) struct Cover {
    codes: hmac::Key,
    streams: hmac::Key,
}

impl Cover {
    /// With a key (`Book::return_path_key`); tokens of another purpose are none of this one.
    pub(crate) fn new(key: [u8; 32], purpose: &str) -> Cover {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let derived = |what: &str| {
            let key = hmac::sign(&key, format!("{purpose}{what}").as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
        };
        Cover { codes: derived("codes"), streams: derived("streams") }
    }

    /// The token for these octets, in letters.
    pub(crate) fn close(&self, mut octets: Vec<u8>) -> Option<String> {
        let code: [u8; CODE_OCTETS] = self.code(&octets)?;
        self.cover(&code, &mut octets);
        Some(letters(&[&code[..], &octets].concat()))
    }

    /// The octets of a token that was made here, whatever the case of its letters; none of any other text, or of one that is
    /// longer than so many octets make.
    pub(crate) fn open(&self, text: &str, most: usize) -> Option<Vec<u8>> {
        let octets = octets(text, most)?;
        let (code, covered) = octets.split_at_checked(CODE_OCTETS)?;
        let mut plain = covered.to_vec();
        self.cover(code, &mut plain);
        constant_time::verify_slices_are_equal(code, &self.code(&plain)?).ok()?;
        Some(plain)
    }

    fn code(&self, octets: &[u8]) -> Option<[u8; CODE_OCTETS]> {
        hmac::sign(&self.codes, octets).as_ref().get(..CODE_OCTETS)?.try_into().ok()
    }

    /// Covers octets, or uncovers them: no two plain texts share a stream unless they share a code.
    fn cover(&self, code: &[u8], octets: &mut [u8]) {
        for (number, part) in (0u8..).zip(octets.chunks_mut(32)) {
            // the first part has no number: so were the tokens made that are on their way
            let nonce = if number == 0 { code.to_vec() } else { [code, &[number]].concat() };
            let stream = hmac::sign(&self.streams, &nonce);
            part.iter_mut().zip(stream.as_ref()).for_each(|(octet, key)| *octet ^= key);
        }
    }
}

/// Seven bits to an octet, the lowest first; the highest bit says that more follow.
pub(crate) fn push_number(octets: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        octets.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    octets.push(number as u8);
}

/// The next number that [`push_number`] put there.
pub(crate) fn take_number(octets: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let (first, rest) = octets.split_first()?;
        *octets = rest;
        number |= u64::from(first & 127) << (7 * place);
        if first & 128 == 0 {
            return Some(number);
        }
    }
    None
}

/// Octets as letters, five bits each.
fn letters(octets: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::with_capacity(octets.len() * 8 / 5 + 1), 0u32, 0);
    for octet in octets {
        held = held << 8 | u32::from(*octet);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// Letters as octets; none where they are others than [`letters`] makes of so many at the most.
fn octets(text: &str, most: usize) -> Option<Vec<u8>> {
    if text.len() > most * 8 / 5 + 1 {
        return None;
    }
    let (mut octets, mut held, mut bits) = (Vec::with_capacity(text.len() * 5 / 8), 0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            octets.push((held >> bits & 255) as u8);
        }
        held &= (1 << bits) - 1;
    }
    // a letter too many, or bits that stand for nothing
    (bits < 5 && held == 0).then_some(octets)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn octets_come_back_from_their_letters(given in proptest::collection::vec(any::<u8>(), 0..=100)) {
            prop_assert_eq!(octets(&letters(&given), 100), Some(given));
        }

        #[test]
        fn what_was_closed_opens_for_its_purpose_alone(given in proptest::collection::vec(any::<u8>(), 0..=100)) {
            let (one, other) = (Cover::new([1; 32], ""), Cover::new([1; 32], "other "));
            let token = one.close(given.clone()).unwrap();
            prop_assert_eq!(one.open(&token.to_uppercase(), 110), Some(given));
            prop_assert_eq!(other.open(&token, 110), None);
            prop_assert_eq!(Cover::new([2; 32], "").open(&token, 110), None);
        }
    }

    #[test]
    fn a_stream_never_repeats() {
        let cover = Cover::new([1; 32], "");
        let mut octets = vec![0; 96];
        cover.cover(&[7; CODE_OCTETS], &mut octets);
        assert_ne!(octets[..32], octets[32..64]);
        assert_ne!(octets[32..64], octets[64..]);
    }

    /// The addresses that mail of earlier versions went out with are still good.
    #[test]
    fn tokens_stay_what_they_were() {
        let token = Cover::new([1; 32], "").close(vec![0; 20]).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let derived = |what: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, what).as_ref());
        let code = hmac::sign(&derived(b"codes"), &[0; 20]);
        let stream = hmac::sign(&derived(b"streams"), &code.as_ref()[..CODE_OCTETS]);
        assert_eq!(token, letters(&[&code.as_ref()[..CODE_OCTETS], &stream.as_ref()[..20]].concat()));
    }
}
