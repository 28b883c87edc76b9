//! How often somebody may fail at the entrance: by where they come from, alike whether the address is a member's or nobody's.
//!
//! A browser that a member has signed in with carries a token that says so, and is counted by that: whoever fails beside it, or
//! through the same proxy, keeps nobody out. Nobody without the token is answered otherwise because a member has it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use relay::clock::Timestamp;
use relay::id::Id;
use relay::limits::Limits;
use relay::member::{Member, generate_token};
use relay::rate::Pace;
use relay::service::door::{Browser, FormKey};
use relay::site::Site;
use relay::smtp_user::PasswordHash;
use relay::store::Store;
use smtp::server::Secret;

use net::clock::SystemDice;

use super::backup::Archive;
use super::desk::Desk;

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Where they come from.
    Place(Site),
    /// The address that was given, where all come from this machine: one of so many that share a number.
    Given(u16),
    /// A browser that a member has signed in with before.
    Browser(PasswordHash),
    /// A member who is signed in, and asked for the password once more.
    Own(Id<Member>),
}

/// Failures at the entrance.
pub(super) struct Tries(Mutex<Pace<Counted>>);

impl Tries {
    pub(super) fn new(limits: &Limits) -> Tries {
        Tries(Mutex::new(Pace::new(1, limits.sign_in_failures_burst)))
    }

    /// Counts a try as a failure until it is known to be none ([`Tries::was_right`]), so that many at once are as many.
    ///
    /// # Errors
    /// Too many have failed: seconds until one more may be tried.
    pub(super) fn on(&self, counted: Counted, now: Timestamp) -> Result<(), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).on(counted, now)
    }

    pub(super) fn was_right(&self, counted: Counted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take_back(&counted);
    }
}

impl<S: Store + Archive> Desk<S> {
    /// What a try to sign in with an address is counted by. On loopback, where a tunnel may stand for all, no place is counted.
    pub(super) fn counted(&self, email: &str, member: Option<&Member>, browser: &Browser) -> Counted {
        if let Some(counted) = member.and_then(|member| self.known(member, browser)) {
            return counted;
        }
        let site = Site::of(browser.from);
        if ![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&site.address()) {
            return Counted::Place(site);
        }
        let PasswordHash([first, second, ..]) =
            self.secrets.hash(format!("given {}", Member::key_of(email)).as_bytes());
        Counted::Given(u16::from_be_bytes([first, second]))
    }

    /// What a browser is counted by that this member has signed in with.
    fn known(&self, member: &Member, browser: &Browser) -> Option<Counted> {
        let text = str::from_utf8(browser.known.as_ref()?.expose()).ok()?;
        let (nonce, proof) = text.split_once('.')?;
        let is_its = self.proof(member.id, nonce.as_bytes()).matches(proof);
        is_its.then(|| Counted::Browser(self.secrets.hash(nonce.as_bytes())))
    }

    /// What a browser carries from now on that a member has signed in with; none where it does already.
    pub(super) fn known_from_now_on(&self, member: &Member, browser: &Browser) -> Option<Secret> {
        if self.known(member, browser).is_some() {
            return None;
        }
        let nonce = generate_token(&mut SystemDice);
        let proof = self.proof(member.id, nonce.expose());
        Some(Secret::new([nonce.expose(), b".", proof.text().as_bytes()].concat()))
    }

    fn proof(&self, member: Id<Member>, nonce: &[u8]) -> FormKey {
        FormKey::new(self.secrets.hash(&[b"browser ", member.number().to_be_bytes().as_slice(), nonce].concat()))
    }
}
