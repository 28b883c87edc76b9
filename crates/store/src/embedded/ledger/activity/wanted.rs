//! Which rows of a group a filter names, told without copying any.

use relay::activity::ActivityFilter;
use relay::id::Id;

use super::columns::status_number;
use super::group::{Group, Row};
use crate::rows::{address_matches, subject_has, words};

/// A filter, made ready for many groups.
pub(super) struct Wanted<'f> {
    filter: &'f ActivityFilter,
    subject: Option<Vec<String>>,
    status: Option<u8>,
}

impl<'f> Wanted<'f> {
    pub(super) fn new(filter: &'f ActivityFilter) -> Self {
        let subject = filter.subject.as_ref().map(|pattern| words(pattern).collect());
        Wanted { filter, subject, status: filter.status.map(status_number) }
    }

    /// The account that it is about, where it is about one.
    pub(super) fn account(&self) -> Option<u64> {
        self.filter.account.map(Id::number)
    }

    /// The beginnings of words that the subject has, where it is asked for.
    pub(super) fn words(&self) -> &[String] {
        self.subject.as_deref().unwrap_or_default()
    }

    /// The places of the rows that are named, of the group whose first row has this number.
    pub(super) fn rows_of<'g>(
        &'g self,
        first: u64,
        group: &'g Group<&str>,
    ) -> impl DoubleEndedIterator<Item = usize> + 'g {
        let rows = if self.has(group) { group.rows.len() } else { 0 };
        (0..rows).filter(move |place| self.has_row(first + *place as u64, group, &group.rows[*place]))
    }

    /// What all rows of a group share.
    fn has(&self, group: &Group<&str>) -> bool {
        let filter = self.filter;
        filter.account.is_none_or(|account| group.account == account.number())
            && filter.domain.is_none_or(|domain| group.domain == Some(domain.number()))
            && filter.user.is_none_or(|user| group.user == Some(user.number()))
            && filter.message.is_none_or(|message| group.message == Some(message.0.to_be_bytes()))
            && filter.since.is_none_or(|since| group.at >= since.0)
            && filter.until.is_none_or(|until| group.at < until.0)
            && filter.sender.as_ref().is_none_or(|pattern| address_matches(pattern, group.sender))
            && self.subject.as_ref().is_none_or(|wanted| subject_has(wanted, group.subject))
    }

    fn has_row(&self, number: u64, group: &Group<&str>, row: &Row<&str>) -> bool {
        !group.is_erased(row)
            && self.filter.before_row.is_none_or(|before| number < before)
            && self.status.is_none_or(|status| group.status_of(row) == status)
            && self.filter.class.is_none_or(|class| group.class_of(row) == Some(class))
            && self.filter.recipient.as_ref().is_none_or(|pattern| address_matches(pattern, row.recipient))
    }
}
