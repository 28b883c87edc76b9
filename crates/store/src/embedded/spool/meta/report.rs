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
    let mut meta = encoded(&ReportV1 {
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
    });
    // behind it, and there only where it says something: an earlier version reads over it
    if report.days_ahead != 0 || report.authentication.is_some() {
        meta.extend(encoded(&report.days_ahead));
    }
    meta.extend(report.authentication.iter().flat_map(|known| encoded(&known.to_string())));
    meta
}

/// Reads it.
///
/// # Errors
/// It is none.
pub(crate) fn report_in(message: MessageId, meta: &[u8]) -> Result<Report, MetaError> {
    let (disk, behind): (ReportV1<'_>, &[u8]) = postcard::take_from_bytes(meta)?;
    let (days_ahead, behind) = if behind.is_empty() { (0, behind) } else { postcard::take_from_bytes(behind)? };
    // one that a later version wrote otherwise is none that was looked at
    let authentication: Option<&str> = if behind.is_empty() { None } else { Some(postcard::from_bytes(behind)?) };
    Ok(Report {
        message,
        account: Id::new(disk.account),
        domain: disk.domain.map(Id::new),
        user: disk.user.map(Id::new),
        days_ahead,
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
        authentication: authentication.and_then(|known| known.parse().ok()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_back() {
        let vouched = "spf=pass smtp.mailfrom=example.org; dkim=none";
        for (kind, class, days_ahead, authentication) in [
            (ReportKind::SoftBounce, Some(Class::MailboxFull), 0, ""),
            (ReportKind::HardBounce, Some(Class::Unknown), 1, ""),
            (ReportKind::Complaint, None, -1, vouched),
            (ReportKind::Remark, None, 0, vouched),
        ] {
            let report = Report {
                message: MessageId(7),
                account: Id::new(1),
                domain: Some(Id::new(2)),
                user: None,
                days_ahead,
                recipient: Some(3),
                at: Timestamp(9),
                kind,
                class,
                reason: "Why.".to_owned(),
                reply: "550 No".to_owned(),
                authentication: authentication.parse().ok(),
            };
            assert_eq!(report_in(MessageId(7), &report_out(&report)).unwrap(), report);
        }
    }
    #[test]
    fn what_stands_behind_is_read_over_by_the_versions_before_it() {
        let report = Report {
            message: MessageId(7),
            account: Id::new(1),
            domain: None,
            user: None,
            days_ahead: 0,
            recipient: None,
            at: Timestamp(9),
            kind: ReportKind::Remark,
            class: None,
            reason: "Why.".to_owned(),
            reply: String::new(),
            authentication: "spf=fail smtp.mailfrom=x.example; dkim=none".parse().ok(),
        };
        let meta = report_out(&report);
        let plain = report_out(&Report { authentication: None, ..report });
        assert_eq!(report_in(MessageId(7), &plain).unwrap().authentication, None, "not looked at");
        let days_ahead: i8 = postcard::from_bytes(&meta[plain.len()..]).unwrap();
        assert_eq!((&meta[..plain.len()], days_ahead), (plain.as_slice(), 0));
    }
}
