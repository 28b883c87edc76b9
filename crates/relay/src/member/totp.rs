//! One-time codes (RFC 6238) and the recovery codes that stand in for a lost device.

use smtp::server::Secret;
use totp_rs::{Algorithm, Builder, Totp};

use crate::clock::Timestamp;
use crate::credential::letters;
use crate::dice::Dice;

/// Octets of a seed: what RFC 4226 §4 advises for SHA-1.
const SEED_OCTETS: usize = 20;
/// Seconds that a code stands for.
const STEP_SECONDS: u64 = 30;
/// Codes before and after that are taken too: clocks differ.
const STEPS_AROUND: u16 = 1;
/// Recovery codes that are given.
pub const RECOVERY_CODES: usize = 10;
/// Letters and digits of a recovery code: 12 of 62 are 71 bits, and attempts are few.
const RECOVERY_CHARACTERS: usize = 12;

/// A new seed.
pub fn generate_seed(dice: &mut dyn Dice) -> Secret {
    let mut seed = vec![0; SEED_OCTETS];
    dice.fill(&mut seed);
    Secret::new(seed)
}

/// New recovery codes; shown once.
pub fn generate_recovery(dice: &mut dyn Dice) -> Vec<Secret> {
    (0..RECOVERY_CODES).map(|_| Secret::new(letters(dice, RECOVERY_CHARACTERS).collect())).collect()
}

/// Whether this is a code of the seed at this moment; blanks in it do not count. The step that it stands for is given
/// back: a code is taken once (RFC 6238 §5.2), so the caller remembers it.
pub fn verify(seed: &Secret, code: &str, now: Timestamp) -> Option<u64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    (code.len() == 6).then(|| totp(seed).check(&code, now.0 / 1_000)).flatten()
}

/// The seed as people type it into a device (Base32, RFC 4648).
pub fn seed_text(seed: &Secret) -> String {
    totp(seed).secret().to_base32()
}

/// What a device reads from the square code.
pub fn address(seed: &Secret, issuer: &str, email: &str) -> String {
    let (issuer, email) = (encoded(issuer), encoded(email));
    format!("otpauth://totp/{issuer}:{email}?secret={}&issuer={issuer}", seed_text(seed))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn totp(seed: &Secret) -> Totp {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(STEPS_AROUND);
    builder.with_step_duration(STEP_SECONDS).with_secret(seed.expose().to_vec()).build_noncompliant()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Seeded;

    /// RFC 6238, appendix B: the last six digits of the SHA-1 column.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let seed = Secret::new(b"12345678901234567890".to_vec());
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = Timestamp(seconds * 1_000);
            let step = Some(seconds / STEP_SECONDS);
            assert_eq!(verify(&seed, code, now), step, "{seconds}");
            assert_eq!(verify(&seed, &format!(" {} {}", &code[..3], &code[3..]), now), step, "blanks do not count");
            assert_eq!(verify(&seed, code, Timestamp(now.0 + 30_000)), step, "clocks differ");
            assert_eq!(verify(&seed, code, Timestamp(now.0 + 90_000)), None);
        }
        assert_eq!(verify(&seed, "", Timestamp(59_000)), None);
        assert_eq!(verify(&seed, "94287082", Timestamp(59_000)), None);
    }

    #[test]
    fn a_device_can_read_the_address() {
        let seed = Secret::new(b"12345678901234567890".to_vec());
        let address = address(&seed, "mail.example.com", "jane@example.com");
        assert_eq!(
            address,
            "otpauth://totp/mail%2Eexample%2Ecom:jane%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=mail%2Eexample%2Ecom"
        );
        assert_eq!(generate_recovery(&mut Seeded::new(1)).len(), RECOVERY_CODES);
        assert_eq!(generate_seed(&mut Seeded::new(1)).expose().len(), SEED_OCTETS);
    }
}
