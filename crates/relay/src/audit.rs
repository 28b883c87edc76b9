//! What a line of the audit log tells: what it is about, as that was then, and what changed of it. In parts, so that a page says
//! them in its reader's language, and as one English sentence. Never a secret.

mod told;

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::service::view::word;
use crate::smtp_user::UserRules;

pub use told::{Told, Word};

/// Values of a list that a line keeps: of a longer one the rest is `…`.
const VALUES_MAX: usize = 20;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An account.
    Account,
    /// An API key.
    ApiKey,
    /// A backup, by its folder.
    Backup,
    /// The block of an address.
    Block,
    /// An automatic brake, by its reference.
    Brake,
    /// The relay's certificate, by its name.
    Certificate,
    /// A sending domain.
    Domain,
    /// A member.
    Member,
    /// A message.
    Message,
    /// A plan.
    Plan,
    /// A part of the queue.
    Queue,
    /// A recipient who was erased: nobody says who.
    Recipient,
    /// A site of next hops.
    Site,
    /// An SMTP user.
    SmtpUser,
    /// A source that mail is sent from.
    Source,
    /// A suppressed address; without a name where it was erased.
    Suppression,
    /// A list of them.
    Suppressions,
    /// A test inbox.
    TestInbox,
    /// A webhook.
    Webhook,
}

impl Kind {
    /// Every one.
    pub const ALL: [Kind; 19] = [
        Kind::Account,
        Kind::ApiKey,
        Kind::Backup,
        Kind::Block,
        Kind::Brake,
        Kind::Certificate,
        Kind::Domain,
        Kind::Member,
        Kind::Message,
        Kind::Plan,
        Kind::Queue,
        Kind::Recipient,
        Kind::Site,
        Kind::SmtpUser,
        Kind::Source,
        Kind::Suppression,
        Kind::Suppressions,
        Kind::TestInbox,
        Kind::Webhook,
    ];
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Names, addresses, identifiers.
    Text,
    /// A text in English, then in French.
    Wording,
    /// Words that the relay has for it, as in the API.
    Word,
    /// A whole number.
    Number,
    /// A number of seconds.
    Seconds,
    /// `true` or `false`.
    Flag,
    /// A moment (RFC 3339).
    Moment,
}

