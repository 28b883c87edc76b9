//! Records that only the consumers of the log read: no live message changes by them.

use relay::queue::Settlement;
use relay::report::Report;

use super::super::meta;
use super::super::record::Kind;
use super::{Class, Effect, Ready};

/// A report of mail that has left. It has no claim to what is kept for outcomes: strangers ask for it.
pub(super) fn report_record(report: &Report) -> Ready {
    Ready::new(Kind::Report, Some(report.message), meta::report_out(report), Class::Mail, Effect::Nothing)
}

/// What became of recipients of a message whose record is lost.
pub(super) fn lost_record(settlement: &Settlement) -> Ready {
    let attempts = vec![0; settlement.verdicts.len()];
    let meta = meta::settle_out(settlement, &attempts);
    Ready::new(Kind::Settle, Some(settlement.message), meta, Class::Outcome, Effect::Nothing)
}
