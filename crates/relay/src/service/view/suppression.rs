//! What is shown of the addresses that accounts do not send to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ViewPage, word};
use crate::account::Account;
use crate::directory::Directory;
use crate::id::Id;
use crate::moment::text;
use crate::service::Imported;
use crate::suppression::{Suppression, Untaken};

views! {
    /// An address that an account does not send to.
    SuppressionView {
        /// The number of the account.
        account: u64,
        /// The address, lower case.
        address: String,
        /// `manual`, `bounce`, `complaint` or `unsubscribed`.
        cause: String,
        /// More about it, in the words of whoever added it or of the server that refused.
        reason: String,
        /// Since when.
        since: String,
        /// Until when; none: until it is lifted.
        until: Option<String>,
        /// The number of the SMTP user whose mail alone is not sent there, which may be deleted; none: no mail of the account is.
        smtp_user: Option<u64>,
        /// What people call it; none where it is deleted.
        smtp_user_name: Option<String>,
    }
    /// What became of a list of addresses.
    SuppressionsImportedView {
        /// Addresses that were not suppressed before, or not as long.
        added: u64,
        /// Those that were already.
        known: u64,
        /// Lines that were not taken.
        untaken: u64,
        /// The first hundred of them, with why.
        lines: Vec<UntakenLineView>,
    }
    /// A line of a list that was not taken.
    UntakenLineView {
        /// Its number, from 1.
        line: u64,
        /// Why.
        why: String,
    }
}

impl SuppressionView {
    /// Its place in the list, to go on behind.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.account, self.smtp_user.unwrap_or_default(), self.address)
    }

    /// That of an address of an account, with the name of its stream.
    pub fn new(directory: &Directory, account: Id<Account>, address: &str, suppression: &Suppression) -> Self {
        let Suppression { cause, reason, at, until, stream } = suppression;
        let user = stream.and_then(|user| directory.users.get(&user)).filter(|user| user.account == account);
        SuppressionView {
            account: account.number(),
            address: address.to_owned(),
            cause: word(cause),
            reason: reason.clone(),
            since: text(*at),
            until: until.map(text),
            smtp_user: stream.map(Id::number),
            smtp_user_name: user.map(|user| user.name.clone()),
        }
    }
}

/// Lines of a list that are told one by one.
const UNTAKEN_LINES: usize = 100;

impl From<Imported> for SuppressionsImportedView {
    fn from(imported: Imported) -> Self {
        let Imported { added, known, untaken } = imported;
        let count = untaken.len() as u64;
        let told = untaken.into_iter().take(UNTAKEN_LINES);
        let lines = told.map(|Untaken { line, why }| UntakenLineView { line, why }).collect();
        SuppressionsImportedView { added, known, untaken: count, lines }
    }
}
