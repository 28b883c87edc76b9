//! Lists that come in pages.

use relay::service::operation::Part;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;

/// Rows of a page where the request does not say how many.
const LIMIT: u32 = 100;
/// Rows of a page at most.
const LIMIT_MAX: u32 = 1_000;

/// Part of a list, and how to go on.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// Its rows.
    rows: Vec<T>,
    /// The cursor of the next page; none: this is the last.
    next: Option<String>,
}

impl<T> Page<T> {
    /// What was found, where `limit` was asked for: a full page may have one behind it.
    pub(super) fn new(rows: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Page<T> {
        let next = if rows.len() < limit as usize { None } else { rows.last().map(cursor) };
        Page { rows, next }
    }
}

/// The part of a list that is asked for by the cursor of the page before and a limit.
pub(super) fn part(after: Option<u64>, asked: Option<u32>) -> Result<Part, Problem> {
    Ok(Part { after: super::activity::cursor(after)?.unwrap_or_default(), limit: limit(asked)? })
}

/// How many rows a page has that was asked for like this.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(LIMIT),
        Some(asked @ 1..=LIMIT_MAX) => Ok(asked),
        Some(asked) => Err(Problem::unreadable(&format!("`limit` is {asked}: a page has 1 to {LIMIT_MAX} rows."))),
    }
}
