//! A start that found damage holds the spool against activity, which has durably read what the log has lost since.
//!
//! What left the queue is not delivered again because the record of it is damaged; what was accepted and has no record
//! any more is told by its id.

use std::collections::BTreeMap;

use relay::id::MessageId;
use relay::store::{Spool as _, StoreError};

use super::ledger::activity::{self, Activity};
use super::spool::LogSpool;

/// Messages looked at in one step.
const PAGE: usize = 500;

/// Makes live mail what activity and spool together say that it is, and reports what is lost. Activity has caught up.
///
/// # Errors
/// [`StoreError::Unavailable`] where activity cannot be read: nothing was changed that another start would not do.
pub(super) fn reconcile(spool: &LogSpool, rows: &Activity) -> Result<(), StoreError> {
    let mut after = None;
    let mut messages = 0;
    loop {
        let page = spool.queue(after, PAGE);
        let Some(last) = page.last() else { break };
        after = Some(last.message);
        for entry in page {
            let settled = rows.read(|reader| activity::settled(reader, entry.message))?;
            if entry.recipients.iter().any(|(number, ..)| settled.contains(number)) {
                let recipients = entry.recipients.iter().filter(|(number, ..)| settled.contains(number)).count();
                tracing::warn!(message_id = %entry.message, recipients, "settled before, as activity tells: not delivered again");
                spool.forget_settled(entry.message, &settled);
                messages += 1;
            }
        }
    }
    if messages > 0 {
        spool.checkpoint()?;
    }
    for (message, recipients) in lost(spool, rows)? {
        spool.report_lost(message, recipients.len());
    }
    spool.keep_damage()
}

/// Messages that wait by the rows of activity, and of which the spool has no record: their recipients' numbers.
pub(super) fn lost(spool: &LogSpool, rows: &Activity) -> Result<BTreeMap<MessageId, Vec<u16>>, StoreError> {
    let mut lost: BTreeMap<MessageId, Vec<u16>> = BTreeMap::new();
    for (message, number) in rows.read(activity::unsettled)? {
        if !spool.contains(message) {
            lost.entry(message).or_default().push(number);
        }
    }
    Ok(lost)
}
