//! Members: the people who sign in to the console, of an account or the operator's own.

pub mod failures;
pub mod password;
pub mod totp;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use smtp::server::Secret;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::credential::letters;
use crate::dice::Dice;
use crate::id::Id;
use crate::language::Language;
use crate::power::{Role, Scope};
use crate::site::Site;
use crate::smtp_user::PasswordHash;
use failures::{FailedSignIns, SignInFailure};
use password::HashedPassword;

/// Letters and digits of the token of a sign-in or a link: 43 of 62 are 256 bits.
const TOKEN_CHARACTERS: usize = 43;

/// How long a sign-in may wait for its one-time code.
pub const CODE_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their number.
    pub id: Id<Member>,
    /// Of which account; none: of the operator.
    pub account: Option<Id<Account>>,
    /// The address they sign in with and get mail at. No two members have the same, whatever the case of letters.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// What they are in the account. The operator's people are all administrators.
    pub role: Role,
    /// What pages and mails speak to them.
    pub language: Language,
    /// None until they have chosen one by their link.
    pub password: Option<HashedPassword>,
    /// The seed of their one-time codes, where they have turned those on.
    pub totp: Option<Secret>,
    /// Keyed hashes of the recovery codes that were not used.
    pub recovery: Vec<PasswordHash>,
    /// When they were added.
    pub created_at: Timestamp,
}

impl Member {
    /// How far they reach.
    pub fn scope(&self) -> Scope {
        self.account.map_or(Scope::Operator, |account| Scope::Account(account, self.role.powers()))
    }

    /// The address as it is looked up by.
    pub fn key_of(email: &str) -> String {
        email.trim().to_lowercase()
    }
}

/// A new member, without a password.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Of which account; none: of the operator.
    pub account: Option<Id<Account>>,
    /// The address.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// What they are in the account.
    pub role: Role,
    /// What they are spoken to in.
    pub language: Language,
}

/// What changes of a member.
#[derive(Clone, Debug)]
pub enum MemberChange {
    /// What people call them, and the language they are spoken to in.
    Profile {
        /// The name.
        name: String,
        /// The language.
        language: Language,
    },
    /// What they are in the account.
    Role(Role),
    /// Another password. Their links are void from then on, and every sign-in of theirs but this one ends.
    Password {
        /// The password.
        password: HashedPassword,
        /// The sign-in that stays.
        keep: Option<PasswordHash>,
    },
    /// One-time codes from this seed on, with these recovery codes, or none any more.
    Totp(Option<(Secret, Vec<PasswordHash>)>),
    /// A recovery code was used, and works no more.
    RecoveryUsed(PasswordHash),
    /// Another change, made only while password and one-time codes are those that were looked at: checking them takes time.
    While {
        /// The member as they were.
        member: Arc<Member>,
        /// The change.
        change: Box<MemberChange>,
    },
}

impl MemberChange {
    /// The change, made only while the member is whom it was checked for.
    #[must_use]
    pub fn checked_for(self, member: &Arc<Member>) -> MemberChange {
        MemberChange::While { member: Arc::clone(member), change: Box::new(self) }
    }
}

/// A browser in which a member is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The keyed hash of its token.
    pub token: PasswordHash,
    /// Who.
    pub member: Id<Member>,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, within some seconds.
    pub seen_at: Timestamp,
    /// From where.
    pub from: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
    /// Whether the one-time code was given, where one is asked for.
    pub confirmed: bool,
    /// The account in whose place somebody of the operator looks.
    pub acting_for: Option<Id<Account>>,
}

impl SignIn {
    /// Whether it has waited too long for its one-time code.
    pub fn has_no_code(&self, now: Timestamp) -> bool {
        !self.confirmed && now.since(self.created_at) >= CODE_PATIENCE
    }

    /// What it is where no one-time code comes any more.
    pub fn failed(&self) -> FailedSignIns {
        FailedSignIns {
            member: self.member,
            failure: SignInFailure::NoCode,
            place: Some(Site::of(self.from).address()),
            count: 1,
            first_at: self.created_at,
            last_at: self.created_at,
        }
    }
}

/// A link that was sent to a member, by which they choose a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The keyed hash of its token.
    pub token: PasswordHash,
    /// Whose.
    pub member: Id<Member>,
    /// From when on it works no more.
    pub expires_at: Timestamp,
}

/// The token of a new sign-in or link; given once, kept only as its hash.
pub fn generate_token(dice: &mut dyn Dice) -> Secret {
    Secret::new(letters(dice, TOKEN_CHARACTERS).collect())
}
