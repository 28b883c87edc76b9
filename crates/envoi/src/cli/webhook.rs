//! `envoi webhook`: what is typed, the operation that it asks for, and what it shows.

use clap::{Args, Subcommand, ValueEnum};
use relay::clock::Timestamp;
use relay::service::operation::Operation;
use relay::service::view::{WebhookCallView, WebhookSecretView, WebhookView};
use relay::service::{Fault, Setting, WebhookWish};
use relay::webhook::{CallId, EventKind};

use super::Switch;
use super::operate::{Wanted, asking};
use super::table::{cut, pairs, printable, table};
use crate::moment::{self, short};

/// Webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Make a webhook; its secret is shown once
    Add {
        /// The account whose events it is told of
        #[arg(long)]
        account: u64,
        /// What people call it
        #[arg(long)]
        name: String,
        /// Where events are sent: https://…
        #[arg(long)]
        url: String,
        /// What it is told of; may be given several times [default: every event]
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<EventWord>,
        /// Of this sending domain alone, by name or id
        #[arg(long)]
        domain: Option<String>,
        /// Of this SMTP user alone, by username or id
        #[arg(long)]
        smtp_user: Option<String>,
    },
    /// List the webhooks
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
    },
    /// Show a webhook with how its calls stand
    Show {
        /// Its id
        webhook: u64,
    },
    /// Change a webhook
    Set {
        /// Its id
        webhook: u64,
        /// What becomes another.
        #[command(flatten)]
        change: Box<ChangeArgs>,
    },
    /// Give it a new secret, shown once; the one before signs beside it for 24 hours
    Rotate {
        /// Its id
        webhook: u64,
    },
    /// Send it a test
    Test {
        /// Its id
        webhook: u64,
    },
    /// List its calls, the newest first
    Log {
        /// Its id
        webhook: u64,
        /// Those before the call of this number, for paging
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one call with what is sent
    Call {
        /// The webhook's id
        webhook: u64,
        /// The call's id, msg_…
        call: String,
    },
    /// Send one call once more, or all that were given up since a moment
    Replay {
        /// The webhook's id
        webhook: u64,
        /// The call's id, msg_…
        #[arg(long, required_unless_present = "failed_since", conflicts_with = "failed_since")]
        call: Option<String>,
        /// 2026-11-23, 2026-11-23T21:00:00Z, or how long ago: 90m, 2d
        #[arg(long, value_name = "MOMENT")]
        failed_since: Option<String>,
    },
    /// Delete it with its log: it is told nothing any more
    Delete {
        /// Its id
        webhook: u64,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What becomes another of a webhook.
#[derive(Clone, Debug, Default, Args)]
pub struct ChangeArgs {
    /// What people call it
    #[arg(long)]
    pub name: Option<String>,
    /// Where events are sent
    #[arg(long)]
    pub url: Option<String>,
    /// What it is told of; may be given several times
    #[arg(long = "event", value_name = "EVENT")]
    pub events: Vec<EventWord>,
    /// Of this sending domain alone, by name or id, or any
    #[arg(long, value_name = "DOMAIN|any")]
    pub domain: Option<String>,
    /// Of this SMTP user alone, by username or id, or any
    #[arg(long, value_name = "USER|any")]
    pub smtp_user: Option<String>,
    /// Whether it is told anything
    #[arg(long, value_name = "on|off")]
    pub enabled: Option<Switch>,
}

/// An event, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventWord {
    /// A recipient was refused, or is suppressed
    #[value(name = "recipient.rejected")]
    Rejected,
    /// A recipient was accepted
    #[value(name = "recipient.accepted")]
    Accepted,
    /// The recipient's server took the message
    #[value(name = "recipient.delivered")]
    Delivered,
    /// A temporary error; tried again
    #[value(name = "recipient.deferred")]
    Deferred,
    /// Gave up, or a failure that passes
    #[value(name = "recipient.soft_bounce")]
    SoftBounce,
    /// Failed permanently
    #[value(name = "recipient.hard_bounce")]
    HardBounce,
    /// Its owner complained of it
    #[value(name = "recipient.complaint")]
    Complaint,
    /// The automatic brake went on
    #[value(name = "brake.on")]
    BrakeOn,
    /// The automatic brake was released
    #[value(name = "brake.released")]
    BrakeReleased,
    /// A blocklist has a domain
    #[value(name = "blocklist.listed")]
    BlocklistListed,
    /// A blocklist has a domain no more
    #[value(name = "blocklist.delisted")]
    BlocklistDelisted,
}

impl EventWord {
    fn kind(self) -> EventKind {
        match self {
            EventWord::Rejected => EventKind::Rejected,
            EventWord::Accepted => EventKind::Accepted,
            EventWord::Delivered => EventKind::Delivered,
            EventWord::Deferred => EventKind::Deferred,
            EventWord::SoftBounce => EventKind::SoftBounce,
            EventWord::HardBounce => EventKind::HardBounce,
            EventWord::Complaint => EventKind::Complaint,
            EventWord::BrakeOn => EventKind::BrakeOn,
            EventWord::BrakeReleased => EventKind::BrakeReleased,
            EventWord::BlocklistListed => EventKind::BlocklistListed,
            EventWord::BlocklistDelisted => EventKind::BlocklistDelisted,
        }
    }
}

/// The operation of a command.
pub(super) fn operation(command: &WebhookCommand, now: Timestamp) -> Result<Wanted, Fault> {
    use WebhookCommand as C;
    Ok(match command {
        C::Add { account, name, url, events, domain, smtp_user } => {
            let of = |named: &Option<String>| named.clone().map_or(Setting::Keep, Setting::To);
            let wish = WebhookWish {
                name: Some(name.clone()),
                url: Some(url.clone()),
                events: kinds(events).or_else(|| Some(EventKind::CHOICES.to_vec())),
                domain: of(domain),
                user: of(smtp_user),
                enabled: None,
            };
            Operation::WebhookAdd { account: *account, wish }.into()
        }
        C::List { account } => Operation::WebhookList { account: *account }.into(),
        C::Show { webhook } => Operation::WebhookShow { webhook: *webhook }.into(),
        C::Set { webhook, change } => {
            let wish = wish(change);
            if wish == WebhookWish::default() {
                return Err(Fault::invalid(
                    "Nothing to set was given.",
                    "`envoi webhook set --help` shows what can be.",
                ));
            }
            Operation::WebhookSet { webhook: *webhook, wish }.into()
        }
        C::Rotate { webhook } => Operation::WebhookRotate { webhook: *webhook }.into(),
        C::Test { webhook } => Operation::WebhookTest { webhook: *webhook }.into(),
        C::Log { webhook, before, limit } => {
            Operation::WebhookLog { webhook: *webhook, before: *before, limit: *limit }.into()
        }
        C::Call { webhook, call } => Operation::WebhookCall { webhook: *webhook, call: call_id(call)? }.into(),
        C::Replay { webhook, call, failed_since } => {
            let call = call.as_deref().map(call_id).transpose()?;
            let since = failed_since.as_deref().map(|given| moment::parse(given, now)).transpose();
            let since = since.map_err(|what| Fault::invalid(format!("{what}."), ""))?;
            Operation::WebhookReplay { webhook: *webhook, call, since }.into()
        }
        C::Delete { webhook, yes } => asking(
            Operation::WebhookDelete { webhook: *webhook },
            *yes,
            format!(
                "Delete webhook {webhook}? Its receiver is told nothing any more, its log goes, and it cannot be undone."
            ),
        ),
    })
}

fn kinds(words: &[EventWord]) -> Option<Vec<EventKind>> {
    (!words.is_empty()).then(|| words.iter().map(|word| word.kind()).collect())
}

fn wish(change: &ChangeArgs) -> WebhookWish {
    let of = |named: &Option<String>| match named.as_deref() {
        None => Setting::Keep,
        Some("any") => Setting::Default,
        Some(named) => Setting::To(named.to_owned()),
    };
    WebhookWish {
        name: change.name.clone(),
        url: change.url.clone(),
        events: kinds(&change.events),
        domain: of(&change.domain),
        user: of(&change.smtp_user),
        enabled: change.enabled.map(|switch| switch == Switch::On),
    }
}

fn call_id(given: &str) -> Result<CallId, Fault> {
    given
        .parse()
        .map_err(|error| Fault::invalid(format!("`{given}` is {error}."), "Give one as `envoi webhook log` shows it."))
}

/// A webhook.
pub(super) fn one(webhook: &WebhookView) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let moment = |at: &Option<String>| at.as_deref().map(short).unwrap_or_default();
    let dropped = match webhook.dropped {
        0 => String::new(),
        dropped => format!("{dropped} events, last {}", moment(&webhook.dropped_at)),
    };
    pairs(&[
        ("Webhook", webhook.id.to_string()),
        ("Account", webhook.account.to_string()),
        ("Name", webhook.name.clone()),
        ("URL", webhook.url.clone()),
        ("Told of", webhook.events.join(", ")),
        ("Domain", number(webhook.domain)),
        ("SMTP user", number(webhook.user)),
        ("State", webhook.state.clone()),
        ("Secrets", webhook.secrets.to_string()),
        ("Rotated", moment(&webhook.rotated_at)),
        ("Waiting", webhook.waiting.to_string()),
        ("Dropped", dropped),
        ("Made", short(&webhook.created_at)),
    ])
}