macro_rules! fields {
    ($($(#[doc = $about:literal])+ $name:ident: $form:ident,)+) => {
        /// What changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[doc = $about])+ $name,)+
        }

        impl Field {
            /// Every one.
            pub const ALL: &[Field] = &[$(Field::$name),+];

            /// What its values are.
            pub fn form(self) -> Form {
                match self {
                    $(Field::$name => Form::$form,)+
                }
            }
        }
    };
}

fields! {
    /// Days for which rows are kept; none: as long as the relay does.
    ActivityDays: Number,
    /// Suppressed addresses, how many.
    Addresses: Number,
    /// An algorithm of a DKIM key.
    Algorithm: Word,
    /// Whether one refused recipient refuses the message.
    AllOrNothing: Flag,
    /// A plan that was asked for; none: a cancellation.
    AskedPlan: Wording,
    /// Whom an account wants bills to be written to.
    BillingContact: Text,
    /// The call of a webhook.
    Call: Text,
    /// Calls of webhooks, how many.
    Calls: Number,
    /// Whether what waits is given up.
    CancelsMail: Flag,
    /// Why a brake went on.
    Cause: Word,
    /// Rows of Connections, how many.
    Connections: Number,
    /// What a brake counted.
    Counted: Number,
    /// Of how many it was.
    CountedOf: Number,
    /// A sending domain.
    Domain: Text,
    /// What a webhook is told of.
    Events: Word,
    /// The end of a key or an SMTP user; none: without end.
    ExpiresAt: Moment,
    /// What somebody is spoken to in.
    Language: Word,
    /// Whether the master key is in a backup.
    MasterKey: Flag,
    /// Messages, how many.
    Messages: Number,
    /// What something is called.
    Name: Text,
    /// Networks that an SMTP user may log in from; none: any.
    Networks: Text,
    /// Whether senders are told.
    NotifiesSenders: Flag,
    /// Whether accounts are offered a plan.
    Offered: Flag,
    /// Whether each mail tells where to unsubscribe with one click.
    OneClickUnsubscribe: Flag,
    /// Place in the list of plans.
    Place: Number,
    /// The plan of an account; none: no plan.
    Plan: Wording,
    /// What a plan is called.
    PlanName: Wording,
    /// Recipients in a period of a plan; none: without limit.
    PlanRecipients: Number,
    /// What a key may do.
    Powers: Word,
    /// What a plan costs.
    Price: Wording,
    /// Whom an account wants to be written to.
    PrimaryContact: Text,
    /// How urgent the mail of an SMTP user is.
    Priority: Word,
    /// Recipients in a period of an account; none: as its plan says.
    Quota: Number,
    /// Whether a key only looks.
    ReadOnly: Flag,
    /// A recipient, or `@domain`.
    Recipient: Text,
    /// Domains that an SMTP user may send to; none: any.
    RecipientDomains: Text,
    /// Recipients, how many.
    Recipients: Number,
    /// Whether a suppressed recipient is refused.
    RefuseSuppressed: Flag,
    /// The day of the month on which a quota is renewed.
    RenewsOn: Number,
    /// In how long a repetition is answered with the first id; none: as the limits say.
    RepeatSeconds: Seconds,
    /// How long is retried; none: as the route or the relay says.
    RetrySeconds: Seconds,
    /// What a member is.
    Role: Word,
    /// The route that mail takes; none: the usual one.
    Route: Text,
    /// Rows of Activity, how many.
    Rows: Number,
    /// Whether mail is captured instead of sent.
    Sandbox: Flag,
    /// A selector of a DKIM key.
    Selector: Text,
    /// From addresses that an SMTP user may use; none: any of its domain.
    Senders: Text,
    /// Accepted at or after.
    Since: Moment,
    /// An SMTP user.
    SmtpUser: Text,
    /// The state of a sending domain.
    State: Word,
    /// Messages of a test inbox, how many.
    TestMessages: Number,
    /// The time zone of an account.
    TimeZone: Text,
    /// Accepted before.
    Until: Moment,
    /// Where a webhook calls: scheme and host, for what follows is often a secret.
    Url: Text,
    /// Rows whose mail waits, how many.
    Waiting: Number,
}

/// What a line is about, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What it is.
    pub kind: Kind,
    /// Its number or other identifier, where it has one.
    pub id: Option<String>,
    /// What people call it, where they do.
    pub name: Option<String>,
    /// Its name in French, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub french: Option<String>,
}

impl About {
    /// About something with an identifier and a name.
    pub fn new(kind: Kind, id: impl fmt::Display, name: impl Into<String>) -> About {
        About { kind, id: Some(id.to_string()), name: Some(name.into()), french: None }
    }

    /// About something that has a name alone.
    pub fn named(kind: Kind, name: impl Into<String>) -> About {
        About { kind, id: None, name: Some(name.into()), french: None }
    }

    /// About something that has an identifier alone.
    pub fn numbered(kind: Kind, id: impl fmt::Display) -> About {
        About { kind, id: Some(id.to_string()), name: None, french: None }
    }

    /// About something that has neither.
    pub fn of(kind: Kind) -> About {
        About { kind, id: None, name: None, french: None }
    }
}

/// What changed of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What.
    pub field: Field,
    /// What it was; none where nothing was before: something was made, or counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    /// What it is.
    pub to: Vec<String>,
}

/// All that a line tells beside its action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What it is about.
    pub about: About,
    /// What changed, or how it was made.
    #[serde(default)]
    pub changes: Vec<Change>,
}

impl From<About> for Details {
    fn from(about: About) -> Details {
        Details { about, changes: Vec::new() }
    }
}

fn bounded(mut values: Vec<String>) -> Vec<String> {
    if values.len() > VALUES_MAX {
        values.truncate(VALUES_MAX);
        values.push("…".to_owned());
    }
    values
}

impl Details {
    /// With something as it was made, or as it was counted.
    #[must_use]
    pub fn with(mut self, field: Field, to: &(impl Told + ?Sized)) -> Details {
        self.changes.push(Change { field, from: None, to: bounded(to.told()) });
        self
    }

    /// With something that is there.
    #[must_use]
    pub fn with_any(self, field: Field, to: Option<&(impl Told + ?Sized)>) -> Details {
        match to {
            Some(to) => self.with(field, to),
            None => self,
        }
    }

    /// With something as it was and as it is, if that is not the same.
    #[must_use]
    pub fn changed<T: Told + ?Sized>(self, field: Field, from: &T, to: &T) -> Details {
        if from.told() == to.told() { self } else { self.replaced(field, from, to) }
    }

