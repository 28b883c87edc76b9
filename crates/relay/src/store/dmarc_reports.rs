//! What receivers reported of mail with a domain's name.

use super::StoreError;
use crate::account::Account;
use crate::clock::Day;
use crate::dmarc_report::{Kept, Report, Taken};
use crate::id::Id;
use crate::sending_domain::SendingDomain;

/// Reports on DMARC. Verbs block on the disk: call them off the async threads.
pub trait DmarcReports: Send + Sync + 'static {
    /// Keeps a report, once: told apart by its domain, reporter and id. When it returns, it is on disk.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::Unavailable`]: it is not kept, and is to be sent again.
    fn dmarc_take(&self, report: &Report) -> Result<Taken, StoreError>;

    /// What is kept of a domain from the day `since` to the day `until`, both included.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn dmarc_kept(&self, domain: Id<SendingDomain>, since: Day, until: Day) -> Result<Kept, StoreError>;

    /// Deletes what is kept of an account's domains.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn dmarc_delete(&self, account: Id<Account>) -> Result<(), StoreError>;

    /// Deletes what is about days before this one, and what is about domains that are no more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn dmarc_prune(&self, before: Day) -> Result<(), StoreError>;
}
