//! The store of one life: the spool's own code over the simulated disk, the book of the model, and a witness beside
//! every verb.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use relay::account::{Account, AccountState, Contacts};
use relay::activity::Notice;
use relay::api_key::ApiKey;
use relay::brake::{Brake, Release, Subject};
use relay::certificate;
use relay::clock::{Day, Timestamp};
use relay::directory::Directory;
use relay::dmarc_report::{self, Taken};
use relay::id::{Id, MessageId};
use relay::member::failures::FailedSignIns;
use relay::member::{Link, Member, MemberChange, NewMember, SignIn};
use relay::plan::{Plan, SubscriptionChange, Terms};
use relay::queue::{Envelope, HoldReason, Settlement};
use relay::quota::Quota;
use relay::quota::alert::Told;
use relay::report::Report;
use relay::reroute::Reroute;
use relay::sandbox::{Capture, Captured, CapturedFilter};
use relay::sending_domain::{DomainState, KeyAlgorithm, SendingDomain};
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{
    Actor, AuditEntry, Block, Book, Brakes, Claimed, Content, DmarcReports, Draft, Inbox, KeyHash, KeyedRequest, Login,
    Members, NewApiKey, NewDkimKey, NewSmtpUser, NewWebhook, PasswordUses, Plans, QueueEntry, RequestBounds, Requests,
    SmtpUserChange, Spool, StoreError, StoreHealth, WarmUps, WebhookChange, Webhooks,
};
use relay::suppression::Suppression;
use relay::verification::Check;
use relay::warm_up;
use relay::webhook::{Call, CallId, NewCall, Outlook, Redo, Standing, Tried, Webhook};
use smtp::server::Secret;
use store::embedded::counting::Counting;
use store::embedded::spool::{LogDraft, LogSpool};
use store::memory::Memory;

use crate::mail::Wanted;
use crate::world::World;
use crate::world::disk::SimDisk;

/// The store as the relay has it.
pub struct SimStore {
    /// Where it is.
    pub world: Arc<World>,
    /// Live mail.
    pub spool: LogSpool<SimDisk>,
    /// Accounts and what belongs to them: kept by a ledger of its own, which no fault of this world touches.
    pub book: Memory,
    /// What counts the log for the quotas in this life.
    pub counting: Mutex<Counting>,
}

/// Content that comes in.
pub struct SimDraft {
    draft: LogDraft<SimDisk>,
    /// Whom a notification tells that there is no room for it: the failure that it is about is settled later.
    told_by: Option<Arc<World>>,
}

impl Draft for SimDraft {
    async fn append(&mut self, octets: Bytes) -> Result<(), StoreError> {
        let appended = self.draft.append(octets).await;
        if let (Err(_), Some(world)) = (&appended, &self.told_by) {
            world.trouble();
        }
        appended
    }

    fn octets(&self) -> u64 {
        self.draft.octets()
    }
}

impl SimStore {
    /// Content that has a file of its own, read from the simulated disk: no part of the relay could open it by name.
    fn lent(&self, claimed: Option<Claimed>) -> Option<Claimed> {
        let claimed = claimed?;
        let content = match &claimed.content {
            Content::Held(octets) => Content::Held(octets.clone()),
            Content::Filed { path, octets } => {
                let image = self.world.disk.image(&path.to_string_lossy()).unwrap_or_default();
                if image.len() as u64 != *octets {
                    self.world.violation(format!("{}: lent with {octets} octets, has {}", path.display(), image.len()));
                }
                Content::Held(Bytes::from(image))
            }
        };
        Some(Claimed { content, ..claimed })
    }

    /// Asks the spool something about a message, before witnesses.
    async fn witnessed(
        &self,
        message: MessageId,
        wanted: Wanted,
        done: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let ask = {
            let mut mail = self.world.mail();
            mail.messages.get_mut(&message).map(|known| (known.ask(wanted), known.life))
        };
        let result = done.await;
        if self.world.is_dead() {
            // nobody hears it any more
            return result;
        }
        if let Err(error) = &result {
            self.world.trouble();
            self.world.tell(format_args!("{message}: {error}"));
        }
        let mut mail = self.world.mail();
        if let (Some((ask, life)), Some(known)) = (ask, mail.messages.get_mut(&message))
            && known.life == life
        {
            known.answered(ask, &result);
        }
        result
    }
}

impl Spool for SimStore {
    type Draft = SimDraft;

