//! The desk as the console's door: sign-ins, links, and what people change of themselves.

use relay::clock::Timestamp;
use relay::id::Id;
use relay::limits::Limits;
use relay::member::failures::SignInFailure;
use relay::member::{Member, MemberChange, NewMember, SignIn, generate_token, password, totp};
use relay::power::{Powers, Role, Scope};
use relay::rate::Pace;
use relay::service::door::{Boxed, Browser, Door, Entered, FormKey, Founder, OwnChange, Refused, Visitor};
use relay::service::view::SignInView;
use relay::service::{self, Caller, Fault, FaultKind, Identity, Service as _};
use relay::site::Site;
use relay::smtp_user::PasswordHash;
use relay::store::{Actor, Store};
use smtp::server::Secret;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

use net::clock::SystemDice;

use web::letters::LinkFor;

use super::backup::Archive;
use super::broke_off;
use super::desk::Desk;
use super::tries::{Counted, Tries};
use crate::metrics::SignInCame;

/// Passwords that are hashed at once: each takes 19 MiB and tens of milliseconds of a core.
const HASHES_AT_ONCE: usize = 2;
/// How long somebody waits for their turn to be hashed.
const HASH_PATIENCE: Duration = Duration::from_secs(15);
/// Octets of a browser's name that are kept.
const AGENT_OCTETS_MAX: usize = 200;
/// How often the one-time codes of a member may be tried, after so many at once. Who tries knows the password.
const CODES_EVERY: Duration = Duration::from_secs(600);
const CODES_BURST: u64 = 10;
/// How often somebody gets a link that was asked for with their address, after so many at once.
const LINKS_EVERY: Duration = Duration::from_secs(1200);
const LINKS_BURST: u64 = 3;
/// How long the link of the first start works.
const FIRST_LIFE: Duration = Duration::from_secs(86_400);

/// What the door remembers in memory.
pub(super) struct Porch {
    hashing: Semaphore,
    /// Failures.
    tries: Tries,
    /// Links that were asked for, by where from.
    asks: Mutex<Pace<Site>>,
    /// Links that were asked for, by whom they are for.
    links: Mutex<Pace<Id<Member>>>,
    /// One-time codes tried, by whose.
    codes: Mutex<Pace<Id<Member>>>,
    /// The step of the last code of each member: a code is taken once.
    steps: Mutex<HashMap<Id<Member>, u64>>,
    /// Uses of sign-ins that are not written down yet.
    seen: Mutex<HashMap<PasswordHash, Timestamp>>,
    /// The hash of the link that was printed at the start, and when that was, while nobody has come by it.
    first: Mutex<Option<(PasswordHash, Timestamp)>>,
    idle: Duration,
    life: Duration,
}

impl Porch {
    pub(super) fn new(limits: &Limits) -> Porch {
        Porch {
            hashing: Semaphore::new(HASHES_AT_ONCE),
            tries: Tries::new(limits),
            asks: Mutex::new(Pace::new(1, limits.sign_in_failures_burst)),
            links: Mutex::new(Pace::every(LINKS_EVERY, LINKS_BURST)),
            codes: Mutex::new(Pace::every(CODES_EVERY, CODES_BURST)),
            steps: Mutex::default(),
            seen: Mutex::default(),
            first: Mutex::default(),
            idle: Duration::from_secs(limits.sign_in_idle_seconds),
            life: Duration::from_secs(limits.sign_in_days * 86_400),
        }
    }

