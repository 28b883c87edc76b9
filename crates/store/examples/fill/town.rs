//! Many accounts with what is theirs, and whose mail is whose.

use relay::activity::{Notice, NoticeKind};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId, SessionId};
use relay::queue::{Envelope, Outcome, Settlement};
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::smtp_user::{PasswordHash, SmtpUser, UserRules};
use relay::store::{Actor, Book as _, NewDkimKey, NewSmtpUser, Spool as _};
use relay::suppression::Suppression;
use smtp::address::{Address, ReversePath};
use smtp::server::Secret;
use std::sync::Arc;
use std::time::Instant;
use store::embedded::Embedded;

use super::Failure;

/// Recipients of a message.
pub(super) const ROWS_A_MESSAGE: u64 = 5;
/// What the accounts that are made here are called.
const NAME: &str = "Townsman";
/// The time that mail is spread over.
const SPREAD: u64 = 28 * 86_400_000;
/// Addresses that the first account does not send to.
const SUPPRESSIONS: u64 = 1_000;
/// Failed logins.
const CONNECTIONS: u64 = 20_000;

/// A number that is the same for the same number, and far from that of the next.
pub(super) fn scatter(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn operator() -> Actor {
    Actor { name: "operator".to_owned(), from: "seed".to_owned() }
}

/// Makes accounts, and gives them domains and SMTP users in turn.
pub(super) fn build(store: &Embedded, accounts: u64, domains: u64, users: u64, now: Timestamp) -> Result<(), Failure> {
    let by = operator();
    let began = Instant::now();
    let mut of: Vec<Id<SendingDomain>> = Vec::new();
    let numbered = (0..accounts).map(|number| store.account_add(&format!("{NAME} {number:05}"), &by, now));
    let numbered = numbered.collect::<Result<Vec<_>, _>>()?;
    for number in 0..domains {
        let account = numbered[(number % accounts) as usize].id;
        let name = format!("d{number}.town.test");
        let domain = store.domain_add(account, &name, vec![key(number)], &by, now)?.id;
        store.domain_state(domain, DomainState::Vouched, &by, now)?;
        of.push(domain);
    }
    for number in 0..users {
        let name = format!("Application {number}");
        let (domain, username) = (of[(number % domains) as usize], format!("town{number:012}"));
        let password = PasswordHash([7; 32]);
        store.smtp_user_add(NewSmtpUser { domain, name, username, password, rules: UserRules::default() }, &by, now)?;
    }
    for number in 0..SUPPRESSIONS {
        store.suppress(
            numbered[0].id,
            &[(format!("customer{number}@gone.example"), Suppression::manual("It bounced.", now))],
            true,
            Some(&by),
            now,
        )?;
    }
    println!("{accounts} accounts, {domains} domains and {users} SMTP users in {:.1?}", began.elapsed());
    Ok(())
}

/// A key whose record nobody looks up.
fn key(number: u64) -> NewDkimKey {
    let key = DkimKey::new(
        format!("town{number}"),
        KeyAlgorithm::Ed25519,
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        true,
    );
    NewDkimKey { key, private: Secret::new(vec![7; 48]) }
}

/// Whose mail is whose, and when it was.
pub(super) struct Spread {
    /// SMTP users of the first account.
    first: Vec<Arc<SmtpUser>>,
    /// And of all others.
    others: Vec<Arc<SmtpUser>>,
    messages: u64,
    now: Timestamp,
}

impl Spread {
    /// Over the accounts that were made here. Leaves failed logins of theirs, too.
    pub(super) fn over(store: &Embedded, messages: u64, now: Timestamp) -> Result<Spread, Failure> {
        let directory = store.directory();
        let ours = directory.accounts.values().filter(|account| account.name.starts_with(NAME));
        let large = ours.map(|account| account.id).min().ok_or("make the town first")?;
        let is_ours = |user: &&Arc<SmtpUser>| user.username.starts_with("town");
        let mut users: Vec<_> = directory.users.values().filter(is_ours).cloned().collect();
        users.sort_by_key(|user| user.id);
        let (first, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| user.account == large);
        let spread = Spread { first, others, messages, now };
        for number in 0..CONNECTIONS {
            store.note(vec![spread.trouble(number)]);
        }
        Ok(spread)
    }

    /// The first account has half of the messages; the others share the rest.
    fn user(&self, number: u64) -> &Arc<SmtpUser> {
        let all = if number.is_multiple_of(2) { &self.first } else { &self.others };
        &all[(scatter(number) >> 20) as usize % all.len()]
    }

    fn at(&self, number: u64) -> Timestamp {
        let step = SPREAD as f64 / self.messages.max(1) as f64;
        Timestamp(self.now.0 - SPREAD + (number as f64 * step) as u64)
    }

    /// Makes a message one of theirs.
    pub(super) fn place(&self, envelope: &mut Envelope, number: u64) -> Result<(), Failure> {
        let (user, at) = (self.user(number), self.at(number));
        envelope.message = MessageId(u128::from(at.0) << 80 | u128::from(number));
        envelope.accepted_at = at;
        (envelope.account, envelope.user, envelope.domain) = (user.account, Some(user.id), Some(user.domain));
        let sender = format!("shop{}@d{}.town.test", number % 7, user.domain);
        envelope.reverse_path = ReversePath::Mailbox(Address::parse(&sender, false)?);
        envelope.facts.from = sender;
        Ok(())
    }

    fn trouble(&self, number: u64) -> Notice {
        let user = self.user(number);
        Notice {
            at: self.at(number * (self.messages / CONNECTIONS).max(1)),
            kind: NoticeKind::Connection,
            account: Some(user.account),
            user: Some(user.id),
            domain: Some(user.domain),
            username: user.username.clone(),
            session: SessionId(u128::from(number)),
            remote: std::net::Ipv4Addr::from((scatter(number) >> 32) as u32).into(),
            tls: "TLS 1.3".to_owned(),
            sender: String::new(),
            recipient: String::new(),
            subject: String::new(),
            reference: "auth-invalid".to_owned(),
            reply: "535 5.7.8 Authentication credentials invalid".to_owned(),
            reason: "Wrong password.".to_owned(),
            count: 1,
        }
    }
}

/// Some mail does not arrive.
pub(super) fn vary(settlement: &mut Settlement, number: u64) {
    for (place, verdict) in (0..).zip(&mut settlement.verdicts) {
        let (outcome, reason) = match scatter(number * ROWS_A_MESSAGE + place) >> 57 {
            0 => (Outcome::HardBounced, "There is no such mailbox at example.org."),
            1 => (Outcome::SoftBounced, "The mailbox is full."),
            _ => continue,
        };
        verdict.outcome = outcome;
        reason.clone_into(&mut verdict.reason);
        verdict.remote_reply = Some("550 5.1.1 Unknown".to_owned());
    }
}
