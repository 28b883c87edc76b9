//! From the nouns of the relay to what is shown of them.

use crate::account::Account;
use crate::activity::{ActivityDetail, ActivityEvent, ActivityRow, ConnectionRow, Status};
use crate::api_key::ApiKey;
use crate::audit::{About, Change};
use crate::authentication::{Authentication, Method};
use crate::clock::{Day, Timestamp};
use crate::directory::Directory;
use crate::id::Id;
use crate::limits::Limits;
use crate::outcome::unknown::UnknownReply;
use crate::queue::{Attempt, RecipientState, TriedHost};
use crate::schedule::{ClimbState, SiteState, SourceHealth, SourceState, WarmUpState};
use crate::sending_domain::SendingDomain;
use crate::service::block::Seen;
use crate::shaping::Phase;
use crate::smtp_user::{PasswordHash, SmtpUser};
use crate::source::{PoolId, Sources};
use crate::statistics::{Period, Statistics, Tally};
use crate::store::{AuditEntry, Claimed, Login, PasswordUses, QueueEntry};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

use super::{
    ActivityDetailView, ActivityView, ApiKeyView, AttemptView, AuditAboutView, AuditChangeView, AuditView,
    AuthenticationView, BlockView, BlockedSourceView, BlockingSiteView, ConnectionView, DayTallyView, DomainTallyView,
    EventView, MessageView, PoolMemberView, QueueRecipientView, QueueView, SendingSourceView, SiteView, SmtpUserView,
    StatisticsView, TallyView, TriedHostView, UnknownReplyView, UserTallyView, WarmUpProviderView, WarmUpView,
};
use crate::moment;
use crate::priority::Priority;

/// The stable word of an enum's value.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Recipients accepted from an SMTP user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Today, in the account's time zone.
    pub today: u64,
    /// In the last 30 days, today included.
    pub in_30_days: u64,
}