    /// Uses that were not taken yet.
    pub(super) fn take_seen(&self) -> Vec<(PasswordHash, Timestamp)> {
        std::mem::take(&mut *held(&self.seen)).into_iter().collect()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The actor of what a member does.
fn actor_of(member: &Member, from: IpAddr) -> Actor {
    Actor { name: member.email.clone(), from: from.to_string() }
}

/// What is told where a member is not as they were checked any more.
fn superseded(fault: Fault, refused: Refused) -> Refused {
    if fault.kind == FaultKind::Conflict { refused } else { Refused::Fault(fault) }
}

impl<S: Store + Archive> Desk<S> {
    fn hash_of(&self, token: &Secret) -> PasswordHash {
        self.secrets.hash(token.expose())
    }

    /// Does something with the store, off the async threads.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&S) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = Arc::clone(&self.executor.store);
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(broke_off)?
    }

    /// Hashes or verifies, few at a time.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let busy = || {
            Fault::unavailable("Too many people sign in at this moment.", "Try again in a minute.")
                .named("sign-in-busy", &[])
        };
        let turn = tokio::time::timeout(HASH_PATIENCE, self.porch.hashing.acquire()).await;
        let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(broke_off)
    }

    /// Forgets sign-ins and links that have ended.
    pub(super) async fn forget_sign_ins(&self) {
        let now = self.now();
        let before = |time: Duration| Timestamp(now.0.saturating_sub(time.as_millis() as u64));
        let (unused_since, made_before) = (before(self.porch.idle), before(self.porch.life));
        if let Err(fault) =
            self.with_store(move |store| Ok(store.sign_ins_prune(unused_since, made_before, now)?)).await
        {
            tracing::warn!(error = fault.what, "sign-ins that have ended were not forgotten");
        }
    }

    /// Keeps a sign-in of a member who is still as they were checked.
    async fn let_in(&self, member: Arc<Member>, browser: Browser, confirmed: bool) -> Result<Entered, Refused> {
        let (token, now) = (generate_token(&mut SystemDice), self.now());
        let known = confirmed.then(|| self.known_from_now_on(&member, &browser)).flatten();
        let mut agent = browser.agent;
        agent.truncate(agent.floor_char_boundary(AGENT_OCTETS_MAX));
        let sign_in = SignIn {
            token: self.hash_of(&token),
            member: member.id,
            created_at: now,
            seen_at: now,
            from: browser.from,
            agent,
            confirmed,
            acting_for: None,
        };
        let actor = actor_of(&member, browser.from);
        let adding = self.with_store(move |store| Ok(store.sign_in_add(sign_in, &member, &actor)?)).await;
        adding.map_err(|fault| superseded(fault, Refused::Wrong))?;
        self.count(if confirmed { SignInCame::In } else { SignInCame::HalfWay });
        Ok(Entered { token, confirmed, known })
    }

    fn count(&self, came: SignInCame) {
        if let Some(running) = &self.executor.running {
            running.sign_ins.count(came);
        }
    }

    /// Notes that a sign-in failed: for whoever it was aimed at, where there is somebody, and for the operator.
    fn failed(&self, member: Option<Id<Member>>, failure: SignInFailure, site: Site) -> Refused {
        if let Some(member) = member {
            self.executor.failed.on(member, failure, site, self.now());
        }
        self.count(match failure {
            SignInFailure::WrongPassword => SignInCame::WrongPassword,
            SignInFailure::WrongCode | SignInFailure::NoCode => SignInCame::WrongCode,
        });
        Refused::Wrong
    }

    /// Counts a try as a failure until it is known to be none.
    fn try_from(&self, counted: Counted, now: Timestamp) -> Result<(), Refused> {
        self.porch.tries.on(counted, now).map_err(|seconds| self.too_many(seconds))
    }

    fn too_many(&self, seconds: u64) -> Refused {
        self.count(SignInCame::TooMany);
        Refused::TooMany(seconds)
    }

    async fn sign_in_by_password(&self, email: &str, given: Secret, browser: Browser) -> Result<Entered, Refused> {
        let (site, now) = (Site::of(browser.from), self.now());
        let member = self.executor.store.directory().member_of(email).cloned();
        let counted = self.counted(email, member.as_deref(), &browser);
        self.try_from(counted, now)?;
        let kept = member.as_ref().and_then(|member| member.password.clone());
        let right = self.hashing(move || password::verify(given.expose(), kept.as_ref())).await?;
        let member = match member {
            Some(member) if right => member,
            aimed_at => return Err(self.failed(aimed_at.map(|member| member.id), SignInFailure::WrongPassword, site)),
        };
        self.porch.tries.was_right(counted);
        let confirmed = member.totp.is_none();
        self.let_in(member, browser, confirmed).await
    }

    async fn confirm_by_code(&self, token: Secret, code: String, browser: Browser) -> Result<Entered, Refused> {
        // the member as they were at the latest when the sign-in is found: a new password ends it
        let directory = self.executor.store.directory();
        let hash = self.hash_of(&token);
        let sign_in = self.with_store(move |store| Ok(store.sign_in(&hash)?)).await?;
        let now = self.now();
        let sign_in = sign_in.filter(|sign_in| !sign_in.confirmed && !sign_in.has_no_code(now));
        let sign_in = sign_in.ok_or(Refused::LinkVoid)?;
        let member = directory.members.get(&sign_in.member).cloned().ok_or(Refused::LinkVoid)?;
        held(&self.porch.codes).on(member.id, now).map_err(|seconds| self.too_many(seconds))?;
        if !self.is_code(&member, &code, now, browser.from).await? {
            return Err(self.failed(Some(member.id), SignInFailure::WrongCode, Site::of(browser.from)));
        }
        held(&self.porch.codes).take_back(&member.id);
        self.with_store(move |store| Ok(store.sign_in_end(&hash)?)).await?;
        let entered = self.let_in(member, browser, true).await;
        entered.map_err(|refused| if refused == Refused::Wrong { Refused::LinkVoid } else { refused })
    }

    /// Whether this is a code of the member's device, or one of their recovery codes; it is used up.
    async fn is_code(&self, member: &Arc<Member>, code: &str, now: Timestamp, from: IpAddr) -> Result<bool, Fault> {
        let seed = member.totp.as_ref();
        if let Some(step) = seed.and_then(|seed| totp::verify(seed, code, now)) {
            let mut steps = held(&self.porch.steps);
            let last = steps.entry(member.id).or_insert(0);
            let is_new = *last < step;
            *last = (*last).max(step);
            return Ok(is_new);
        }
        let hash = self.secrets.hash(code.trim().as_bytes());
        if !member.recovery.contains(&hash) {
            return Ok(false);
        }
        let (id, actor) = (member.id, actor_of(member, from));
        self.with_store(move |store| {
            Ok(store.member_change(id, MemberChange::RecoveryUsed(hash), &actor, now)?).map(|_| true)
        })
        .await
    }

    async fn visitor_of(&self, token: Secret, from: IpAddr) -> Result<Option<Visitor>, Fault> {
        let (hash, now) = (self.hash_of(&token), self.now());
        let Some(sign_in) = self.with_store(move |store| Ok(store.sign_in(&hash)?)).await? else { return Ok(None) };
        let seen = held(&self.porch.seen).get(&hash).copied().unwrap_or(sign_in.seen_at);
        if now.since(seen) > self.porch.idle || now.since(sign_in.created_at) > self.porch.life {
            return Ok(None);
        }
        let directory = self.executor.store.directory();
        let Some(member) = directory.members.get(&sign_in.member).cloned() else { return Ok(None) };
        held(&self.porch.seen).insert(hash, now);
        let actor = actor_of(&member, from);
        let (actor, scope) = match (member.account, sign_in.acting_for) {
            (None, Some(account)) => {
                (Actor { name: actor.name + Actor::OF_OPERATOR, ..actor }, Scope::Account(account, Powers::ALL))
            }
            _ => (actor, member.scope()),
        };
        let account = match scope {
            Scope::Account(account, _) => directory.accounts.get(&account).cloned(),
            Scope::Operator => None,
        };
        // another account looked at is another key: a form of one must not act on the other
        let place = sign_in.acting_for.map_or(0, Id::number).to_be_bytes();
        let form_key = FormKey::new(self.secrets.hash(&[b"form ", place.as_slice(), token.expose()].concat()));
        let identity = Identity { actor, scope, read_only: false, ends_at: None };
        Ok(Some(Visitor { member, identity, account, sign_in, form_key }))
    }

    async fn choose_by_link(&self, token: Secret, given: Secret, browser: Browser) -> Result<Entered, Refused> {
        let member = self.link_of(&token).await?.ok_or(Refused::LinkVoid)?;
        let hashed = self.hashed(&given, &member.email).await?;
        // it may have been replaced meanwhile
        self.link_of(&token).await?.ok_or(Refused::LinkVoid)?;
        let (id, actor, now) = (member.id, actor_of(&member, browser.from), self.now());
        let change = MemberChange::Password { password: hashed, keep: None }.checked_for(&member);
        let changing = self.with_store(move |store| Ok(store.member_change(id, change, &actor, now)?)).await;
        let member = changing.map_err(|fault| superseded(fault, Refused::LinkVoid))?;
        let confirmed = member.totp.is_none();
        self.let_in(member, browser, confirmed).await
    }

    /// A link for whoever has this address. The answer does not wait for it, so that it takes as long for everybody.
    fn send_link(&self, email: &str, from: IpAddr) -> Result<(), Refused> {
        let now = self.now();
        held(&self.porch.asks).on(Site::of(from), now).map_err(Refused::TooMany)?;
        if !self.can_write() {
            return Ok(());
        }
        let Some(member) = self.executor.store.directory().member_of(email).cloned() else { return Ok(()) };
        if held(&self.porch.links).on(member.id, now).is_err() {
            return Ok(());
        }
        let executor = Arc::clone(&self.executor);
        tokio::spawn(async move {
            // whoever asked is not known
            let actor = Actor { name: "somebody at the entrance".to_owned(), from: from.to_string() };
            if let Err(fault) = executor.link_by_mail(member, actor, LinkFor::Forgotten).await {
                tracing::warn!(error = fault.what, "a link to choose a password by could not be sent");
            }
        });
        Ok(())
    }

    async fn link_of(&self, token: &Secret) -> Result<Option<Arc<Member>>, Fault> {
        let (hash, now) = (self.hash_of(token), self.now());
        // the member as they were at the latest when the link is found: a new password voids it
        let directory = self.executor.store.directory();
        let link = self.with_store(move |store| Ok(store.link(&hash)?)).await?;
        Ok(link.filter(|link| link.expires_at > now).and_then(|link| directory.members.get(&link.member).cloned()))
    }

    /// The slow hash of a password that is taken.
    async fn hashed(&self, given: &Secret, email: &str) -> Result<password::HashedPassword, Refused> {
        let text = String::from_utf8_lossy(given.expose()).into_owned();
        password::check(&text, email).map_err(Refused::Weak)?;
        let hashed = self.hashing(move || password::hash(text.as_bytes(), &mut SystemDice)).await?;
        hashed.map_err(|error| Fault::unavailable(format!("{error}."), "Try again.").into())
    }

    async fn found_by_link(&self, token: Secret, founder: Founder, browser: Browser) -> Result<Entered, Refused> {
        if !self.is_first_start(&token) {
            return Err(Refused::LinkVoid);
        }
        let Founder { email, name, password, language } = founder;
        let hashed = self.hashed(&password, &email).await?;
        // whoever comes second finds the link used
        let first = held(&self.porch.first).take().ok_or(Refused::LinkVoid)?;
        let (actor, now) = (Actor { name: email.clone(), from: browser.from.to_string() }, self.now());
        let limits = self.executor.limits.clone();
        // somebody invited may have joined while this password was hashed: there is no second by this link
        if self.has_operator() {
            return Err(Refused::LinkVoid);
        }
        let made = self.with_store(move |store| {
            let caller = Caller { actor: &actor, now, scope: Scope::Operator, ends_at: None, limits: &limits };
            let wish = NewMember { account: None, email, name, role: Role::Administrator, language };
            let added = service::member_add(store, wish, &mut SystemDice, caller)?;
            let change = MemberChange::Password { password: hashed, keep: None };
            Ok(store.member_change(added.member.id, change, &actor, now)?)
        });
        match made.await {
            Ok(member) => self.let_in(member, browser, true).await,
            Err(fault) => {
                *held(&self.porch.first) = Some(first);
                Err(fault.into())
            }
        }
    }

    /// A link for the first member of the operator, while there is none; it works until somebody has come by it, or the
    /// relay stops.
    pub fn first_link(&self) -> Option<Secret> {
        if self.has_operator() {
            return None;
        }
        let token = generate_token(&mut SystemDice);
        *held(&self.porch.first) = Some((self.hash_of(&token), self.now()));
        Some(token)
    }

    fn has_operator(&self) -> bool {
        self.executor
            .store
            .directory()
            .members
            .values()
            .any(|member| member.account.is_none() && member.password.is_some())
    }

    async fn change_of_own(&self, visitor: Visitor, change: OwnChange) -> Result<Vec<Secret>, Refused> {
        let Visitor { member, sign_in, identity, .. } = visitor;
        let (id, now) = (member.id, self.now());
        let from = identity.actor.from.parse().unwrap_or(sign_in.from);
        let mut shown = Vec::new();
        let change = match change {
            OwnChange::Profile { name, language } => {
                MemberChange::Profile { name: service::display_name(&name)?, language }
            }
            OwnChange::Password { before, after } => {
                self.own_password(&member, before, from).await?;
                let password = self.hashed(&after, &member.email).await?;
                MemberChange::Password { password, keep: Some(sign_in.token) }
            }
            OwnChange::TotpOn { seed, code, password } => {
                // whoever finds an open browser must not change them, so they are turned off by the password first
                if member.totp.is_some() {
                    return Err(Refused::LinkVoid);
                }
                self.own_password(&member, password, from).await?;
                let step = totp::verify(&seed, &code, now).ok_or(Refused::Wrong)?;
                held(&self.porch.steps).insert(id, step);
                shown = totp::generate_recovery(&mut SystemDice);
                let hashes = shown.iter().map(|code| self.secrets.hash(code.expose())).collect();
                MemberChange::Totp(Some((seed, hashes)))
            }
            OwnChange::TotpOff { password } => {
                self.own_password(&member, password, from).await?;
                MemberChange::Totp(None)
            }
            OwnChange::End { token } => {
                self.with_store(move |store| {
                    if store.sign_ins(id)?.iter().any(|own| own.token == token) {
                        store.sign_in_end(&token)?;
                    }
                    Ok(())
                })
                .await?;
                return Ok(shown);
            }
        };
        let (actor, change) = (identity.actor, change.checked_for(&member));
        let changing = self.with_store(move |store| Ok(store.member_change(id, change, &actor, now)?)).await;
        changing.map_err(|fault| superseded(fault, Refused::Wrong))?;
        Ok(shown)
    }

    /// Asks for the password once more, before something that whoever finds an open browser must not change.
    async fn own_password(&self, member: &Arc<Member>, given: Secret, from: IpAddr) -> Result<(), Refused> {
        let counted = Counted::Own(member.id);
        self.try_from(counted, self.now())?;
        let kept = member.password.clone();
        if !self.hashing(move || password::verify(given.expose(), kept.as_ref())).await? {
            return Err(self.failed(Some(member.id), SignInFailure::WrongPassword, Site::of(from)));
        }
        self.porch.tries.was_right(counted);
        Ok(())
    }

    async fn act_in_place(&self, visitor: Visitor, account: Option<u64>) -> Result<(), Fault> {
        let Visitor { member, sign_in, .. } = visitor;
        if member.account.is_some() {
            return Err(
                Fault::forbidden("This is not yours to do.", "Ask the operator of the relay.").named("not-yours", &[])
            );
        }
        let (actor, now) = (actor_of(&member, sign_in.from), self.now());
        self.with_store(move |store| {
            let acting_for = account.map(Id::new);
            if let Some(account) = acting_for {
                service::account_find(store, account)?;
            }
            Ok(store.sign_in_act(&sign_in, acting_for, &actor, now)?)
        })
        .await
    }
}