    fn draft(&self) -> Result<Self::Draft, StoreError> {
        Ok(SimDraft { draft: self.spool.draft()?, told_by: None })
    }

    fn draft_notification(&self) -> Result<Self::Draft, StoreError> {
        Ok(SimDraft { draft: self.spool.draft_notification()?, told_by: Some(Arc::clone(&self.world)) })
    }

    async fn commit(&self, envelope: Envelope, draft: Self::Draft) -> Result<(), StoreError> {
        let id = envelope.message;
        let asked = self.world.mail().commit_asked(&envelope);
        if let Err(fault) = asked {
            self.world.violation(fault);
        }
        let result = self.spool.commit(envelope, draft.draft).await;
        if !self.world.is_dead() {
            let counted = self.world.mail().commit_answered(id, &result);
            if let Err(fault) = counted {
                self.world.violation(fault);
            }
            let error = result.as_ref().err();
            if error.is_some() {
                self.world.trouble();
            }
            self.world.tell(format_args!("{id}: commit {error:?}"));
        }
        result
    }

    async fn claim(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        Ok(self.lent(self.spool.claim(message).await?))
    }

    fn unclaim(&self, message: MessageId) {
        self.spool.unclaim(message);
    }

    fn seal(&self, message: MessageId, seal: Bytes) {
        self.spool.seal(message, seal);
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        for verdict in &settlement.verdicts {
            self.world.tell(format_args!("{}: {} {:?}", settlement.message, verdict.recipient, verdict.outcome));
        }
        let wanted = Wanted::Settle(settlement.clone());
        let result = self.witnessed(settlement.message, wanted, self.spool.settle(settlement.clone())).await;
        if result.is_ok() && !self.world.is_dead() {
            self.world.mail().settled(&settlement);
        }
        result
    }

    async fn report(&self, report: Report) -> Result<(), StoreError> {
        self.spool.report(report).await
    }

    async fn hold_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        reason: HoldReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let wanted = Wanted::Hold(reason, recipients.clone());
        self.witnessed(message, wanted, self.spool.hold_some(message, recipients, reason, now)).await
    }

    async fn release_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let wanted = Wanted::Release(now, recipients.clone());
        self.witnessed(message, wanted, self.spool.release_some(message, recipients, now)).await
    }

    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        self.spool.queue(after, limit)
    }

    async fn peek(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        Ok(self.lent(self.spool.peek(message).await?))
    }

    fn note(&self, notices: Vec<Notice>) {
        self.spool.note(notices);
    }

    fn health(&self) -> StoreHealth {
        self.spool.health()
    }

    fn is_latched(&self) -> bool {
        self.spool.is_latched()
    }
}

/// The verbs of accounts, of members and of webhooks, handed to the model.
macro_rules! handed {
    ($trait:ident $({ $($more:tt)* })?; $($verb:ident($($name:ident: $type:ty),*) -> $result:ty;)+) => {
        impl $trait for SimStore {
            $(fn $verb(&self, $($name: $type),*) -> $result {
                self.book.$verb($($name),*)
            })+
            $($($more)*)?
        }
    };
}

type Done<T> = Result<T, StoreError>;

