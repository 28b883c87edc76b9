//! From what was typed to the operation that it asks for, and what has to be confirmed first.

use relay::activity::{ActivityFilter, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::priority::Class;
use relay::sending_domain::KeyAlgorithm;
use relay::service::operation::{Operation, Part};
use relay::service::{Fault, RulesChange, Setting};

use super::{
    ActivityArgs, Algorithm, AuditCommand, BlocksCommand, CertificateCommand, Command, ConnectionsCommand,
    DomainCommand, RulesArgs, SmtpUserCommand, StatusWord, Switch, Urgency, ZoneCommand, account, api_key, brake,
    inbox, member, message, plan, queue, site, source, statistics, suppression, tls_report, webhook,
};
use crate::moment;

const BACKLOG_DEFAULT: u32 = 10;

/// An operation, and the question to ask before it where it cannot be undone.
pub(super) struct Wanted {
    pub(super) operation: Operation,
    pub(super) question: Option<String>,
}

impl From<Operation> for Wanted {
    fn from(operation: Operation) -> Self {
        Wanted { operation, question: None }
    }
}

pub(super) fn asking(operation: Operation, yes: bool, question: String) -> Wanted {
    Wanted { operation, question: (!yes).then_some(question) }
}

/// The operation of a command; none for those that are no operation.
pub(super) fn operation(command: &Command, now: Timestamp) -> Result<Option<Wanted>, Fault> {
    Ok(Some(match command {
        Command::Serve | Command::Demo(_) | Command::Config(_) | Command::Doctor(_) | Command::Restore(_) => {
            return Ok(None);
        }
        Command::Backup(arguments) => crate::archive::operation(arguments).into(),
        Command::Account(command) => account::operation(command)?,
        Command::Plan(command) => plan::operation(command)?,
        Command::Domain(command) => domain(command),
        Command::SmtpUser(command) => smtp_user(command, now)?,
        Command::Suppression(command) => suppression::operation(command, now)?,
        Command::ApiKey(command) => api_key::operation(command, now)?,
        Command::Webhook(command) => webhook::operation(command, now)?,
        Command::Member(command) => member::operation(command),
        Command::Message(command) => message::operation(command)?,
        Command::Inbox(command) => inbox::operation(command)?,
        Command::Activity(arguments) => activity(arguments, now)?,
        Command::Statistics(arguments) => statistics::operation(arguments, now)?.into(),
        Command::Connections(ConnectionsCommand::List { account, before, limit }) => {
            Operation::Connections { account: *account, before: *before, limit: *limit }.into()
        }
        Command::Queue(command) => queue::operation(command, now)?,
        Command::Site(command) => site::operation(command),
        Command::Source(command) => source::operation(command),
        Command::TlsReport(command) => tls_report::operation(command),
        Command::Blocks(BlocksCommand::List) => Operation::Blocks.into(),
        Command::Blocks(BlocksCommand::Lift { address }) => Operation::BlockLift { address: *address }.into(),
        Command::Brake(command) => brake::operation(command),
        Command::Certificate(CertificateCommand::List) => Operation::CertificateList.into(),
        Command::Certificate(CertificateCommand::Renew) => Operation::CertificateRenew.into(),
        Command::Zone(ZoneCommand::Show) => Operation::ZoneShow { after: None, limit: super::zone::DOMAINS }.into(),
        Command::Audit(AuditCommand::List { account, before, limit }) => {
            Operation::Audit { account: *account, before: *before, limit: *limit }.into()
        }
    }))
}

fn domain(command: &DomainCommand) -> Wanted {
    match command {
        DomainCommand::Add { account, name } => Operation::DomainAdd { account: *account, name: name.clone() }.into(),
        DomainCommand::List { account } => Operation::DomainList { account: *account, part: Part::WHOLE }.into(),
        DomainCommand::Show { domain } => Operation::DomainShow { domain: domain.clone() }.into(),
        DomainCommand::Dmarc { domain, days } => Operation::DomainDmarc { domain: domain.clone(), days: *days }.into(),
        DomainCommand::Health { domain } => Operation::DomainHealth { domain: domain.clone() }.into(),
        DomainCommand::Verify { domain } => Operation::DomainVerify { domain: domain.clone() }.into(),
        DomainCommand::Vouch { domain } => Operation::DomainVouch { domain: domain.clone(), vouched: true }.into(),
        DomainCommand::Unvouch { domain } => Operation::DomainVouch { domain: domain.clone(), vouched: false }.into(),
        DomainCommand::Rotate { domain, algorithm, force } => {
            let algorithm = algorithm.map(|algorithm| match algorithm {
                Algorithm::Rsa => KeyAlgorithm::Rsa2048,
                Algorithm::Ed25519 => KeyAlgorithm::Ed25519,
            });
            Operation::DomainRotate { domain: domain.clone(), algorithm, force: *force }.into()
        }
        DomainCommand::BounceMails { domain, switch } => {
            Operation::DomainBounceMails { domain: domain.clone(), on: *switch == Switch::On }.into()
        }
        DomainCommand::Delete { domain, cancel_mail, yes } => asking(
            Operation::DomainDelete { domain: domain.clone(), cancel_mail: *cancel_mail },
            *yes,
            format!("Delete domain {domain}? Its SMTP users stop at once, its keys go, and it cannot be undone."),
        ),
    }
}

fn smtp_user(command: &SmtpUserCommand, now: Timestamp) -> Result<Wanted, Fault> {
    use SmtpUserCommand as C;
    Ok(match command {
        C::Add { domain, name, rules } => {
            Operation::SmtpUserAdd { domain: domain.clone(), name: name.clone(), rules: rules_of(rules, now)? }.into()
        }
        C::List { account, domain } => {
            let (account, domain) = (*account, domain.clone());
            Operation::SmtpUserList { account, domain, part: Part::WHOLE }.into()
        }
        C::Show { user } => Operation::SmtpUserShow { user: user.clone() }.into(),
        C::Rename { user, name } => Operation::SmtpUserRename { user: user.clone(), name: name.clone() }.into(),
        C::Reset { user, yes } => asking(
            Operation::SmtpUserReset { user: user.clone() },
            *yes,
            format!("Reset the password of {user}? The old one stops at once, in every application that uses it."),
        ),
        C::AddPassword { user } => Operation::SmtpUserAddPassword { user: user.clone() }.into(),
        C::DropPassword { user, yes } => asking(
            Operation::SmtpUserDropPassword { user: user.clone() },
            *yes,
            format!("Stop the older password of {user}?"),
        ),
        C::Disable { user } => Operation::SmtpUserDisable { user: user.clone() }.into(),
        C::Enable { user } => Operation::SmtpUserEnable { user: user.clone() }.into(),
        C::Set { user, rules } => {
            let rules = rules_of(rules, now)?;
            if rules.is_empty() {
                return Err(Fault::invalid(
                    "Nothing to set was given.",
                    "`envoi smtp-user set --help` shows what can be.",
                ));
            }
            Operation::SmtpUserSet { user: user.clone(), rules }.into()
        }
        C::Delete { user, yes } => asking(
            Operation::SmtpUserDelete { user: user.clone() },
            *yes,
            format!("Delete SMTP user {user}? Applications that use it stop sending at once; it cannot be undone."),
        ),
    })
}

fn rules_of(given: &RulesArgs, now: Timestamp) -> Result<RulesChange, Fault> {
    let wrong = |what: String| Fault::invalid(what, "`envoi smtp-user set --help` shows the forms.");
    let expires_at = match given.expires.as_deref() {
        None => Setting::Keep,
        Some("never") => Setting::Default,
        Some(given) => Setting::To(moment_to_come(given, now)?),
    };
    let period = |given: Option<&str>| match given {
        None => Ok(Setting::Keep),
        Some("default") => Ok(Setting::Default),
        Some(period) => crate::config::parse_span(period)
            .map(Setting::To)
            .ok_or_else(|| wrong(format!("`{period}` is not a period: write 90m, 12h or 3d."))),
    };
    let networks = match list(given.networks.as_deref()) {
        Setting::To(networks) => Setting::To(networks.iter().map(|net| network(net)).collect::<Result<_, _>>()?),
        Setting::Default => Setting::Default,
        Setting::Keep => Setting::Keep,
    };
    Ok(RulesChange {
        expires_at,
        networks,
        all_or_nothing: switch(given.all_or_nothing),
        sandbox: switch(given.sandbox),
        retry_seconds: period(given.retry_for.as_deref())?,
        senders: list(given.senders.as_deref()),
        recipient_domains: list(given.recipient_domains.as_deref()),
        refuse_suppressed: switch(given.refuse_suppressed),
        priority: match given.priority {
            None => Setting::Keep,
            Some(Urgency::High) => Setting::To(Class::High),
            Some(Urgency::Normal) => Setting::Default,
            Some(Urgency::Low) => Setting::To(Class::Low),
        },
        one_click_unsubscribe: switch(given.one_click_unsubscribe),
        repeat_seconds: period(given.repeats_within.as_deref())?,
    })
}

fn switch(given: Option<Switch>) -> Setting<bool> {
    given.map_or(Setting::Keep, |switch| Setting::To(switch == Switch::On))
}

fn list(given: Option<&[String]>) -> Setting<Vec<String>> {
    match given {
        None => Setting::Keep,
        Some([any]) if any == "any" => Setting::Default,
        Some(items) => Setting::To(items.iter().map(|item| item.trim().to_owned()).collect()),
    }
}

/// A moment, or a period that is counted forward, from now.
pub(super) fn moment_to_come(given: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    match crate::config::parse_span(given) {
        Some(seconds) => Ok(now.after(std::time::Duration::from_secs(seconds))),
        None => relay::moment::parse(given)
            .map_err(|_| Fault::invalid(format!("`{given}` is no moment to come."), "Write 2027-01-31 or 90d.")),
    }
}

fn network(given: &str) -> Result<ipnet::IpNet, Fault> {
    let net = given.parse::<ipnet::IpNet>().ok().or_else(|| given.parse::<std::net::IpAddr>().ok().map(Into::into));
    net.ok_or_else(|| {
        Fault::invalid(
            format!("`{given}` is not a network."),
            "Write an address and a prefix length, such as 192.0.2.0/24, or `any`.",
        )
    })
}

fn activity(given: &ActivityArgs, now: Timestamp) -> Result<Wanted, Fault> {
    if let Some(row) = given.show {
        return Ok(Operation::ActivityShow { row }.into());
    }
    let at = |given: Option<&str>| {
        given.map(|given| moment::parse(given, now)).transpose().map_err(|what| Fault::invalid(format!("{what}."), ""))
    };
    let filter = ActivityFilter {
        account: given.account.map(Id::new),
        domain: given.domain.map(Id::new),
        user: given.smtp_user.map(Id::new),
        recipient: given.recipient.clone(),
        sender: given.sender.clone(),
        subject: given.subject.clone(),
        status: given.status.map(status),
        class: given.class,
        message: given.message.as_deref().map(message_id).transpose()?,
        since: at(given.since.as_deref())?,
        until: at(given.until.as_deref())?,
        limit: given.limit.unwrap_or(if given.follow { BACKLOG_DEFAULT } else { 0 }),
        before_row: None,
    };
    Ok(if given.follow {
        Operation::ActivitySince { cursor: None, filter, seconds: 0 }.into()
    } else {
        Operation::Activity { filter }.into()
    })
}

fn status(word: StatusWord) -> Status {
    match word {
        StatusWord::Rejected => Status::Rejected,
        StatusWord::Accepted => Status::Accepted,
        StatusWord::Pending => Status::Pending,
        StatusWord::Delivered => Status::Delivered,
        StatusWord::Deferred => Status::Deferred,
        StatusWord::SoftBounce => Status::SoftBounce,
        StatusWord::HardBounce => Status::HardBounce,
        StatusWord::Complaint => Status::Complaint,
    }
}

pub(super) fn message_id(given: &str) -> Result<MessageId, Fault> {
    given.parse().map_err(|_| {
        Fault::invalid(
            format!("`{given}` is not the id of a message."),
            "Give the 26 letters and digits of `queued as <id>`, as `envoi queue list` shows them.",
        )
    })
}
