//! `envoi account`: what is typed, and the operation that it asks for.

use clap::Subcommand;
use relay::service::operation::Operation;
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
    /// Change what an account is called, its time zone, or the language of what is written to it
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
    },
    /// Set to how many recipients an account may send in a month; what it used stays used
    Quota {
        /// Its id
        #[arg(value_name = "ACCOUNT")]
        account: u64,
        /// Recipients in a period of a month
        #[arg(long, value_name = "NUMBER", conflicts_with = "unlimited")]
        recipients: Option<u64>,
        /// Without limit
        #[arg(long)]
        unlimited: bool,
        /// The day of the month, 1 to 31 and in UTC, on which a period begins; the one under way goes on until then
        #[arg(long, value_name = "DAY")]
        renews_on: Option<u8>,
    },
}

/// The operation of a command.
pub(super) fn operation(command: &AccountCommand) -> Result<Wanted, Fault> {
    Ok(match command {
        AccountCommand::Add { name } => Operation::AccountAdd { name: name.clone() }.into(),
        AccountCommand::List => Operation::AccountList.into(),
        AccountCommand::Show { account } => Operation::AccountShow { account: *account }.into(),
        AccountCommand::Suspend { account, yes } => asking(
            Operation::AccountSuspend { account: *account },
            *yes,
            format!("Suspend account {account}? Its logins are refused and its queue is held."),
        ),
        AccountCommand::Resume { account } => Operation::AccountResume { account: *account }.into(),
        AccountCommand::Set { account, name, time_zone, language } => Operation::AccountSet {
            account: *account,
            name: name.clone(),
            time_zone: time_zone.clone(),
            language: language.map(Into::into),
        }
        .into(),
        AccountCommand::Quota { account, recipients, unlimited, renews_on } => {
            let recipients = match recipients {
                Some(recipients) => Setting::To(*recipients),
                None if *unlimited => Setting::Default,
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
    })
}
