//! The command line: what can be typed. Each command becomes an operation, or runs something itself.

mod account;
mod api_key;
mod ask;
mod brake;
mod dmarc;
mod follow;
mod inbox;
mod member;
mod message;
mod operate;
mod orders;
mod plan;
mod queue;
mod run;
mod show;
mod site;
mod source;
mod statistics;
mod suppression;
pub(crate) mod table;
mod tls_report;
mod webhook;
mod zone;

use clap::{Args, Parser, Subcommand, ValueEnum};
use relay::outcome::Class;
use std::net::IpAddr;
use std::path::PathBuf;

pub use account::AccountCommand;
pub use api_key::{ApiKeyCommand, PowerWord};
pub(crate) use ask::ask;
pub use brake::BrakeCommand;
pub use inbox::InboxCommand;
pub use member::{LanguageWord, MemberCommand, RoleWord};
pub use message::MessageCommand;
pub use orders::PartArgs;
pub use plan::{PlanCommand, TermsArgs};
pub use queue::QueueCommand;
pub use run::main;
pub(crate) use run::{Failure, agreed, eprint, print, print_json};
pub(crate) use show::follow_line;
pub use site::SiteCommand;
pub use source::SourceCommand;
pub use statistics::StatisticsArgs;
pub use suppression::SuppressionCommand;
pub use tls_report::TlsReportCommand;
pub use webhook::{ChangeArgs, EventWord, WebhookCommand};

/// An authenticated SMTP relay for your applications.
#[derive(Debug, Parser)]
#[command(name = "envoi", version, about = "An authenticated SMTP relay for your applications", long_about = None, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// The configuration file [default: $ENVOI_CONFIG, ./envoi.toml, /etc/envoi/envoi.toml]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Print JSON instead of tables; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay
    Serve,
    /// Try everything out on this machine, with a certificate, an SMTP user and a receiving server made for it
    Demo(DemoArgs),
    /// Check the configuration, or print an example
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Accounts: who owns domains, SMTP users and mail
    #[command(subcommand)]
    Account(AccountCommand),
    /// Plans: how many recipients a month accounts may send to, and what they ask for
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Sending domains
    #[command(subcommand)]
    Domain(DomainCommand),
    /// SMTP users: what applications log in with
    #[command(subcommand)]
    SmtpUser(SmtpUserCommand),
    /// Addresses that an account does not send to
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// API keys: how programs reach the API
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Webhooks: URLs that are told what becomes of recipients
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Members: the people who sign in to the console
    #[command(subcommand)]
    Member(MemberCommand),
    /// Messages of your own, for a trial or from a script
    #[command(subcommand)]
    Message(MessageCommand),
    /// Test inboxes: what SMTP users in sandbox mode have sent
    #[command(subcommand)]
    Inbox(InboxCommand),
    /// What became of every recipient
    Activity(ActivityArgs),
    /// How much was sent, and what became of it
    Statistics(StatisticsArgs),
    /// Logins, limits, blocks and TLS that failed
    #[command(subcommand)]
    Connections(ConnectionsCommand),
    /// Mail that waits
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Mail servers of others, and how they are treated
    #[command(subcommand)]
    Site(SiteCommand),
    /// Where mail is sent from
    #[command(subcommand)]
    Source(SourceCommand),
    /// Reports on TLS to the domains that mail goes to
    #[command(subcommand)]
    TlsReport(TlsReportCommand),
    /// Addresses that are blocked after failed logins
    #[command(subcommand)]
    Blocks(BlocksCommand),
    /// Automatic brakes: whose mail is put off and held, and why
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// The certificates that clients are shown
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// What the relay has in DNS
    #[command(subcommand)]
    Zone(ZoneCommand),
    /// Who did what, when
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy the data folder into a new folder, as of one moment, while mail flows
    Backup(BackupArgs),
    /// Bring a backup back into the data folder, which has to be empty (a master key may be there)
    Restore(RestoreArgs),
    /// Look at ports, certificate, DNS, port 25, disk, clock and data folder
    Doctor(DoctorArgs),
}

/// How the demonstration runs.
#[derive(Clone, Debug, Default, Args)]
pub struct DemoArgs {
    /// Send, check and end at once: 0 where everything went well, else 1
    #[arg(long)]
    pub smoke: bool,
    /// Keep the demonstration in this folder [default: a temporary one, removed at the end]
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
    /// The port for STARTTLS; 0: any free one [default: 2587; with --smoke: 0]
    #[arg(long, value_name = "PORT")]
    pub starttls_port: Option<u16>,
    /// The port for TLS from the first octet; 0: any free one [default: 2465; with --smoke: 0]
    #[arg(long, value_name = "PORT")]
    pub tls_port: Option<u16>,
}

/// What the doctor does.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArgs {
    /// Say what can be done about damage in the data folder, ask, and do it; no relay may run
    #[arg(long)]
    pub repair: bool,
    /// Repair without asking; a script has to say so
    #[arg(long, short, requires = "repair")]
    pub yes: bool,
}

