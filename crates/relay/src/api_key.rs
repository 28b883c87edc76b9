//! API keys: how programs reach the API, for an account or for the operator.

use smtp::server::Secret;

use crate::account::Account;
use crate::audit::{About, Details, Field};
use crate::clock::Timestamp;
use crate::credential::letters;
use crate::dice::Dice;
use crate::id::Id;
use crate::power::{Powers, Scope};
use crate::smtp_user::PasswordHash;

/// What every key begins with, so that scanners for leaked secrets know one.
pub const PREFIX: &str = "envoi_";

/// Letters and digits behind the prefix: 32 of 62 are 190 bits.
pub const CHARACTERS: usize = 32;

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: Id<ApiKey>,
    /// Whose; none: the operator's.
    pub account: Option<Id<Account>>,
    /// What people call it.
    pub name: String,
    /// What it may do in its account. The operator's may everything.
    pub powers: Powers,
    /// It only looks.
    pub read_only: bool,
    /// The keyed hash of the secret.
    pub hash: PasswordHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it works no more.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// How far it reaches.
    pub fn scope(&self) -> Scope {
        self.account.map_or(Scope::Operator, |account| Scope::Account(account, self.powers))
    }

    /// What it may do and until when: the audit log says it of each new one.
    pub fn audited(&self) -> Details {
        let made = Details::from(About::from(self));
        let made = match self.account {
            Some(_) => made.with(Field::Powers, &self.powers),
            None => made.with(Field::Powers, "everything"),
        };
        made.with(Field::ReadOnly, &self.read_only).with(Field::ExpiresAt, &self.expires_at)
    }

    /// Whether it works at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A new secret; shown once, kept only as its hash.
pub fn generate(dice: &mut dyn Dice) -> Secret {
    Secret::new(PREFIX.bytes().chain(letters(dice, CHARACTERS)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Seeded;
    use crate::power::Power;

    #[test]
    fn rights_are_told_whole() {
        let key = ApiKey {
            id: Id::new(1),
            account: Some(Id::new(7)),
            name: "Reports".into(),
            powers: Powers::from_iter([Power::Submit, Power::Activity]),
            read_only: true,
            hash: PasswordHash([0; 32]),
            created_at: Timestamp(0),
            expires_at: Some(Timestamp(86_400_000)),
        };
        assert_eq!(
            key.audited().to_string(),
            "api_key 1 Reports: powers activity, submit; read only true; expires at 1970-01-02T00:00:00.000Z"
        );
        let operators = ApiKey { account: None, powers: Powers::NONE, read_only: false, expires_at: None, ..key };
        let told = "api_key 1 Reports: powers everything; read only false; expires at none";
        assert_eq!(operators.audited().to_string(), told);
    }

    #[test]
    fn a_secret_is_known_by_its_beginning() {
        let mut dice = Seeded::new(1);
        let (one, other) = (generate(&mut dice), generate(&mut dice));
        assert!(one.expose().starts_with(b"envoi_") && one.expose().len() == 38);
        assert_ne!(one.expose(), other.expose());
    }
}