impl SmtpUserView {
    /// The user with the name of its domain, its last login, when its passwords were used, and what it sent.
    pub fn new(user: &SmtpUser, domain: &str, login: Option<&Login>, uses: &PasswordUses, sent: Sent) -> Self {
        let used_at = |password: &PasswordHash| uses.get(&(user.id, *password)).map(|at| moment::text(*at));
        let rules = &user.rules;
        SmtpUserView {
            id: user.id.number(),
            name: user.name.clone(),
            username: user.username.clone(),
            domain: domain.to_owned(),
            account: user.account.number(),
            enabled: user.enabled,
            passwords: user.passwords.len() as u64,
            passwords_used_at: user.passwords.iter().map(used_at).collect(),
            expires_at: rules.expires_at.map(moment::text),
            networks: rules.networks.iter().map(ToString::to_string).collect(),
            all_or_nothing: rules.all_or_nothing,
            sandbox: rules.sandbox,
            retry_seconds: rules.retry_seconds,
            senders: rules.senders.clone(),
            recipient_domains: rules.recipient_domains.clone(),
            refuse_suppressed: rules.refuse_suppressed,
            priority: word(&rules.priority),
            one_click_unsubscribe: rules.one_click_unsubscribe,
            repeat_seconds: rules.repeat_seconds,
            last_login_at: login.map(|login| moment::text(login.at)),
            last_login_from: login.map(|login| login.address.to_string()),
            sent_today: sent.today,
            sent_30_days: sent.in_30_days,
            created_at: moment::text(user.created_at),
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        AttemptView {
            at: moment::text(attempt.at),
            milliseconds: attempt.milliseconds,
            host: attempt.host.clone(),
            remote: attempt.remote.map(|remote| remote.to_string()),
            tls: attempt.tls.clone(),
            source: attempt.source.clone(),
            others: attempt.others.iter().map(TriedHostView::from).collect(),
        }
    }
}

impl From<&TriedHost> for TriedHostView {
    fn from(tried: &TriedHost) -> Self {
        TriedHostView {
            host: tried.host.clone(),
            remote: tried.remote.map(|remote| remote.to_string()),
            class: tried.class.map(|class| class.to_string()),
            said: tried.said.clone(),
        }
    }
}

impl From<&UnknownReply> for UnknownReplyView {
    fn from(known: &UnknownReply) -> Self {
        UnknownReplyView {
            shape: known.shape.clone(),
            example: known.example.clone(),
            domain: known.domain.clone(),
            count: known.count,
            first_at: moment::text(known.first),
            last_at: moment::text(known.last),
        }
    }
}

impl SiteView {
    /// What is shown of a site, with the names of the first of its domains. What its rule does not say, `limits` say.
    pub fn new(site: &SiteState, domains: Vec<String>, limits: &Limits) -> Self {
        let state = match site.phase {
            Phase::Open if site.unreached > 0 => "unreached",
            Phase::Open => "open",
            Phase::Slowed => "slowed",
            Phase::Paused(_) => "paused",
            Phase::Suspended(_) => "suspended",
            Phase::Probing => "probing",
        };
        let said = site.said.as_ref();
        let allowance = site.allowance.as_ref();
        let held_to =
            |limit: u64, allowed: Option<u64>| allowed.filter(|most| *most > 0).map_or(limit, |most| most.min(limit));
        SiteView {
            site: site.name.clone(),
            domains,
            domain_count: site.destination_count as u64,
            waiting: site.recipients as u64,
            connections: site.conversations as u64,
            connections_allowed: site.conversations_allowed as u64,
            messages_per_minute: site.per_minute,
            messages_per_connection: held_to(
                limits.line_messages_max,
                allowance.map(|allowance| allowance.messages.into()),
            ),
            recipients_per_transaction: held_to(
                limits.transaction_recipients_max,
                allowance.map(|allowance| allowance.recipients.into()),
            ),
            idle_seconds: allowance
                .and_then(|allowance| allowance.idle)
                .map_or(limits.line_idle_seconds, |idle| idle.as_secs().min(limits.line_idle_seconds)),
            state: state.to_owned(),
            unreached: site.unreached as u64,
            until: site.until.map(moment::text),
            class: said.and_then(|said| said.class),
            said: said.map(|said| said.text.clone()),
            said_at: said.map(|said| moment::text(said.at)),
            blocked_sources: site.kept_out.iter().map(blocked_source).collect(),
        }
    }
}

fn blocked_source((source, until): &(String, Timestamp)) -> BlockedSourceView {
    BlockedSourceView { source: source.clone(), until: moment::text(*until) }
}

impl PoolMemberView {
    /// A pool of these, and what a source of it weighs there.
    fn new((name, weight): &(String, u32), sources: &Sources) -> Self {
        let known = sources.pools().find(|(_, pool)| pool.name == *name);
        let whose = known.map(|(_, pool)| pool.whose.clone()).unwrap_or_default();
        PoolMemberView {
            pool: name.clone(),
            weight: *weight,
            first: known.is_some_and(|(id, _)| id == PoolId::default()),
            domains: whose.domains,
            accounts: whose.accounts,
            plans: whose.plans,
        }
    }
}

impl SendingSourceView {
    /// What is shown of a source, with its pools as they are configured.
    pub fn new(state: &SourceState, sources: &Sources) -> Self {
        let (word, until) = match state.health {
            SourceHealth::Good => ("good", None),
            SourceHealth::SetAside(until) => ("set_aside", Some(until)),
            SourceHealth::Tried => ("tried", None),
        };
        let site = |(site, until): &(Arc<str>, Timestamp)| BlockingSiteView {
            site: site.to_string(),
            until: moment::text(*until),
        };
        SendingSourceView {
            source: state.source.name.clone(),
            addresses: state.source.addresses().map(|address| address.to_string()).collect(),
            hello: state.source.hello.clone(),
            pools: state.pools.iter().map(|pool| PoolMemberView::new(pool, sources)).collect(),
            state: word.to_owned(),
            until: until.map(moment::text),
            reason: state.why.clone(),
            connections: state.conversations as u64,
            messages: state.carried,
            blocked_by: state.blocked.iter().map(site).collect(),
            blocked_count: state.blocked_count as u64,
            warm_up: state.warm_up.as_ref().map(Into::into),
        }
    }
}

impl From<&WarmUpState> for WarmUpView {
    fn from(state: &WarmUpState) -> Self {
        WarmUpView {
            state: if state.is_stopped { "stopped" } else { "warming" }.to_owned(),
            providers: state.climbs.iter().map(Into::into).collect(),
        }
    }
}

impl From<&ClimbState> for WarmUpProviderView {
    fn from(climb: &ClimbState) -> Self {
        let state = match (climb.allowance, climb.goes_on_at) {
            (None, _) => "warm",
            (_, Some(_)) => "used_up",
            _ => "climbing",
        };
        WarmUpProviderView {
            provider: climb.provider.to_string(),
            state: state.to_owned(),
            rung: climb.rung,
            rungs: climb.rungs,
            messages_today: climb.sent,
            messages_allowed: climb.allowance,
            objections: climb.objections,
            blocked: climb.blocked,
            goes_on_at: climb.goes_on_at.map(moment::text),
        }
    }
}

impl From<&ActivityRow> for ActivityView {
    fn from(row: &ActivityRow) -> Self {
        ActivityView {
            row: row.row,
            at: moment::text(row.at),
            updated_at: moment::text(row.updated_at),
            status: word(&row.status),
            recipient: row.recipient.clone(),
            sender: row.sender.clone(),
            subject: row.subject.clone(),
            message: row.message.map(|message| message.to_string()),
            account: row.account.number(),
            user: row.user.map(|user| user.number()),
            domain: row.domain.map(|domain| domain.number()),
            session: row.session.map(|session| session.to_string()),
            class: row.class.map(|class| class.to_string()),
            reason: row.reason.clone(),
            reply: row.reply.clone(),
            reference: row.reference.clone(),
            attempts: u64::from(row.attempts),
            count: u64::from(row.count),
            sandbox: row.sandbox,
            held: row.held.as_ref().map(word),
            delayed: None,
            last_attempt: row.last_attempt.as_ref().map(AttemptView::from),
        }
    }
}

impl ActivityView {
    /// The row as it stands `now`: it says whether its message counts as delayed, which it does `delayed_after` its acceptance.
    pub fn at(row: &ActivityRow, now: Timestamp, delayed_after: Duration) -> Self {
        ActivityView { delayed: Some(row.is_delayed(now, delayed_after)), ..ActivityView::from(row) }
    }
}

impl From<&ActivityEvent> for EventView {
    fn from(event: &ActivityEvent) -> Self {
        EventView {
            at: moment::text(event.at),
            status: word(&event.status),
            class: event.class.map(|class| class.to_string()),
            reason: event.reason.clone(),
            reply: event.reply.clone(),
            until: event.until.map(moment::text),
            attempt: event.attempt.as_ref().map(AttemptView::from),
            authentication: event.authentication.as_ref().map(AuthenticationView::from),
        }
    }
}

impl From<&Authentication> for AuthenticationView {
    fn from(known: &Authentication) -> Self {
        let domain = |method: &Method| Some(method.domain.clone()).filter(|domain| !domain.is_empty());
        AuthenticationView {
            spf: known.spf.verdict.name().to_owned(),
            spf_domain: domain(&known.spf),
            dkim: known.dkim.verdict.name().to_owned(),
            dkim_domain: domain(&known.dkim),
            vouched_by: known.vouched_by().map(str::to_owned),
            disowned: known.is_disowned(),
        }
    }
}

impl ActivityDetailView {
    /// The row as it is shown in lists, with all else that is known of it and the name of its SMTP user.
    pub fn new(row: ActivityView, detail: &ActivityDetail, directory: &Directory) -> Self {
        let (facts, session) = (detail.facts.as_ref(), detail.session.as_ref());
        // what the sandbox took went nowhere
        let is_delivered = detail.events.iter().any(|event| event.status == Status::Delivered) && !detail.row.sandbox;
        ActivityDetailView {
            row,
            events: detail.events.iter().map(EventView::from).collect(),
            octets: facts.map(|facts| facts.octets),
            sha256: facts.map(|facts| hex(&facts.sha256)),
            delivered_sha256: facts.filter(|_| is_delivered).map(|facts| hex(&facts.sha256)),
            message_id: facts.map(|facts| facts.message_id.clone()),
            priority: detail.priority.map(Priority::value),
            remote: session.map(|session| session.remote.to_string()),
            client_name: session.map(|session| session.client_name.clone()),
            tls: session.map(|session| session.tls.clone()),
            submission_milliseconds: session.and_then(|session| session.milliseconds),
            user_name: detail.row.user.and_then(|id| Some(directory.users.get(&id)?.name.clone())),
        }
    }
}

impl From<&Tally> for TallyView {
    fn from(tally: &Tally) -> Self {
        TallyView {
            recipients: tally.accepted,
            delivered: tally.delivered,
            soft_bounces: tally.soft_bounced,
            hard_bounces: tally.hard_bounced,
            complaints: tally.complained,
            pending: tally.pending(),
            delivery_rate: tally.rate(tally.delivered),
            soft_bounce_rate: tally.rate(tally.soft_bounced),
            hard_bounce_rate: tally.rate(tally.hard_bounced),
        }
    }
}

impl StatisticsView {
    /// The statistics of a period, with the names of domains and SMTP users, by the days of an account where they are of
    /// one alone; where `whole` says that they are of all of it, also those of its domains and users that had no mail.
    pub fn new(
        statistics: &Statistics,
        period: Period,
        directory: &Directory,
        (account, whole): (Option<&Account>, Option<Id<Account>>),
    ) -> Self {
        let (mut domains, mut users) = (statistics.domains.clone(), statistics.users.clone());
        if let Some(account) = whole {
            let own = directory.domains.values().filter(|domain| domain.account == account);
            own.filter(|domain| domain.deleted_at.is_none()).for_each(|domain| {
                domains.entry(domain.id).or_default();
            });
            directory.users.values().filter(|user| user.account == account).for_each(|user| {
                users.entry(user.id).or_default();
            });
        }
        let domain = |(id, tally): (&Id<SendingDomain>, &Tally)| {
            let domain = directory.domains.get(id);
            DomainTallyView {
                id: id.number(),
                name: domain.map(|domain| domain.name.clone()),
                state: domain.filter(|domain| domain.deleted_at.is_none()).map(|domain| word(&domain.state)),
                tally: TallyView::from(tally),
            }
        };
        let user = |(id, tally): (&Id<SmtpUser>, &Tally)| UserTallyView {
            id: id.number(),
            name: directory.users.get(id).map(|user| user.name.clone()),
            tally: TallyView::from(tally),
        };
        let day = |(day, tally): &(Day, Tally)| DayTallyView { day: day.to_string(), tally: TallyView::from(tally) };
        StatisticsView {
            time_zone: account.map(|account| account.time_zone.name().to_owned()),
            since: period.since.to_string(),
            until: period.until.to_string(),
            total: TallyView::from(&statistics.total),
            before: TallyView::from(&statistics.before),
            days: statistics.days.iter().map(day).collect(),
            domains: domains.iter().map(domain).collect(),
            users: users.iter().map(user).collect(),
        }
    }
}

impl From<&ConnectionRow> for ConnectionView {
    fn from(row: &ConnectionRow) -> Self {
        let notice = &row.notice;
        ConnectionView {
            row: row.row,
            at: moment::text(notice.at),
            updated_at: moment::text(row.updated_at),
            count: u64::from(notice.count),
            account: notice.account.map(|account| account.number()),
            user: notice.user.map(|user| user.number()),
            username: notice.username.clone(),
            remote: notice.remote.to_string(),
            tls: notice.tls.clone(),
            reference: notice.reference.clone(),
            reply: notice.reply.clone(),
            reason: notice.reason.clone(),
            session: notice.session.to_string(),
        }
    }
}

impl QueueRecipientView {
    fn new(number: usize, recipient: String, state: &RecipientState) -> Self {
        let (word_of, due, attempts, held) = match state {
            RecipientState::Waiting { due, attempts } => ("waiting", Some(*due), Some(*attempts), None),
            RecipientState::Held { reason, attempts } => ("held", None, Some(*attempts), Some(word(reason))),
            RecipientState::Settled => ("settled", None, None, None),
        };
        QueueRecipientView {
            number: number as u64,
            recipient,
            state: word_of.to_owned(),
            due_at: due.map(moment::text),
            attempts: attempts.map(u64::from),
            held,
        }
    }
}

impl From<&QueueEntry> for QueueView {
    fn from(entry: &QueueEntry) -> Self {
        let recipients = entry
            .recipients
            .iter()
            .map(|(number, domain, state)| QueueRecipientView::new(usize::from(*number), format!("@{domain}"), state));
        QueueView {
            message: entry.message.to_string(),
            account: entry.account.number(),
            domain: entry.domain.map(|domain| domain.number()),
            accepted_at: moment::text(entry.accepted_at),
            priority: word(&entry.class),
            recipients: recipients.collect(),
        }
    }
}

impl From<&Claimed> for MessageView {
    fn from(claimed: &Claimed) -> Self {
        let envelope = &claimed.envelope;
        let session = envelope.session.as_ref();
        let recipients = envelope.recipients.iter().zip(&claimed.recipients).enumerate();
        MessageView {
            message: envelope.message.to_string(),
            account: envelope.account.number(),
            user: envelope.user.map(|user| user.number()),
            domain: envelope.domain.map(|domain| domain.number()),
            reverse_path: envelope.reverse_path.to_string(),
            subject: envelope.facts.subject.clone(),
            message_id: envelope.facts.message_id.clone(),
            octets: envelope.facts.octets,
            sha256: hex(&envelope.facts.sha256),
            accepted_at: moment::text(envelope.accepted_at),
            priority: envelope.priority.value(),
            session: session.map(|session| session.session.to_string()),
            remote: session.map(|session| session.remote.to_string()),
            recipients: recipients
                .map(|(number, (address, state))| QueueRecipientView::new(number, address.to_string(), state))
                .collect(),
        }
    }
}

impl From<&Seen> for BlockView {
    fn from(Seen { block, liftable }: &Seen) -> Self {
        BlockView {
            address: block.address.to_string(),
            cause: block.cause.clone(),
            since: moment::text(block.since),
            until: moment::text(block.until),
            accounts: block.accounts.iter().map(|account| account.number()).collect(),
            liftable: *liftable,
        }
    }
}

impl ApiKeyView {
    /// The key with its last use.
    pub fn new(key: &ApiKey, used_at: Option<Timestamp>) -> Self {
        ApiKeyView {
            id: key.id.number(),
            account: key.account.map(|account| account.number()),
            name: key.name.clone(),
            powers: key.powers.iter().map(|power| word(&power)).collect(),
            read_only: key.read_only,
            created_at: moment::text(key.created_at),
            expires_at: key.expires_at.map(moment::text),
            last_used_at: used_at.map(moment::text),
        }
    }
}

impl From<&About> for AuditAboutView {
    fn from(about: &About) -> Self {
        let About { kind, id, name, french } = about.clone();
        AuditAboutView { kind: word(&kind), id, name, french }
    }
}

impl From<&Change> for AuditChangeView {
    fn from(change: &Change) -> Self {
        let Change { field, from, to } = change.clone();
        AuditChangeView { field: word(&field), from, to }
    }
}

impl From<&(u64, AuditEntry)> for AuditView {
    fn from((line, entry): &(u64, AuditEntry)) -> Self {
        AuditView {
            line: *line,
            at: moment::text(entry.at),
            actor: entry.actor.name.clone(),
            from: entry.actor.from.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            about: entry.details.as_ref().map(|details| AuditAboutView::from(&details.about)),
            changes: entry.details.iter().flat_map(|details| &details.changes).map(AuditChangeView::from).collect(),
            account: entry.account.map(|account| account.number()),
        }
    }
}