handed! {
    Book;
    directory() -> Arc<Directory>;
    account_add(name: &str, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    account_state(account: Id<Account>, state: AccountState, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    account_delete(account: Id<Account>, cancels_mail: bool, by: &Actor, now: Timestamp) -> Done<()>;
    account_set(account: Account, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    account_quota(account: Id<Account>, quota: Quota, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    domain_add(account: Id<Account>, name: &str, keys: Vec<NewDkimKey>, by: &Actor, now: Timestamp)
        -> Done<Arc<SendingDomain>>;
    domain_state(domain: Id<SendingDomain>, state: DomainState, by: &Actor, now: Timestamp)
        -> Done<Arc<SendingDomain>>;
    domain_bounce_mails(domain: Id<SendingDomain>, on: bool, by: &Actor, now: Timestamp) -> Done<Arc<SendingDomain>>;
    domain_check(domain: Id<SendingDomain>, check: Check) -> Done<Arc<SendingDomain>>;
    domain_rotate(domain: Id<SendingDomain>, algorithm: KeyAlgorithm, force: bool, by: &Actor, now: Timestamp)
        -> Done<Arc<SendingDomain>>;
    domain_renew(domain: Id<SendingDomain>, new: NewDkimKey, ended_at: Timestamp, by: &Actor, now: Timestamp)
        -> Done<Arc<SendingDomain>>;
    domain_key(domain: Id<SendingDomain>, selector: &str) -> Done<Secret>;
    domain_delete(domain: Id<SendingDomain>, cancels_mail: bool, by: &Actor, now: Timestamp) -> Done<()>;
    smtp_user_add(user: NewSmtpUser, by: &Actor, now: Timestamp) -> Done<Arc<SmtpUser>>;
    smtp_user_change(user: Id<SmtpUser>, action: &str, change: SmtpUserChange, by: &Actor, now: Timestamp)
        -> Done<Arc<SmtpUser>>;
    smtp_user_delete(user: Id<SmtpUser>, by: &Actor, now: Timestamp) -> Done<()>;
    api_key_add(key: NewApiKey, hash: PasswordHash, by: &Actor, now: Timestamp) -> Done<Arc<ApiKey>>;
    api_key_delete(key: Id<ApiKey>, by: &Actor, now: Timestamp) -> Done<()>;
    webhook_add(webhook: NewWebhook, secret: Secret, by: &Actor, now: Timestamp) -> Done<Arc<Webhook>>;
    webhook_change(webhook: Id<Webhook>, change: WebhookChange, by: &Actor, now: Timestamp) -> Done<Arc<Webhook>>;
    webhook_delete(webhook: Id<Webhook>, by: &Actor, now: Timestamp) -> Done<()>;
    webhook_secrets(webhook: Id<Webhook>, now: Timestamp) -> Done<Vec<Secret>>;
    api_keys_used(uses: &[(Id<ApiKey>, Timestamp)]) -> Done<()>;
    api_key_uses() -> Done<HashMap<Id<ApiKey>, Timestamp>>;
    password_key() -> [u8; 32];
    cursor_key() -> [u8; 32];
    return_path_key() -> [u8; 32];
    logins_note(logins: &[Login]) -> Done<()>;
    logins(since: Timestamp) -> Done<Vec<Login>>;
    passwords_used(users: &[Id<SmtpUser>]) -> Done<PasswordUses>;
    logins_of(users: &[Id<SmtpUser>], since: Timestamp) -> Done<HashMap<Id<SmtpUser>, Login>>;
    quotas_told() -> Done<HashMap<Id<Account>, Told>>;
    quota_told(account: Id<Account>, told: Told) -> Done<()>;
    certificates_told() -> Done<HashMap<String, certificate::Told>>;
    certificate_told(file: &str, told: certificate::Told) -> Done<()>;
    suppress(account: Id<Account>, added: &[(String, Suppression)], replace: bool, by: Option<&Actor>, now: Timestamp) -> Done<u64>;
    suppressions_expire(now: Timestamp) -> Done<u64>;
    unsuppress(account: Id<Account>, address: &str, stream: Option<Id<SmtpUser>>, by: &Actor, now: Timestamp) -> Done<()>;
    suppression_erase(account: Id<Account>, address: &str, by: &Actor, now: Timestamp) -> Done<bool>;
    block_put(block: &Block) -> Done<()>;
    blocks() -> Done<Vec<Block>>;
    block_lift(address: std::net::IpAddr, by: &Actor, now: Timestamp) -> Done<()>;
    reroute(reroute: Reroute, oldest: Option<Timestamp>) -> Done<()>;
    audit_note(entry: AuditEntry) -> Done<()>;
    audit_before(account: Option<Id<Account>>, before: Option<u64>, limit: usize) -> Done<Vec<(u64, AuditEntry)>>;
}

handed! {
    Brakes;
    brake_put_on(brake: Brake) -> Done<bool>;
    brake_told(subject: Subject) -> Done<()>;
    brake_release(subject: Subject, release: Release, by: &Actor) -> Done<Brake>;
}

handed! {
    WarmUps;
    warm_ups(sources: &[String]) -> Done<warm_up::Kept>;
    warm_ups_keep(climbs: &[warm_up::KeptClimb]) -> Done<()>;
    warm_up_order(source: &str, order: warm_up::Order, by: &Actor, now: Timestamp) -> Done<()>;
}

handed! {
    Plans;
    account_add_without_plan(name: &str, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    plan_add(terms: Terms, by: &Actor, now: Timestamp) -> Done<Arc<Plan>>;
    plan_set(plan: Id<Plan>, terms: Terms, by: &Actor, now: Timestamp) -> Done<Arc<Plan>>;
    plan_default(plan: Id<Plan>, by: &Actor, now: Timestamp) -> Done<Arc<Plan>>;
    plan_retire(plan: Id<Plan>, retired: bool, by: &Actor, now: Timestamp) -> Done<Arc<Plan>>;
    plan_delete(plan: Id<Plan>, by: &Actor, now: Timestamp) -> Done<()>;
    subscribe(account: Id<Account>, change: SubscriptionChange, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
    contacts_set(account: Id<Account>, contacts: Contacts, by: &Actor, now: Timestamp) -> Done<Arc<Account>>;
}

handed! {
    Members;
    member_add(member: NewMember, by: &Actor, now: Timestamp) -> Done<Arc<Member>>;
    member_change(member: Id<Member>, change: MemberChange, by: &Actor, now: Timestamp) -> Done<Arc<Member>>;
    member_remove(member: Id<Member>, by: &Actor, now: Timestamp) -> Done<()>;
    sign_in_add(sign_in: SignIn, of: &Member, by: &Actor) -> Done<()>;
    sign_in_act(sign_in: &SignIn, acting_for: Option<Id<Account>>, by: &Actor, now: Timestamp) -> Done<()>;
    sites(member: Id<Member>) -> Done<Vec<(std::net::IpAddr, Timestamp)>>;
    sign_ins_failed(failed: &[FailedSignIns]) -> Done<()>;
    failed_sign_ins(member: Id<Member>) -> Done<Vec<FailedSignIns>>;
    sign_in(token: &PasswordHash) -> Done<Option<SignIn>>;
    sign_ins(member: Id<Member>) -> Done<Vec<SignIn>>;
    sign_in_end(token: &PasswordHash) -> Done<()>;
    sign_ins_seen(seen: &[(PasswordHash, Timestamp)]) -> Done<()>;
    sign_ins_prune(unused_since: Timestamp, made_before: Timestamp, now: Timestamp) -> Done<()>;
    link_put(link: Link, alone: bool, by: &Actor, now: Timestamp) -> Done<()>;
    link(token: &PasswordHash) -> Done<Option<Link>>;
}

handed! {
    Inbox;
    inbox_put(capture: Capture) -> Done<()>;
    inbox(filter: &CapturedFilter) -> Done<Vec<Captured>>;
    inbox_message(account: Option<Id<Account>>, message: MessageId) -> Done<Option<(Captured, Bytes)>>;
    inbox_delete(account: Id<Account>, message: Option<MessageId>) -> Done<u64>;
    inbox_prune(before: Timestamp) -> Done<u64>;
}

handed! {
    DmarcReports;
    dmarc_take(report: &dmarc_report::Report) -> Done<Taken>;
    dmarc_kept(domain: Id<SendingDomain>, since: Day, until: Day) -> Done<dmarc_report::Kept>;
    dmarc_delete(account: Id<Account>) -> Done<()>;
    dmarc_prune(before: Day) -> Done<()>;
}

handed! {
    Requests;
    request(account: Option<Id<Account>>, key: &KeyHash) -> Done<Option<KeyedRequest>>;
    request_put(request: &KeyedRequest, bounds: RequestBounds) -> Done<bool>;
    request_forget(account: Option<Id<Account>>, key: &KeyHash) -> Done<()>;
    requests_prune(before: Timestamp) -> Done<()>;
}

handed! {
    Webhooks {
        async fn webhooks_called(&self, seen: u64) -> u64 {
            self.book.webhooks_called(seen).await
        }
    };
    webhook_outlooks() -> Done<Vec<Outlook>>;
    webhook_due(webhook: Id<Webhook>, now: Timestamp, limit: usize) -> Done<Vec<Call>>;
    webhook_tried(tried: &[Tried]) -> Done<()>;
    webhook_expire(now: Timestamp) -> Done<u64>;
    webhook_put(call: NewCall) -> Done<()>;
    webhook_redo(webhook: Id<Webhook>, which: Redo, now: Timestamp) -> Done<u64>;
    webhook_calls(webhook: Id<Webhook>, before: Option<u64>, limit: usize) -> Done<Vec<Call>>;
    webhook_call(webhook: Id<Webhook>, call: CallId) -> Done<Option<Call>>;
    webhook_standings() -> Done<HashMap<Id<Webhook>, Standing>>;
}
