//! What is shown of the addresses that accounts do not send to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ViewPage, word};
use crate::account::Account;
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
        /// `manual`, `bounce` or `complaint`.
        cause: String,
        /// More about it, in the words of whoever added it or of the server that refused.
        reason: String,
        /// Since when.
        since: String,
        /// Until when; none: until it is lifted.
        until: Option<String>,
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

impl From<(Id<Account>, &str, &Suppression)> for SuppressionView {
    fn from((account, address, suppression): (Id<Account>, &str, &Suppression)) -> Self {
        let Suppression { cause, reason, at, until } = suppression;
        SuppressionView {
            account: account.number(),
            address: address.to_owned(),
            cause: word(cause),
            reason: reason.clone(),
            since: text(*at),
            until: until.map(text),
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
