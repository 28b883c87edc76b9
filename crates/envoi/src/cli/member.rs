//! `envoi member`: what is typed, the operation that it asks for, and what it shows.

use clap::{Subcommand, ValueEnum};
use relay::language::Language;
use relay::power::Role;
use relay::service::operation::Operation;
use relay::service::view::{MemberLinkView, MemberView, SignInView};

use super::operate::{Wanted, asking};
use super::table::{pairs, table};
use crate::moment::short;

/// Members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Add a member; the link to choose a password by is shown once
    Add {
        /// The address to sign in with
        email: String,
        /// The account; without one they are the operator's
        #[arg(long)]
        account: Option<u64>,
        /// What people call them
        #[arg(long)]
        name: String,
        /// What they are in the account
        #[arg(long, value_enum, default_value = "administrator")]
        role: RoleWord,
        /// What they are spoken to in
        #[arg(long, value_enum, default_value = "en")]
        language: LanguageWord,
    },
    /// List the members
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
    },
    /// Change what a member is, is called, or is spoken to in
    Set {
        /// Their id
        member: u64,
        /// What they are from now on
        #[arg(long, value_enum)]
        role: Option<RoleWord>,
        /// What people call them from now on
        #[arg(long)]
        name: Option<String>,
        /// What they are spoken to in from now on
        #[arg(long, value_enum)]
        language: Option<LanguageWord>,
    },
    /// Make a new link to choose a password by, for somebody who lost theirs
    Link {
        /// Their id
        member: u64,
    },
    /// Show where the sign-ins of a member came from, and what failed
    SignIns {
        /// Their id
        member: u64,
    },
    /// Remove a member: they are signed out at once
    Remove {
        /// Their id
        member: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What a member is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleWord {
    /// May everything in the account
    Administrator,
    /// Sees the dashboard and Activity
    Regular,
    /// Sees the dashboard without what Activity knows
    Custom,
    /// The same, and Activity
    CustomWithActivity,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Role {
        match word {
            RoleWord::Administrator => Role::Administrator,
            RoleWord::Regular => Role::Regular,
            RoleWord::Custom => Role::Custom,
            RoleWord::CustomWithActivity => Role::CustomWithActivity,
        }
    }
}

/// A language.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LanguageWord {
    /// English
    En,
    /// French
    Fr,
}

impl From<LanguageWord> for Language {
    fn from(word: LanguageWord) -> Language {
        match word {
            LanguageWord::En => Language::English,
            LanguageWord::Fr => Language::French,
        }
    }
}

/// The operation of a command.
pub(super) fn operation(command: &MemberCommand) -> Wanted {
    match command {
        MemberCommand::Add { email, account, name, role, language } => Operation::MemberAdd {
            account: *account,
            email: email.clone(),
            name: name.clone(),
            role: (*role).into(),
            language: (*language).into(),
        }
        .into(),
        MemberCommand::List { account } => Operation::MemberList { account: *account }.into(),
        MemberCommand::Set { member, role, name, language } => Operation::MemberSet {
            member: *member,
            role: role.map(Role::from),
            name: name.clone(),
            language: language.map(Language::from),
        }
        .into(),
        MemberCommand::Link { member } => Operation::MemberLink { member: *member }.into(),
        MemberCommand::SignIns { member } => Operation::MemberSignIns { member: *member }.into(),
        MemberCommand::Remove { member, yes } => asking(
            Operation::MemberRemove { member: *member },
            *yes,
            format!("Remove member {member}? They are signed out at once; it cannot be undone."),
        ),
    }
}

/// Members as a table.
pub(super) fn list(members: &[MemberView]) -> String {
    table(
        &["id", "account", "address", "name", "role", "language", "joined", "codes", "added"],
        members.iter().map(|member| {
            let account = member.account.map_or_else(|| "operator".to_owned(), |account| account.to_string());
            let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
            let (email, name, role) = (member.email.clone(), member.name.clone(), member.role.clone());
            let (joined, codes) = (yes(member.joined), yes(member.one_time_codes));
            let (language, added) = (member.language.clone(), short(&member.created_at));
            vec![member.id.to_string(), account, email, name, role, language, joined, codes, added]
        }),
        "There is no member: `envoi member add ADDRESS --account ID --name NAME` adds one.",
    )
}

/// One member.
pub(super) fn one(member: &MemberView) -> String {
    list(std::slice::from_ref(member))
}

/// Sign-ins as a table.
pub(super) fn sign_ins(found: &[SignInView]) -> String {
    table(
        &["last", "result", "from", "count", "since"],
        found.iter().map(|alike| {
            let from = alike.from.clone().unwrap_or_else(|| "further places".to_owned());
            let count = alike.count.map(|count| count.to_string()).unwrap_or_default();
            let since = alike.first_at.as_deref().map(short).unwrap_or_default();
            vec![short(&alike.last_at), alike.result.clone(), from, count, since]
        }),
        "Nobody has signed in so far, or tried to.",
    )
}

/// A new link.
pub(super) fn link(made: &MemberLinkView) -> String {
    let (token, url) = (made.token.expose(), made.url.as_ref());
    let place = url.map_or_else(|| format!("/choose-password?token={token}"), |url| url.expose().to_owned());
    let shown = pairs(&[
        ("Member", format!("{} <{}> (id {})", made.member.name, made.member.email, made.member.id)),
        ("Link", place),
        ("Works until", short(&made.expires_at)),
    ]);
    let what = if made.mailed {
        "It was sent to the member by mail."
    } else {
        "It was sent to nobody: hand it to the member."
    };
    format!("{shown}\n\nThe link is shown this once. {what}")
}