    /// With something that is another, whether or not what is told of it is.
    #[must_use]
    pub fn replaced<T: Told + ?Sized>(mut self, field: Field, from: &T, to: &T) -> Details {
        let (from, to) = (bounded(from.told()), bounded(to.told()));
        self.changes.push(Change { field, from: Some(from), to });
        self
    }

    /// With the rules of an SMTP user that are others.
    #[must_use]
    pub fn rules(self, from: &UserRules, to: &UserRules) -> Details {
        // whoever adds a rule says here how the log tells of it
        let UserRules {
            expires_at,
            networks,
            all_or_nothing,
            sandbox,
            retry_seconds,
            senders,
            recipient_domains,
            refuse_suppressed,
            priority,
            one_click_unsubscribe,
            repeat_seconds,
        } = to;
        self.changed(Field::ExpiresAt, &from.expires_at, expires_at)
            .changed(Field::Networks, &from.networks, networks)
            .changed(Field::AllOrNothing, &from.all_or_nothing, all_or_nothing)
            .changed(Field::Sandbox, &from.sandbox, sandbox)
            .changed(Field::RetrySeconds, &from.retry_seconds, retry_seconds)
            .changed(Field::Senders, &from.senders, senders)
            .changed(Field::RecipientDomains, &from.recipient_domains, recipient_domains)
            .changed(Field::RefuseSuppressed, &from.refuse_suppressed, refuse_suppressed)
            .changed(Field::Priority, &Word(from.priority), &Word(*priority))
            .changed(Field::OneClickUnsubscribe, &from.one_click_unsubscribe, one_click_unsubscribe)
            .changed(Field::RepeatSeconds, &from.repeat_seconds, repeat_seconds)
    }
}

/// The sentence: `smtp_user 12 Newsletter (k7f…): retry seconds from none to 3600`.
impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(&self.about.kind))?;
        for part in [&self.about.id, &self.about.name].into_iter().flatten() {
            write!(f, " {part}")?;
        }
        for (place, change) in self.changes.iter().enumerate() {
            let said = |values: &[String]| match (values, change.field.form()) {
                ([], _) => "none".to_owned(),
                ([english, ..], Form::Wording) => english.clone(),
                (values, _) => values.join(", "),
            };
            let (between, field) = (if place == 0 { ":" } else { ";" }, word(&change.field).replace('_', " "));
            write!(f, "{between} {field} ")?;
            if let Some(from) = &change.from {
                write!(f, "from {} to ", said(from))?;
            }
            f.write_str(&said(&change.to))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::priority::Class;

    #[test]
    fn a_change_of_rules_says_which_and_how() {
        let before = UserRules { retry_seconds: Some(3_600), ..UserRules::default() };
        let senders = vec!["a@example.com".to_owned(), "b@example.com".to_owned()];
        let end = Some(Timestamp(86_400_000));
        let after =
            UserRules { senders, expires_at: end, sandbox: true, priority: Class::High, ..UserRules::default() };
        let told = Details::from(About::new(Kind::SmtpUser, 12, "Newsletter")).rules(&before, &after);
        assert_eq!(
            told.to_string(),
            "smtp_user 12 Newsletter: expires at from none to 1970-01-02T00:00:00.000Z; sandbox from false to true; \
             retry seconds from 3600 to none; senders from none to a@example.com, b@example.com; priority from normal to \
             high"
        );
        assert!(Details::from(About::of(Kind::Queue)).rules(&after, &after).changes.is_empty());
    }

    #[test]
    fn of_a_long_list_the_beginning_is_kept() {
        let many: Vec<String> = (0..100).map(|number| format!("{number}@example.com")).collect();
        let told = Details::from(About::of(Kind::Queue)).with(Field::Senders, &many);
        assert_eq!((told.changes[0].to.len(), told.changes[0].to[20].as_str()), (21, "…"));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let told = Details::from(About::named(Kind::Block, "192.0.2.7")).with(Field::Rows, &7).changed(
            Field::ReadOnly,
            &false,
            &true,
        );
        let kept = serde_json::to_string(&told).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Details>(&kept).ok(), Some(told));
        let least = r#"{"about":{"kind":"queue","id":null,"name":null}}"#;
        assert_eq!(serde_json::from_str::<Details>(least).ok(), Some(About::of(Kind::Queue).into()));
    }
}
