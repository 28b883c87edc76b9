//! The door of the console: who signs in, who is signed in, and what people change of themselves.
//!
//! These are no operations: they are about who asks, not about what is asked for.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use smtp::server::Secret;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use super::view::SignInView;
use super::{Fault, Identity, Service};
use crate::account::Account;
use crate::language::Language;
use crate::member::password::Weakness;
use crate::member::{Member, SignIn};
use crate::smtp_user::PasswordHash;

/// What a [`Door`] will have answered.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The browser at the door.
#[derive(Clone, Debug)]
pub struct Browser {
    /// From where.
    pub from: IpAddr,
    /// What it calls itself.
    pub agent: String,
    /// What it carries since somebody signed in with it ([`Entered::known`]).
    pub known: Option<Secret>,
}

/// Somebody has come in.
#[derive(Clone, Debug)]
pub struct Entered {
    /// What the browser is known by from now on.
    pub token: Secret,
    /// Whether that is all, or a one-time code is wanted.
    pub confirmed: bool,
    /// What the browser carries from now on, whether or not somebody is signed in: failures of others do not count for it. None
    /// where it carries that already.
    pub known: Option<Secret>,
}

/// Somebody has not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The address, the password or the code is wrong; which, nobody is told.
    Wrong,
    /// Too many have failed from there: try again after so many seconds.
    TooMany(u64),
    /// The link is used, replaced or too old.
    LinkVoid,
    /// The password is not taken.
    Weak(Weakness),
    /// What else is wrong.
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Refused::Fault(fault)
    }
}

/// What the forms of one sign-in carry, so that a form of another site is known: that cannot read our pages.
#[derive(Clone)]
pub struct FormKey(String);

impl FormKey {
    /// The key of the sign-in that has this (keyed) hash of its own for forms.
    pub fn new(hash: PasswordHash) -> FormKey {
        FormKey(hash.0.iter().map(|octet| format!("{octet:02x}")).collect())
    }

    /// What a form carries.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether a form carries it; takes as long whatever it carries.
    pub fn matches(&self, given: &str) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), given.as_bytes()).is_ok()
    }
}

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub member: Arc<Member>,
    /// In whose name they ask, and how far they reach.
    pub identity: Identity,
    /// The account that they look at; none: the whole relay.
    pub account: Option<Arc<Account>>,
    /// The sign-in.
    pub sign_in: SignIn,
    /// What its forms carry.
    pub form_key: FormKey,
}

/// The first member of the operator, who comes with the link that was printed at the start.
#[derive(Clone, Debug)]
pub struct Founder {
    /// The address they will sign in with.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// Their password.
    pub password: Secret,
    /// What they are spoken to in.
    pub language: Language,
}

/// What somebody changes of themselves.
#[derive(Clone, Debug)]
pub enum OwnChange {
    /// Name and language.
    Profile {
        /// The name.
        name: String,
        /// The language.
        language: Language,
    },
    /// The password; every other sign-in ends.
    Password {
        /// The one of before.
        before: Secret,
        /// The one from now on.
        after: Secret,
    },
    /// Turns one-time codes on: the seed was shown, and this is a code of it.
    TotpOn {
        /// The seed.
        seed: Secret,
        /// A code of it.
        code: String,
        /// The password.
        password: Secret,
    },
    /// Turns them off.
    TotpOff {
        /// The password.
        password: Secret,
    },
    /// Ends a sign-in of their own.
    End {
        /// Its token.
        token: PasswordHash,
    },
}

/// The door.
pub trait Door: Service {
    /// Lets somebody in who knows address and password.
    fn sign_in(&self, email: String, password: Secret, browser: Browser) -> Boxed<'_, Result<Entered, Refused>>;

    /// Takes the one-time code, or a recovery code, of somebody who is half in; the token is another from then on.
    fn confirm(&self, token: Secret, code: String, browser: Browser) -> Boxed<'_, Result<Entered, Refused>>;

    /// Who has this token; none where it is nobody's, or works no more. Those who are half in are told by
    /// [`SignIn::confirmed`], and are to be shown nothing.
    fn visitor(&self, token: Secret, from: IpAddr) -> Boxed<'_, Result<Option<Visitor>, Fault>>;

    /// Ends a sign-in.
    fn sign_out(&self, token: Secret) -> Boxed<'_, Result<(), Fault>>;

    /// Whose link this is; none where it is void.
    fn link(&self, token: Secret) -> Boxed<'_, Result<Option<Arc<Member>>, Fault>>;

    /// Whether the relay can write to people.
    fn can_write(&self) -> bool;

    /// Sends whoever has this address a link to choose a password by; whether anybody has is told to nobody.
    ///
    /// # Errors
    /// Too many were asked for from there.
    fn forgotten(&self, email: String, browser: Browser) -> Boxed<'_, Result<(), Refused>>;

    /// Chooses a password by a link, and comes in.
    fn choose_password(&self, token: Secret, password: Secret, browser: Browser)
    -> Boxed<'_, Result<Entered, Refused>>;

    /// Whether this is the token printed at the start, and nobody of the operator has come by it yet.
    fn is_first_start(&self, token: &Secret) -> bool;

    /// Makes the first member of the operator, who comes in.
    fn found(&self, token: Secret, founder: Founder, browser: Browser) -> Boxed<'_, Result<Entered, Refused>>;

    /// A new seed for one-time codes, as bytes; nothing is kept of it yet.
    fn totp_seed(&self) -> Secret;

    /// Where a visitor is signed in, the latest first.
    fn sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignIn>, Fault>>;

    /// Where a visitor's sign-ins came from, and what failed, the latest first.
    fn recent_sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignInView>, Fault>>;

    /// Changes something of oneself; recovery codes are answered where there are new ones.
    fn change_own(&self, visitor: Visitor, change: OwnChange) -> Boxed<'_, Result<Vec<Secret>, Refused>>;

    /// Looks at an account in its place, or no more; shown in its audit log. The operator's people alone may.
    fn act_for(&self, visitor: Visitor, account: Option<u64>) -> Boxed<'_, Result<(), Fault>>;
}
