//! Any octets as a report on DMARC: opened and read in bounded room, and counted for its own domain alone.

use message::dmarc_report::{Aggregate, CHARACTERS_MAX, MESSAGES_MAX, ROWS_MAX, read, read_attachment};
use relay::clock::Timestamp;
use relay::dmarc_report::judge;
use relay::id::Id;
use relay::sending_domain::{DomainState, SendingDomain};

/// What is opened of an attachment.
const OPENED_OCTETS_MAX: u64 = 1_048_576;
/// For how long reports are kept.
const DAYS: u64 = 90;

/// The first octet says whether the rest is an attachment, a whole message, or what stands in a document between its begin
/// and end.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((choice, content)) = data.split_first() else { return };
    let read = match choice % 3 {
        0 => read_attachment(content, OPENED_OCTETS_MAX),
        1 => read(content, OPENED_OCTETS_MAX),
        _ => read_attachment(&[b"<feedback>", content, b"</feedback>"].concat(), OPENED_OCTETS_MAX),
    };
    let Ok(report) = read else { return };
    bounded(&report);
    for name in ["shop.example", "example", "a.b"] {
        counted(&report, &domain(name));
    }
}

fn bounded(report: &Aggregate) {
    assert!(!report.reporter.is_empty() && !report.id.is_empty() && !report.domain.is_empty());
    for text in [&report.reporter, &report.id, &report.policy] {
        assert!(text.chars().count() <= CHARACTERS_MAX && !text.contains(char::is_control), "{text:?}");
    }
    assert!(report.rows.len() <= ROWS_MAX && report.left_out <= MESSAGES_MAX);
    for row in &report.rows {
        assert!(row.messages <= MESSAGES_MAX);
        assert!(row.from.len() <= 253 && row.from.bytes().all(|octet| octet.is_ascii_graphic()), "{:?}", row.from);
    }
    let kind = |row: &message::dmarc_report::Row| (row.source, row.from.clone(), row.dkim, row.spf, row.disposition);
    assert!(report.rows.windows(2).all(|two| kind(&two[0]) < kind(&two[1])), "a kind of row stands there once");
}

/// No message is counted twice, or for a domain that it is not of.
fn counted(report: &Aggregate, domain: &SendingDomain) {
    let now = Timestamp(report.begins_seconds.saturating_mul(1_000).min(1 << 50));
    let Ok(kept) = judge(report.clone(), domain, now, DAYS) else { return };
    assert_eq!((kept.domain, kept.account), (domain.id, domain.account));
    let of_domain = |from: &str| from == domain.name || from.ends_with(&format!(".{}", domain.name));
    let own = report.rows.iter().filter(|row| of_domain(&row.from));
    assert_eq!(kept.messages(), own.map(|row| row.messages).sum::<u64>());
    let all: u64 = report.rows.iter().map(|row| row.messages).sum();
    assert_eq!(kept.messages() + kept.left_out, all + report.left_out);
}

fn domain(name: &str) -> SendingDomain {
    SendingDomain {
        state: DomainState::Validated,
        ..SendingDomain::new(Id::new(2), Id::new(1), name, Vec::new(), Timestamp(0))
    }
}