/// What a backup goes into, or what is asked of those that were made.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The folder to make
    #[arg(value_name = "FOLDER", required_unless_present_any = ["list", "check"])]
    pub target: Option<PathBuf>,
    /// Copy the master key too: whoever has the backup then has every secret
    #[arg(long, requires = "target")]
    pub with_master_key: bool,
    /// List the backups that were made lately instead
    #[arg(long, conflicts_with_all = ["target", "check"])]
    pub list: bool,
    /// Compare every file of the backup of this number in the list with its manifest instead
    #[arg(long, value_name = "NUMBER", conflicts_with = "target")]
    pub check: Option<u64>,
}

/// How a backup comes back.
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FOLDER")]
    pub source: PathBuf,
    /// Hold all mail that waited, to be released or cancelled by you: what was delivered since the backup is not
    /// delivered again
    #[arg(long)]
    pub hold: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Explain every fault of the file by line and remedy
    Check,
    /// Print a file with every key and its comment
    Example,
}

/// `domain`
#[derive(Debug, Subcommand)]
pub enum DomainCommand {
    /// Add a sending domain to an account, with new DKIM keys
    Add {
        /// The account's id
        #[arg(long)]
        account: u64,
        /// The domain, such as example.com
        name: String,
    },
    /// List domains
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
    },
    /// Show a domain with the records to publish
    Show {
        /// Its name or id
        domain: String,
    },
    /// Show what receivers reported of mail with a domain's name (DMARC)
    Dmarc {
        /// Its name or id
        domain: String,
        /// Of so many days until today [default: 30]
        #[arg(long)]
        days: Option<u64>,
    },
    /// Show how a domain fares: records, reports, bounces, complaints, blocklists, with what to do next
    Health {
        /// Its name or id
        domain: String,
    },
    /// Look in DNS now, and say what is there of each record
    Verify {
        /// Its name or id
        domain: String,
    },
    /// Vouch for a domain: it may send without records in DNS
    Vouch {
        /// Its name or id
        domain: String,
    },
    /// Take the word back: the domain is pending again
    Unvouch {
        /// Its name or id
        domain: String,
    },
    /// Sign with the other selector of each algorithm from now on; nothing changes in DNS
    Rotate {
        /// Its name or id
        domain: String,
        /// Of this algorithm alone
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// Also where the record of the other selector was not in DNS at the last look
        #[arg(long)]
        force: bool,
    },
    /// Switch a domain's bounce mails on or off
    BounceMails {
        /// Its name or id
        domain: String,
        /// on or off
        switch: Switch,
    },
    /// Delete a domain: its SMTP users stop at once, its queue has 24 hours; it cannot be undone
    Delete {
        /// Its name or id
        domain: String,
        /// Give its mail up that waits, instead of trying for 24 hours
        #[arg(long)]
        cancel_mail: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// The algorithm of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// rsa-sha256.
    Rsa,
    /// ed25519-sha256.
    Ed25519,
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How urgent mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Urgency {
    /// Somebody waits for it.
    High,
    /// As any other.
    Normal,
    /// Nobody waits for it.
    Low,
}

/// What an SMTP user may do.
#[derive(Clone, Debug, Default, Args)]
pub struct RulesArgs {
    /// When its logins end: 2027-01-31, 2027-01-31T12:00:00Z, or never
    #[arg(long, value_name = "MOMENT|never")]
    pub expires: Option<String>,
    /// Networks it may log in from, separated by commas, or any
    #[arg(long, value_name = "NETWORKS|any", value_delimiter = ',')]
    pub networks: Option<Vec<String>>,
    /// Refuse the whole message after one refused recipient
    #[arg(long, value_name = "on|off")]
    pub all_or_nothing: Option<Switch>,
    /// Accept, sign and capture, never send
    #[arg(long, value_name = "on|off")]
    pub sandbox: Option<Switch>,
    /// How long to retry: 2h, 3d, or default
    #[arg(long, value_name = "PERIOD|default")]
    pub retry_for: Option<String>,
    /// Addresses of its domain that it may send from, separated by commas, or any
    #[arg(long, value_name = "ADDRESSES|any", value_delimiter = ',')]
    pub senders: Option<Vec<String>>,
    /// Domains that it may send to, separated by commas, or any
    #[arg(long, value_name = "DOMAINS|any", value_delimiter = ',')]
    pub recipient_domains: Option<Vec<String>>,
    /// Refuse suppressed recipients with 550 instead of taking and rejecting them
    #[arg(long, value_name = "on|off")]
    pub refuse_suppressed: Option<Switch>,
    /// How urgent its mail is: of an account's mail the more urgent goes first
    #[arg(long, value_name = "high|normal|low")]
    pub priority: Option<Urgency>,
    /// Send each message to one recipient, and tell them where to unsubscribe with one click (RFC 8058)
    #[arg(long, value_name = "on|off")]
    pub one_click_unsubscribe: Option<Switch>,
    /// How long the same message once more is not sent again, whatever followed the first: 12h, 7d, or default
    #[arg(long, value_name = "PERIOD|default")]
    pub repeats_within: Option<String>,
}

/// `smtp-user`
#[derive(Debug, Subcommand)]
pub enum SmtpUserCommand {
    /// Make an SMTP user; shows its username and, this once, its password
    Add {
        /// The domain it sends from, by name or id
        #[arg(long)]
        domain: String,
        /// What people call it, such as "Shop"
        #[arg(long)]
        name: String,
        /// What it may do.
        #[command(flatten)]
        rules: Box<RulesArgs>,
    },
    /// List SMTP users
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// Of this domain alone, by name or id
        #[arg(long)]
        domain: Option<String>,
    },
    /// Show an SMTP user
    Show {
        /// Its username or id
        user: String,
    },
    /// Give it another name; its username stays
    Rename {
        /// Its username or id
        user: String,
        /// The new name
        #[arg(long)]
        name: String,
    },
    /// Give it a new password, shown this once; the old one stops at once
    Reset {
        /// Its username or id
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Give it a second password beside the first, to change without interruption
    AddPassword {
        /// Its username or id
        user: String,
    },
    /// Of two passwords, stop the older one
    DropPassword {
        /// Its username or id
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Refuse its logins and end its sessions
    Disable {
        /// Its username or id
        user: String,
    },
    /// Let it log in again
    Enable {
        /// Its username or id
        user: String,
    },
    /// Change what it may do
    Set {
        /// Its username or id
        user: String,
        /// What it may do.
        #[command(flatten)]
        rules: Box<RulesArgs>,
    },
    /// Delete it: its sessions end, mail it sent is delivered; it cannot be undone
    Delete {
        /// Its username or id
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `activity`
#[derive(Debug, Default, Args)]
pub struct ActivityArgs {
    /// Of this account alone
    #[arg(long)]
    pub account: Option<u64>,
    /// Of the sending domain of this number alone
    #[arg(long)]
    pub domain: Option<u64>,
    /// Of the SMTP user of this number alone
    #[arg(long)]
    pub smtp_user: Option<u64>,
    /// To this address, one that begins so, or @domain
    #[arg(long)]
    pub recipient: Option<String>,
    /// From this address, one that begins so, or @domain
    #[arg(long)]
    pub sender: Option<String>,
    /// With this word in the subject
    #[arg(long)]
    pub subject: Option<String>,
    /// In this status
    #[arg(long, value_enum)]
    pub status: Option<StatusWord>,
    /// Of this class of failure, such as mailbox_full (docs/reference/bounces.md)
    #[arg(long)]
    pub class: Option<Class>,
    /// Of this message
    #[arg(long, value_name = "ID")]
    pub message: Option<String>,
    /// Begun at or after: 2026-11-23, 2026-11-23T21:00:00Z, or how long ago: 90m, 7d
    #[arg(long, value_name = "MOMENT")]
    pub since: Option<String>,
    /// Begun before, likewise
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<String>,
    /// At most so many rows [default: 100; with --follow, of what was before: 10]
    #[arg(long)]
    pub limit: Option<u32>,
    /// Everything about one row, by its number
    #[arg(long, value_name = "ROW", conflicts_with = "follow")]
    pub show: Option<u64>,
    /// Go on showing rows as they begin and change, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
}

/// A status, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum StatusWord {
    /// Refused before sending
    Rejected,
    /// Ours, on disk, not yet scheduled
    Accepted,
    /// Waiting for its first attempt, or held
    Pending,
    /// The recipient's server took it
    Delivered,
    /// A temporary error; tried again
    Deferred,
    /// Gave up, or a failure that passes
    #[value(alias = "soft-bounce")]
    SoftBounce,
    /// Failed permanently
    #[value(alias = "hard-bounce")]
    HardBounce,
    /// Delivered, and its owner did not want it
    Complaint,
}

/// `connections`
#[derive(Debug, Subcommand)]
pub enum ConnectionsCommand {
    /// List the newest
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// Those before the row of this number, for paging
        #[arg(long)]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

/// `blocks`
#[derive(Debug, Subcommand)]
pub enum BlocksCommand {
    /// List blocked addresses with cause and end
    List,
    /// Lift the block of an address
    Lift {
        /// The address
        address: IpAddr,
    },
}

/// `certificate`
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CertificateCommand {
    /// List them with their names, their end, and how the next order goes
    List,
    /// Order the one now that comes by itself (ACME)
    Renew,
}

/// `zone`
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ZoneCommand {
    /// Print the zone file: the relay's own records and those of every domain
    Show,
}

/// `audit`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List the newest lines
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// Those before the line of this number
        #[arg(long)]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}
