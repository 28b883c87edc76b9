//! Rows of Connections that are searched for: what the address of a page asks for, and looking through the rows for it.

use relay::power::Need;
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::ConnectionView;
use serde::Deserialize;

use crate::console::page::Failure;
use crate::console::reasons;
use crate::console::visit::Visit;

/// Rows that are looked through at a time.
const LOOKED_THROUGH: u32 = 1_000;
/// How often, for one page: where that finds little the next page goes on.
const LOOKS_MAX: usize = 5;

/// What the address of the page asks for.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    pub(super) cause: String,
    pub(super) user: String,
    pub(super) address: String,
    /// The number of the account whose rows the operator wants.
    pub(super) account: String,
    /// The number of the row that the page begins behind.
    pub(super) before: String,
}

impl Search {
    /// The search of a path with its query.
    pub(super) fn of(here: &str) -> Search {
        let query = here.split_once('?').map_or("", |(_, query)| query);
        serde_html_form::from_str(query).unwrap_or_default()
    }

    /// Whether a row is one of those that are searched for.
    pub(super) fn has(&self, row: &ConnectionView) -> bool {
        let user = self.user.parse::<u64>().ok();
        (self.cause.is_empty() || reasons::trouble_of(row).word == self.cause)
            && user.is_none_or(|user| row.user == Some(user))
            && row.remote.starts_with(self.address.trim())
    }

    /// Whether it leaves any out.
    pub(super) fn is_narrow(&self) -> bool {
        [&self.cause, &self.user, &self.address, &self.account].iter().any(|text| !text.is_empty())
    }

    /// The search as the query of an address, from before this row.
    pub(super) fn query(&self, before: &str) -> String {
        let own = [
            ("cause", self.cause.as_str()),
            ("user", &self.user),
            ("address", &self.address),
            ("account", &self.account),
            ("before", before),
        ];
        let pairs: Vec<_> = own.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        serde_html_form::to_string(pairs).unwrap_or_default()
    }

    /// Whose rows are looked through: the account's, or those of one that the operator wants; none: all, and those of nobody.
    ///
    /// # Errors
    /// The operator wants those of what is no number.
    pub(super) fn account(&self, visit: &Visit) -> Result<Option<u64>, Failure> {
        if !visit.may(Need::Operator) {
            return visit.account_number().map(Some);
        }
        let wanted = Some(self.account.trim()).filter(|text| !text.is_empty());
        wanted.map(|text| visit.number(text)).transpose()
    }

    /// The number of the row to begin behind; none where it is none.
    pub(super) fn before(&self) -> Option<u64> {
        self.before.parse().ok().filter(|number| i64::try_from(*number).is_ok())
    }
}

/// Some rows of an account, or of all and of nobody, newest first, and whether those are the last.
///
/// # Errors
/// The relay's.
pub(super) async fn looked_at(
    visit: &Visit,
    account: Option<u64>,
    before: Option<u64>,
    limit: u32,
) -> Result<(Vec<ConnectionView>, bool), Fault> {
    let operation = Operation::Connections { account, before, limit };
    let answer = visit.console.door.ask(operation, visit.visitor.identity.clone()).await?;
    let found: Vec<ConnectionView> = answer.try_into()?;
    let is_last = found.len() < limit as usize;
    Ok((found, is_last))
}

/// The rows of a page, and the number of the row that the next page begins behind; none where there is none.
///
/// # Errors
/// The relay's.
pub(super) async fn page_of(
    visit: &Visit,
    account: Option<u64>,
    search: &Search,
    rows: usize,
) -> Result<(Vec<ConnectionView>, Option<u64>), Fault> {
    let (mut found, mut before) = (Vec::new(), search.before());
    for _ in 0..LOOKS_MAX {
        let (looked_at, is_last) = looked_at(visit, account, before, LOOKED_THROUGH).await?;
        before = looked_at.last().map(|row| row.row).or(before);
        found.extend(looked_at.into_iter().filter(|row| search.has(row)));
        if found.len() > rows {
            found.truncate(rows);
            let last = found.last().map(|row| row.row);
            return Ok((found, last));
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, before))
}