impl<S: Store + Archive> Door for Desk<S> {
    fn sign_in(&self, email: String, password: Secret, browser: Browser) -> Boxed<'_, Result<Entered, Refused>> {
        Box::pin(async move { self.sign_in_by_password(&email, password, browser).await })
    }

    fn confirm(&self, token: Secret, code: String, browser: Browser) -> Boxed<'_, Result<Entered, Refused>> {
        Box::pin(self.confirm_by_code(token, code, browser))
    }

    fn visitor(&self, token: Secret, from: IpAddr) -> Boxed<'_, Result<Option<Visitor>, Fault>> {
        Box::pin(self.visitor_of(token, from))
    }

    fn sign_out(&self, token: Secret) -> Boxed<'_, Result<(), Fault>> {
        let hash = self.hash_of(&token);
        Box::pin(self.with_store(move |store| Ok(store.sign_in_end(&hash)?)))
    }

    fn link(&self, token: Secret) -> Boxed<'_, Result<Option<Arc<Member>>, Fault>> {
        Box::pin(async move { self.link_of(&token).await })
    }

    fn can_write(&self) -> bool {
        self.executor.running.as_ref().is_some_and(|running| running.mail.is_ready().is_ok())
    }

    fn forgotten(&self, email: String, browser: Browser) -> Boxed<'_, Result<(), Refused>> {
        Box::pin(async move { self.send_link(&email, browser.from) })
    }

    fn choose_password(
        &self,
        token: Secret,
        password: Secret,
        browser: Browser,
    ) -> Boxed<'_, Result<Entered, Refused>> {
        Box::pin(self.choose_by_link(token, password, browser))
    }

    fn is_first_start(&self, token: &Secret) -> bool {
        let (hash, now) = (self.hash_of(token), self.now());
        let is_it = |(first, at): (PasswordHash, Timestamp)| first == hash && now.since(at) < FIRST_LIFE;
        held(&self.porch.first).is_some_and(is_it) && !self.has_operator()
    }

    fn found(&self, token: Secret, founder: Founder, browser: Browser) -> Boxed<'_, Result<Entered, Refused>> {
        Box::pin(self.found_by_link(token, founder, browser))
    }

    fn totp_seed(&self) -> Secret {
        totp::generate_seed(&mut SystemDice)
    }

    fn sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignIn>, Fault>> {
        let member = visitor.member.id;
        Box::pin(self.with_store(move |store| Ok(store.sign_ins(member)?)))
    }

    fn recent_sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignInView>, Fault>> {
        Box::pin(self.executor.sign_ins_shown(visitor.member.id))
    }

    fn change_own(&self, visitor: Visitor, change: OwnChange) -> Boxed<'_, Result<Vec<Secret>, Refused>> {
        Box::pin(self.change_of_own(visitor, change))
    }

    fn act_for(&self, visitor: Visitor, account: Option<u64>) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(self.act_in_place(visitor, account))
    }
}
