//! How often somebody may fail at the entrance: by where they come from and the address that they give, alike whether that is a
//! member's or nobody's; and from one place in all so many times as often, so that one person's mistakes behind an address that many
//! share keep none of the others out.
//!
//! A browser that a member has signed in with carries a token that says so, and is counted by that: whoever fails beside it, or
//! through the same proxy, keeps nobody out. Nobody without the token is answered otherwise because a member has it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// The address that was given, one of so many that share a number, and where from. On this machine, where a tunnel may stand
    /// for all, it is from nowhere.
    Given(Option<Site>, u16),
    /// A browser that a member has signed in with before.
    Browser(PasswordHash),
    /// A member who is signed in, and asked for the password once more.
    Own(Id<Member>),
}

/// How many times as often as with one address somebody may fail from one place with any.
const PLACE_FACTOR: u64 = 10;

/// Failures at the entrance.
pub(super) struct Tries {
    each: Mutex<Pace<Counted>>,
    /// All from one place, whatever address was given.
    places: Mutex<Pace<Site>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tries {
    pub(super) fn new(limits: &Limits) -> Tries {
        let burst = limits.sign_in_failures_burst;
        Tries {
            each: Mutex::new(Pace::new(1, burst)),
            places: Mutex::new(Pace::new(PLACE_FACTOR, burst.saturating_mul(PLACE_FACTOR))),
        }
    }

    /// Counts a try as a failure until it is known to be none ([`Tries::was_right`]), so that many at once are as many.
    ///
    /// # Errors
    /// Too many have failed: seconds until one more may be tried.
    pub(super) fn on(&self, counted: Counted, now: Timestamp) -> Result<(), u64> {
        held(&self.each).on(counted, now)?;
        let Counted::Given(Some(site), _) = counted else { return Ok(()) };
        held(&self.places).on(site, now).inspect_err(|_| held(&self.each).take_back(&counted))
    }

    pub(super) fn was_right(&self, counted: Counted) {
        held(&self.each).take_back(&counted);
        if let Counted::Given(Some(site), _) = counted {
            held(&self.places).take_back(&site);
        }
    }
}

impl<S: Store + Archive> Desk<S> {
    /// What a try to sign in with an address is counted by. On loopback no place is counted.
    pub(super) fn counted(&self, email: &str, member: Option<&Member>, browser: &Browser) -> Counted {
        if let Some(counted) = member.and_then(|member| self.known(member, browser)) {
            return counted;
        }
        let site = Site::of(browser.from);
        let is_here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&site.address());
        let PasswordHash([first, second, ..]) =
            self.secrets.hash(format!("given {}", Member::key_of(email)).as_bytes());
        Counted::Given((!is_here).then_some(site), u16::from_be_bytes([first, second]))
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
