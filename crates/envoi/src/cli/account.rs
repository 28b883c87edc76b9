//! `envoi account`: what is typed, and the operation that it asks for.

use clap::Subcommand;
use relay::account::Contact;
use relay::service::operation::{Operation, Part};
use relay::service::{Fault, Setting};

use super::LanguageWord;
use super::operate::{Wanted, asking};

/// `account`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account; prints its id
    Add {
        /// What people call it
        #[arg(long)]
        name: String,
        /// Without a plan: it cannot send until one is approved
        #[arg(long)]
        without_plan: bool,
        /// The time zone that its people read times in, such as America/Montreal [default: UTC]
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// The language of what is written to it [default: en]
        #[arg(long)]
        language: Option<LanguageWord>,
    },
    /// List every account
    List,
    /// Show an account
    Show {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
    },
    /// Suspend an account: its logins are refused, its queue is held
    Suspend {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Resume a suspended account
    Resume {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
    },
    /// Delete an account: all that is its stops at once, what is kept of it is purged, the audit log stays
    Delete {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// Give all its mail up that waits, and not only what is held
        #[arg(long)]
        cancel_mail: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Erase what is kept about a recipient of an account's mail: activity, failed connections, calls to webhooks
    Erase {
        /// The account's id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// The recipient's address, as a whole
        #[arg(long, value_name = "ADDRESS")]
        recipient: String,
        /// Lift its suppression, too: mail to it may go again
        #[arg(long)]
        suppression: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Change what an account is called, its time zone, the language of what is written to it, or for how long its activity
    /// is kept
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// What people call it
        #[arg(long, group = "what")]
        name: Option<String>,
        /// The time zone that its people read times in (IANA name)
        #[arg(long, value_name = "ZONE", group = "what")]
        time_zone: Option<String>,
        /// The language of what is written to it
        #[arg(long, value_enum, group = "what")]
        language: Option<LanguageWord>,
        /// For how many days its activity is kept, or `default`: as long as the relay keeps any
        #[arg(long, value_name = "DAYS", group = "what")]
        activity_days: Option<String>,
    },
    /// Give an account a limit of its own in place of its plan's; what it used stays used
    Quota {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// Recipients in a period of a month
        #[arg(long, value_name = "NUMBER", conflicts_with = "of_plan")]
        recipients: Option<u64>,
        /// Its plan's limit, and none of its own
        #[arg(long)]
        of_plan: bool,
        /// The day of the month, 1 to 31 and in the account's time zone, on which a period begins; the one under way goes on until then
        #[arg(long, value_name = "DAY")]
        renews_on: Option<u8>,
    },
    /// Give an account a plan at once, or take it away
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Plan {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// The plan's id; a limit of the account's own is gone then
        #[arg(long, group = "which")]
        plan: Option<u64>,
        /// No plan: its logins are refused, what was accepted is delivered
        #[arg(long, group = "which")]
        none: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show or change whom an account wants to be written to about plan and quota, beside its administrators
    Contacts {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// The primary contact, or none
        #[arg(long, value_name = "\"NAME <ADDRESS>\"|none")]
        primary: Option<String>,
        /// The billing contact, or none
        #[arg(long, value_name = "\"NAME <ADDRESS>\"|none")]
        billing: Option<String>,
    },
}

/// A contact as it is typed: a name, then an address between angle brackets.
fn contact(given: Option<&String>) -> Result<Setting<Contact>, Fault> {
    let Some(given) = given.map(|given| given.trim()) else { return Ok(Setting::Keep) };
    if given == "none" {
        return Ok(Setting::Default);
    }
    let parts = given.strip_suffix('>').and_then(|given| given.rsplit_once('<'));
    let (name, email) = parts.ok_or_else(|| {
        Fault::invalid(format!("`{given}` is no contact."), "Write \"Jane Doe <jane@example.com>\", or none.")
    })?;
    Ok(Setting::To(Contact { name: name.trim().to_owned(), email: email.to_owned() }))
}

/// A number of days as it is typed.
fn days(given: Option<&str>) -> Result<Setting<u64>, Fault> {
    match given {
        None => Ok(Setting::Keep),
        Some("default") => Ok(Setting::Default),
        Some(given) => given
            .parse()
            .map(Setting::To)
            .map_err(|_| Fault::invalid(format!("`{given}` is no number of days."), "Write 7, or `default`.")),
    }
}

/// The operation of a command.
pub(super) fn operation(command: &AccountCommand) -> Result<Wanted, Fault> {
    Ok(match command {
        AccountCommand::Add { name, without_plan, time_zone, language } => Operation::AccountAdd {
            name: name.clone(),
            without_plan: *without_plan,
            time_zone: time_zone.clone(),
            language: language.map(Into::into),
        }
        .into(),
        AccountCommand::List => Operation::AccountList { search: None, part: Part::WHOLE }.into(),
        AccountCommand::Show { account } => Operation::AccountShow { account: *account }.into(),
        AccountCommand::Suspend { account, yes } => asking(
            Operation::AccountSuspend { account: *account },
            *yes,
            format!("Suspend account {account}? Its logins are refused and its queue is held."),
        ),
        AccountCommand::Resume { account } => Operation::AccountResume { account: *account }.into(),
        AccountCommand::Delete { account, cancel_mail, yes } => asking(
            Operation::AccountDelete { account: *account, cancel_mail: *cancel_mail },
            *yes,
            format!(
                "Delete account {account}, with its members, domains, SMTP users and activity? It cannot be undone."
            ),
        ),
        AccountCommand::Erase { account, recipient, suppression, yes } => {
            let question = format!("Erase what account {account} keeps about {recipient}? It cannot be undone.");
            let (recipient, suppression) = (recipient.clone(), *suppression);
            asking(Operation::ActivityErase { account: *account, recipient, suppression }, *yes, question)
        }
        AccountCommand::Set { account, name, time_zone, language, activity_days } => Operation::AccountSet {
            account: *account,
            name: name.clone(),
            time_zone: time_zone.clone(),
            language: language.map(Into::into),
            activity_days: days(activity_days.as_deref())?,
        }
        .into(),
        AccountCommand::Quota { account, recipients, of_plan, renews_on } => {
            let recipients = match recipients {
                Some(recipients) => Setting::To(*recipients),
                None if *of_plan => Setting::Default,
                None => Setting::Keep,
            };
            if recipients == Setting::Keep && renews_on.is_none() {
                return Err(Fault::invalid(
                    "Nothing to set was given.",
                    "`envoi account quota --help` shows what can be; `envoi account show` shows what is.",
                ));
            }
            Operation::AccountQuota { account: *account, recipients, renews_on: *renews_on }.into()
        }
        AccountCommand::Plan { account, plan, yes, .. } => {
            let question = format!("Take the plan of account {account} away? Its logins are refused at once.");
            asking(Operation::AccountPlan { account: *account, plan: *plan }, *yes || plan.is_some(), question)
        }
        AccountCommand::Contacts { account, primary, billing } => {
            if primary.is_none() && billing.is_none() {
                return Ok(Operation::AccountContacts { account: *account }.into());
            }
            let (primary, billing) = (contact(primary.as_ref())?, contact(billing.as_ref())?);
            Operation::AccountContactsSet { account: *account, primary, billing }.into()
        }
    })
}
