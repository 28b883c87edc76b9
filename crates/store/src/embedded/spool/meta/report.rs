//! A report of a recipient as it stands on the disk.

use std::borrow::Cow;

use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::Class;
use relay::report::{Report, ReportKind};
use serde::{Deserialize, Serialize};

use super::{MetaError, encoded};

#[derive(Serialize, Deserialize)]
struct ReportV1<'a> {
    at: u64,
    account: u64,
    domain: Option<u64>,
    user: Option<u64>,
    recipient: Option<u16>,
    kind: KindV1,
    /// The number of the class; 0 where there is none.
    class: u8,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    reply: Cow<'a, str>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum KindV1 {
    SoftBounce,
    HardBounce,
    Complaint,
    Remark,
}

/// The meta part of a report.
pub(crate) fn report_out(report: &Report) -> Vec<u8> {
    encoded(&ReportV1 {
        at: report.at.0,
        account: report.account.number(),
        domain: report.domain.map(Id::number),
        user: report.user.map(Id::number),
        recipient: report.recipient,
        kind: match report.kind {
            ReportKind::SoftBounce => KindV1::SoftBounce,
            ReportKind::HardBounce => KindV1::HardBounce,
            ReportKind::Complaint => KindV1::Complaint,
            ReportKind::Remark => KindV1::Remark,
        },
        class: report.class.map_or(0, Class::number),
        reason: report.reason.as_str().into(),
        reply: report.reply.as_str().into(),
    })
}

/// Reads it.
///
/// # Errors
/// It is none.
pub(crate) fn report_in(message: MessageId, meta: &[u8]) -> Result<Report, MetaError> {
    let disk: ReportV1<'_> = postcard::from_bytes(meta)?;
    Ok(Report {
        message,
        account: Id::new(disk.account),
        domain: disk.domain.map(Id::new),
        user: disk.user.map(Id::new),
        recipient: disk.recipient,
        at: Timestamp(disk.at),
        kind: match disk.kind {
            KindV1::SoftBounce => ReportKind::SoftBounce,
            KindV1::HardBounce => ReportKind::HardBounce,
            KindV1::Complaint => ReportKind::Complaint,
            KindV1::Remark => ReportKind::Remark,
        },
        class: Class::of_number(disk.class),
        reason: disk.reason.into_owned(),
        reply: disk.reply.into_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_back() {
        for (kind, class) in [
            (ReportKind::SoftBounce, Some(Class::MailboxFull)),
            (ReportKind::HardBounce, Some(Class::Unknown)),
            (ReportKind::Complaint, None),
            (ReportKind::Remark, None),
        ] {
            let report = Report {
                message: MessageId(7),
                account: Id::new(1),
                domain: Some(Id::new(2)),
                user: None,
                recipient: Some(3),
                at: Timestamp(9),
                kind,
                class,
                reason: "Why.".to_owned(),
                reply: "550 No".to_owned(),
            };
            assert_eq!(report_in(MessageId(7), &report_out(&report)).unwrap(), report);
        }
    }
}
