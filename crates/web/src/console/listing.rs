//! Long lists, a page at a time, and what a page was asked for in its query.

use axum::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::visit::{Visit, query_value};

/// Rows of one page: with menus, badges and buttons these stay below 100 KB.
const ROWS: usize = 50;

/// What leads from one part of a list to the next.
pub(super) struct Pager {
    /// Which part this is.
    pub(super) shown: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// One value of the query of the page that is looked at.
pub(super) fn asked(visit: &Visit, name: &str) -> Option<String> {
    query_value(&visit.here.parse::<Uri>().ok()?, name)
}

/// The part of a list that is asked for, and what leads on where it is not the whole. The other values of the query
/// stay in the links.
pub(super) fn part<T>(visit: &Visit, all: Vec<T>) -> (Vec<T>, Option<Pager>) {
    if all.len() <= ROWS {
        return (all, None);
    }
    let count = all.len();
    let (number, last) = place(count, asked(visit, "page").as_deref());
    let (from, to) = (number * ROWS, count.min((number + 1) * ROWS));
    let words = visit.words();
    let numbers = [from + 1, to, count].map(|number| words.number(number as u64));
    let [first, final_, whole] = numbers.each_ref().map(String::as_str);
    let shown = words.filled("listing-shown", &[("first", first), ("last", final_), ("whole", whole)]);
    let before = (number > 0).then(|| link(&visit.here, number));
    let after = (number < last).then(|| link(&visit.here, number + 2));
    let rows = all.into_iter().skip(from).take(ROWS).collect();
    (rows, Some(Pager { shown, before, after }))
}

/// Cuts a list that was asked for with one row more than a page has; the last row of the page where more follows.
pub(super) fn last_of_more<T>(found: &mut Vec<T>, rows: u32) -> Option<&T> {
    let has_more = found.len() > rows as usize;
    found.truncate(rows as usize);
    found.last().filter(|_| has_more)
}

/// The part that is asked for, and the last one, counted from nought. A page beyond the last is the last: lists shrink while
/// they are looked through.
fn place(count: usize, asked: Option<&str>) -> (usize, usize) {
    let last = count.saturating_sub(1) / ROWS;
    let number = asked.and_then(|page| page.parse().ok()).unwrap_or(1_usize);
    (number.saturating_sub(1).min(last), last)
}

fn link(here: &str, page: usize) -> String {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let pairs = serde_html_form::from_str::<Vec<(String, String)>>(query).unwrap_or_default();
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let kept = pairs.iter().filter(|(name, _)| name != "page");
    let kept: String = kept.map(|(name, value)| format!("{}={}&", encoded(name), encoded(value))).collect();
    format!("{path}?{kept}page={page}")
}

#[cfg(test)]
mod tests {
    use super::{last_of_more, link, place};

    #[test]
    fn no_page_lies_beyond_the_last() {
        for (asked, number) in [(None, 0), (Some("0"), 0), (Some("2"), 1), (Some("4"), 2), (Some("a"), 0)] {
            assert_eq!(place(101, asked), (number, 2), "{asked:?}");
        }
        assert_eq!(place(101, Some("18446744073709551615")), (2, 2));
    }

    #[test]
    fn more_follows_where_a_row_more_was_found() {
        for (count, last) in [(0, None), (2, None), (3, None), (4, Some(3))] {
            let mut found: Vec<u32> = (1..=count).collect();
            assert_eq!(last_of_more(&mut found, 3), last.as_ref(), "{count}");
            assert_eq!(found.len() as u32, count.min(3));
        }
    }

    #[test]
    fn links_keep_what_was_searched_for() {
        assert_eq!(link("/suppressions", 2), "/suppressions?page=2");
        assert_eq!(link("/suppressions?search=a%40b&page=2", 3), "/suppressions?search=a%40b&page=3");
    }
}
