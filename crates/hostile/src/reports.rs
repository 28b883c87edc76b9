//! Any octets as what another server reports: read in bounded room, of those recipients alone that the address names.

use message::report::{self as mail, Reading, Told};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::rules::Rules;
use relay::report::{Acted, Context, Recipient, Report, ReportKind, judge};
use relay::return_path::Token;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// The first octet says from whom it comes, and whether it is of one recipient or of several; the rest is a message.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((choice, content)) = data.split_first() else { return };
    let reading = mail::read(content, choice & 1 == 1);
    bounded(&reading);
    let is_single = choice & 2 == 2;
    let token = Token {
        message: MessageId(1 << 80),
        account: Id::new(1),
        domain: Some(Id::new(2)),
        user: None,
        first: 0,
        is_single,
        until: NOW.day(),
        days_ahead: 0,
    };
    let named = |(number, address): (u16, &str)| Recipient {
        number,
        address: address.to_owned(),
        host: None,
        is_delivered: true,
        is_waiting: false,
        acted: Acted::default(),
    };
    let recipients = [(0, "anna@example.org"), (1, "bert@example.org")].map(named);
    let context =
        Context { token: &token, recipients: &recipients, rules: Rules::ours(), now: NOW, authentication: None };
    judged(&judge(&reading, &context), is_single);
}

fn bounded(reading: &Reading) {
    match reading {
        Reading::Status(told) => {
            assert!((1..=mail::RECIPIENTS_MAX).contains(&told.len()));
            told.iter().for_each(bounded_told);
        }
        Reading::Complaint(complaint) => {
            assert!(!complaint.kind.is_empty());
            let addresses = complaint.recipients.iter().chain(&complaint.return_paths);
            assert!(addresses.clone().count() <= 2 * mail::ADDRESSES_MAX);
            addresses.for_each(|address| is_address(address));
            harmless(&complaint.kind);
            harmless(&complaint.program);
        }
        Reading::Automatic | Reading::Unknown => {}
    }
}

fn bounded_told(told: &Told) {
    told.recipient.iter().chain(&told.original).for_each(|address| is_address(address));
    [&told.diagnostic, &told.server].into_iter().chain(&told.status).for_each(|text| harmless(text));
}

fn is_address(text: &str) {
    assert!(text.contains('@') && text.len() <= 254, "{text:?}");
    harmless(text);
}

fn harmless(text: &str) {
    assert!(text.chars().count() <= 500 && !text.contains(char::is_control), "{text:?}");
}

/// One report of each recipient at the most, of nobody else, and a bounce or complaint of one that is known.
fn judged(reports: &[Report], is_single: bool) {
    let mut recipients: Vec<Option<u16>> = reports.iter().map(|report| report.recipient).collect();
    recipients.sort_unstable();
    recipients.dedup();
    assert_eq!(recipients.len(), reports.len());
    for report in reports {
        assert!(report.recipient.is_none_or(|number| number < if is_single { 1 } else { 2 }));
        assert!(report.recipient.is_some() || (report.kind == ReportKind::Remark && !is_single));
        assert!(report.suppresses().is_none() || report.recipient.is_some());
        assert!(!report.reason.is_empty() && report.reply.chars().count() <= 1_100);
    }
}
