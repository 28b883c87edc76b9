//! One seed, from an empty disk to the last outcome.

use std::sync::Arc;

use net::clock::Clock;
use relay::account::Account;
use relay::credential::PasswordKey;
use relay::quota::Quota;
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm};
use relay::smtp_user::UserRules;
use relay::store::{Book, NewDkimKey, NewSmtpUser, StoreError};
use relay::time_zone::TimeZone;
use relay::verification::{Check, RecordState};
use smtp::server::Secret;
use store::memory::Memory;

use crate::damage::Damage;
use crate::fault::{Fault, Tally};
use crate::life;
use crate::mail::USERS;
use crate::operator::by;
use crate::rng::Rng;
use crate::world::disk::End;
use crate::world::{World, lock};

/// An Ed25519 key that anybody may know (RFC 8410 §10.3): the same in every run.
const KEY: [u8; 48] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20, 0xD4, 0xEE, 0x72,
    0xDB, 0xF9, 0x13, 0x58, 0x4A, 0xD5, 0xB6, 0xD8, 0xF1, 0xF7, 0x69, 0xF8, 0xAD, 0x3A, 0xFE, 0x7C, 0x28, 0xCB, 0xF1,
    0xD4, 0xFB, 0xE0, 0x97, 0xA8, 0x8F, 0x44, 0x75, 0x58, 0x42,
];

/// What came of a seed.
pub struct Outcome {
    /// What must not have been.
    pub violations: Vec<String>,
    /// One number for all that happened.
    pub digest: u64,
    /// The last of it, where it was kept.
    pub lines: Vec<String>,
    /// How often each fault fired.
    pub tally: Arc<Tally>,
    /// Messages that clients wanted to send.
    pub letters: usize,
    /// Messages that the relay acknowledged.
    pub acknowledged: usize,
    /// Messages kept, notifications included.
    pub kept: usize,
    /// Deliveries at next hops.
    pub delivered: usize,
    /// Deliveries beyond the first of the same recipient.
    pub repeated: usize,
}

/// Runs a seed. `keeps_text`: whether somebody wants to read what happened.
pub fn run(seed: u64, keeps_text: bool) -> Outcome {
    let world = World::new(seed, keeps_text);
    let mut damage = Damage::default();
    match book(&world) {
        Ok(book) => lives(&world, &book, &mut damage),
        Err(error) => world.violation(format!("the book cannot be written: {error}")),
    }
    let mail = world.mail();
    Outcome {
        violations: world.violations(),
        digest: world.trace.digest(),
        lines: world.trace.lines(),
        tally: Arc::clone(&world.tally),
        letters: mail.letters.len(),
        acknowledged: mail.messages.values().filter(|message| message.is_acknowledged).count(),
        kept: mail.messages.len(),
        delivered: mail.takings.values().map(Vec::len).sum(),
        repeated: mail.takings.values().map(|takings| takings.len() - 1).sum(),
    }
}

fn lives(world: &Arc<World>, book: &Memory, damage: &mut Damage) {
    let mut rng = Rng::new(world.plan.seed, 14);
    for (number, life) in world.plan.lives.clone().iter().enumerate() {
        if let Some(back) = life.back {
            world.fault(Fault::ClockBack);
            world.clock.go_back(back);
        }
        if life.flips > 0 {
            damage.inflict(world, &mut rng);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let Ok(runtime) = runtime else {
            world.violation("there is no runtime".to_owned());
            return;
        };
        let end = runtime.block_on(life::live(world, number, life, book, damage));
        drop(runtime);
        world.disk.end_life(end);
        world.disk.set_capacity(world.plan.disk_octets);
        if end == End::Power && lock(&world.ledger).lose(&mut rng) {
            world.fault(Fault::LedgerLosesBatches);
        }
        if world.is_violated() {
            return;
        }
    }
}

/// Accounts, domains and users.
fn book(world: &World) -> Result<Memory, StoreError> {
    let (book, now) = (Memory::new(), world.clock.now());
    let mut rng = Rng::new(world.plan.seed, 15);
    let key = PasswordKey::new(book.password_key());
    let mut domains = Vec::new();
    for shop in 0..3 {
        let account = book.account_add(&format!("Shop {shop}"), &by(), now)?;
        let keys = if shop == 0 { vec![signing_key()] } else { Vec::new() };
        let domain = book.domain_add(account.id, &format!("shop{shop}.example"), keys, &by(), now)?;
        book.domain_state(domain.id, DomainState::Vouched, &by(), now)?;
        domains.push(domain.id);
    }
    let records = vec![("s1".to_owned(), RecordState::Right)];
    book.domain_check(domains[0], Check::new(now, records))?;
    if let Some((recipients, renews_on)) = world.plan.quota {
        let quota = Quota { recipients: Some(recipients), renews_on, moved: None };
        let last = book.directory().domains[&domains[2]].account;
        book.account_quota(last, quota, &by(), now)?;
        // its midnight, at which a period ends, is anywhere in the day, and its date may be another than that in UTC
        let zones = [(2, "UTC"), (1, "Pacific/Kiritimati"), (1, "Etc/GMT+12"), (1, "Asia/Kathmandu")];
        let time_zone = TimeZone::from(Rng::new(world.plan.seed, 16).weighted(&zones).to_owned());
        book.account_set(Account { time_zone, ..(*book.directory().accounts[&last]).clone() }, &by(), now)?;
        world.mail().quota = Some((last, quota));
    }
    for user in USERS {
        let retry = rng.weighted(&[(2, None), (2, Some(3_600)), (3, Some(6 * 3_600)), (1, Some(86_400))]);
        let new = NewSmtpUser {
            domain: domains[user.shop],
            name: user.name.to_owned(),
            username: user.name.to_owned(),
            password: key.hash(user.password.as_bytes()),
            rules: UserRules { retry_seconds: retry, ..UserRules::default() },
        };
        book.smtp_user_add(new, &by(), now)?;
    }
    Ok(book)
}

fn signing_key() -> NewDkimKey {
    let key = DkimKey::new("s1", KeyAlgorithm::Ed25519, "", true);
    NewDkimKey { key, private: Secret::new(KEY.to_vec()) }
}