/// Webhooks as a table.
pub(super) fn list(webhooks: &[WebhookView]) -> String {
    table(
        &["id", "account", "name", "url", "state", "waiting", "dropped", "made"],
        webhooks.iter().map(|webhook| {
            let (id, account) = (webhook.id.to_string(), webhook.account.to_string());
            let (waiting, dropped) = (webhook.waiting.to_string(), webhook.dropped.to_string());
            let (name, url, state) = (webhook.name.clone(), cut(&webhook.url, 60), webhook.state.clone());
            vec![id, account, name, url, state, waiting, dropped, short(&webhook.created_at)]
        }),
        "There is no webhook: `envoi webhook add --account ID --name NAME --url https://…` makes one.",
    )
}

/// A webhook with its new secret.
pub(super) fn secret(made: &WebhookSecretView) -> String {
    let shown = pairs(&[
        ("Webhook", format!("{} (id {})", made.webhook.name, made.webhook.id)),
        ("URL", made.webhook.url.clone()),
        ("Secret", made.secret.expose().to_owned()),
    ]);
    format!("{shown}\n\nThe secret is shown this once. Calls are signed with it as Standard Webhooks says.")
}

/// Calls as a table.
pub(super) fn calls(calls: &[WebhookCallView]) -> String {
    table(
        &["number", "call", "event", "happened", "state", "attempts", "last", "took", "answer", "next"],
        calls.iter().map(|call| {
            let moment = |at: &Option<String>| at.as_deref().map(short).unwrap_or_default();
            let (number, attempts) = (call.number.to_string(), call.attempts.to_string());
            let took = call.milliseconds.map(|took| format!("{took} ms")).unwrap_or_default();
            let answer = match (call.status, call.fault.is_empty()) {
                (Some(status), _) => status.to_string(),
                (None, false) => cut(&call.fault, 50),
                (None, true) => String::new(),
            };
            let (id, event, at) = (call.call.clone(), call.event.clone(), short(&call.at));
            let (state, tried, due) = (call.state.clone(), moment(&call.tried_at), moment(&call.due_at));
            vec![number, id, event, at, state, attempts, tried, took, answer, due]
        }),
        "No call was made yet: `envoi webhook test ID` makes one.",
    )
}

/// One call with what is sent.
pub(super) fn call(call: &WebhookCallView) -> String {
    let moment = |at: &Option<String>| at.as_deref().map(short).unwrap_or_default();
    let shown = pairs(&[
        ("Call", call.call.clone()),
        ("Webhook", call.webhook.to_string()),
        ("Event", call.event.clone()),
        ("Happened", short(&call.at)),
        ("State", call.state.clone()),
        ("Attempts", call.attempts.to_string()),
        ("Last", moment(&call.tried_at)),
        ("Took", call.milliseconds.map(|took| format!("{took} ms")).unwrap_or_default()),
        ("Status", call.status.map(|status| status.to_string()).unwrap_or_default()),
        ("Fault", call.fault.clone()),
        ("Next", moment(&call.due_at)),
        ("Given up", moment(&call.until)),
        ("Answer", call.answer.clone()),
    ]);
    format!("{shown}\n\n{}", printable(&call.body))
}
