//! `envoi plan`: what is typed, the operation that it asks for, and what it shows.

use clap::{Args, Subcommand};
use relay::service::operation::Operation;
use relay::service::view::{PlanRequestView, PlanView};
use relay::service::{Fault, Setting, TermsChange};

use super::Switch;
use super::operate::{Wanted, asking};
use super::table::{pairs, table};
use crate::moment::short;

/// `plan`
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Add a plan
    Add {
        /// What people call it, in English
        #[arg(long)]
        name: String,
        /// What it offers.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// List plans: all, or those that an account has or may ask for
    List {
        /// Of this account
        #[arg(long)]
        account: Option<u64>,
    },
    /// Change a plan, for the accounts that are on it too
    Set {
        /// Its id
        plan: u64,
        /// What people call it, in English
        #[arg(long)]
        name: Option<String>,
        /// What it offers.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Make it the plan that new accounts begin on
    Default {
        /// Its id
        plan: u64,
    },
    /// Retire a plan: no account comes to it any more, those that are on it stay
    Retire {
        /// Its id
        plan: u64,
    },
    /// Bring a retired plan back
    BringBack {
        /// Its id
        plan: u64,
    },
    /// Delete a plan that no account is on; it cannot be undone
    Delete {
        /// Its id
        plan: u64,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Ask for a plan in an account's place, or to cancel the one that it is on
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Ask {
        /// The account's id
        #[arg(long)]
        account: u64,
        /// The plan's id
        #[arg(long, group = "what")]
        plan: Option<u64>,
        /// Ask to cancel
        #[arg(long, group = "what")]
        cancel: bool,
        /// What is said with it
        #[arg(long, default_value = "")]
        message: String,
    },
    /// Take the open request of an account back
    Withdraw {
        /// The account's id
        #[arg(long)]
        account: u64,
    },
    /// Keep the plan that an account is on: what was to follow it does not
    Keep {
        /// The account's id
        #[arg(long)]
        account: u64,
    },
    /// List the requests that wait for you
    Requests,
    /// Grant a request: more recipients come at once, fewer and a cancellation with the next period
    Approve {
        /// Its id
        request: u64,
    },
    /// Decline a request
    Decline {
        /// Its id
        request: u64,
        /// Why; shown to the account
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// What a plan offers.
#[derive(Clone, Debug, Default, Args)]
pub struct TermsArgs {
    /// What people call it, in French [default: as in English]
    #[arg(long)]
    pub name_fr: Option<String>,
    /// Recipients in a period of a month, or unlimited
    #[arg(long, value_name = "NUMBER|unlimited")]
    pub recipients: Option<String>,
    /// What it costs, in your words, in English
    #[arg(long, value_name = "TEXT")]
    pub price: Option<String>,
    /// The same in French [default: as in English]
    #[arg(long, value_name = "TEXT")]
    pub price_fr: Option<String>,
    /// Whether accounts see it and may ask for it
    #[arg(long, value_name = "on|off")]
    pub offered: Option<Switch>,
    /// Its place in lists, the lowest first
    #[arg(long, value_name = "NUMBER")]
    pub place: Option<u32>,
}

fn terms(name: Option<&String>, given: &TermsArgs) -> Result<TermsChange, Fault> {
    let recipients = match given.recipients.as_deref() {
        None => Setting::Keep,
        Some("unlimited") => Setting::Default,
        Some(number) => Setting::To(number.parse().map_err(|_| {
            Fault::invalid(format!("`{number}` is no number of recipients."), "Write 10000, or `unlimited`.")
        })?),
    };
    Ok(TermsChange {
        name: name.cloned(),
        name_fr: given.name_fr.clone(),
        recipients,
        price: given.price.clone(),
        price_fr: given.price_fr.clone(),
        offered: given.offered.map(|switch| switch == Switch::On),
        place: given.place,
    })
}

/// The operation of a command.
pub(super) fn operation(command: &PlanCommand) -> Result<Wanted, Fault> {
    use PlanCommand as C;
    Ok(match command {
        C::Add { name, terms: given } => Operation::PlanAdd { name: name.clone(), terms: terms(None, given)? }.into(),
        C::List { account } => Operation::PlanList { account: *account }.into(),
        C::Set { plan, name, terms: given } => {
            let terms = terms(name.as_ref(), given)?;
            if terms.is_empty() {
                let remedy = "`envoi plan set --help` shows what can be; `envoi plan list` shows what is.";
                return Err(Fault::invalid("Nothing to set was given.", remedy));
            }
            Operation::PlanSet { plan: *plan, terms }.into()
        }
        C::Default { plan } => Operation::PlanDefault { plan: *plan }.into(),
        C::Retire { plan } => Operation::PlanRetire { plan: *plan, retired: true }.into(),
        C::BringBack { plan } => Operation::PlanRetire { plan: *plan, retired: false }.into(),
        C::Delete { plan, yes } => {
            asking(Operation::PlanDelete { plan: *plan }, *yes, format!("Delete plan {plan}? It cannot be undone."))
        }
        C::Ask { account, plan, message, .. } => {
            Operation::PlanAsk { account: *account, plan: *plan, message: message.clone() }.into()
        }
        C::Withdraw { account } => Operation::PlanWithdraw { account: *account }.into(),
        C::Keep { account } => Operation::PlanKeep { account: *account }.into(),
        C::Requests => Operation::PlanRequestList.into(),
        C::Approve { request } => Operation::PlanApprove { request: *request }.into(),
        C::Decline { request, reason } => Operation::PlanDecline { request: *request, reason: reason.clone() }.into(),
    })
}

/// Plans as a table.
pub(super) fn list(plans: &[PlanView]) -> String {
    table(
        &["id", "name", "in French", "recipients", "price", "state", "place", "accounts"],
        plans.iter().map(|plan| {
            let recipients = plan.recipients.map_or_else(|| "unlimited".to_owned(), |number| number.to_string());
            let state = [(plan.default, "default"), (plan.offered, "offered"), (plan.retired, "retired")];
            let state: Vec<_> = state.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
            let accounts = plan.accounts.map(|count| count.to_string()).unwrap_or_default();
            let (name, name_fr, price) = (plan.name.clone(), plan.name_fr.clone(), plan.price.clone());
            vec![
                plan.id.to_string(),
                name,
                name_fr,
                recipients,
                price,
                state.join(", "),
                plan.place.to_string(),
                accounts,
            ]
        }),
        "No plan is offered.",
    )
}

/// One plan.
pub(super) fn one(plan: &PlanView) -> String {
    list(std::slice::from_ref(plan))
}

/// What an account asks for, in words.
pub(super) fn wish(request: &PlanRequestView) -> String {
    request.plan.as_ref().map_or_else(|| "cancellation".to_owned(), |plan| format!("{} ({})", plan.name, plan.id))
}

/// Requests as a table.
pub(super) fn requests(all: &[PlanRequestView]) -> String {
    table(
        &["id", "account", "asks for", "who", "when", "message"],
        all.iter().map(|request| {
            let account = format!("{} ({})", request.account_name, request.account);
            let (asked_by, message) = (request.asked_by.clone(), request.message.clone());
            vec![request.id.to_string(), account, wish(request), asked_by, short(&request.asked_at), message]
        }),
        "No request waits.",
    )
}

/// One request.
pub(super) fn request(request: &PlanRequestView) -> String {
    pairs(&[
        ("Request", request.id.to_string()),
        ("Account", format!("{} ({})", request.account_name, request.account)),
        ("Asks for", wish(request)),
        ("State", request.state.clone()),
        ("Who", request.asked_by.clone()),
        ("When", short(&request.asked_at)),
        ("Message", request.message.clone()),
        ("Answered", request.answered_at.as_deref().map(short).unwrap_or_default()),
        ("Reason", request.reason.clone()),
    ])
}
