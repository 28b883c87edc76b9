//! Complaints in the abuse reporting format (RFC 5965).

use super::{ADDRESSES_MAX, Complaint, address, clean};
use crate::header::fields;

/// Kinds of feedback that are no complaint: praise, and what receivers say of authentication (RFC 6591).
const OTHERS: [&str; 4] = ["not-spam", "auth-failure", "dmarc", "tls"];

/// What a complaint says, by its report and the mail that it gives back; none where it is something else.
pub(super) fn read(report: &[u8], returned: &[u8]) -> Option<Complaint> {
    let values = |section: &[u8], name: &str| -> Vec<String> {
        fields(section).filter(|field| field.is(name)).take(ADDRESSES_MAX).map(|field| clean(&field)).collect()
    };
    let first = |name: &str| values(report, name).into_iter().next().unwrap_or_default();
    let kind = first("Feedback-Type").to_ascii_lowercase();
    if kind.is_empty() || OTHERS.contains(&kind.as_str()) {
        return None;
    }
    let named = |section: &[u8], name: &str| -> Vec<String> {
        values(section, name).iter().filter_map(|value| address(value)).collect()
    };
    let mut return_paths = named(report, "Original-Mail-From");
    return_paths.extend(named(returned, "Return-Path"));
    return_paths.extend(named(returned, "X-Envelope-From"));
    return_paths.truncate(ADDRESSES_MAX);
    let mut recipients = named(report, "Original-Rcpt-To");
    recipients.dedup();
    Some(Complaint { kind, recipients, return_paths, program: first("User-Agent") })
}
