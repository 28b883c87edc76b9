//! The machine's part of a delivery status notification (RFC 3464 §2, RFC 6533 §3).

use super::{Action, RECIPIENTS_MAX, Told, address, clean};
use crate::header::{Line, fields};

/// What is told of each recipient; the part of the whole message comes first, and tells of none.
pub(super) fn read(part: &[u8]) -> Vec<Told> {
    groups(part).filter_map(told).take(RECIPIENTS_MAX).collect()
}

/// Fields that stand together, without the empty lines between them.
fn groups(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = part;
    std::iter::from_fn(move || {
        loop {
            let line = first_line(rest);
            if line.is_empty() {
                return None;
            }
            if !is_blank(line) {
                break;
            }
            rest = &rest[line.len()..];
        }
        let mut end = 0;
        loop {
            let line = first_line(&rest[end..]);
            if line.is_empty() || is_blank(line) {
                break;
            }
            end += line.len();
        }
        let (group, left) = rest.split_at(end);
        rest = left;
        Some(group)
    })
}

fn first_line(octets: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |end| end + 1);
    &octets[..end]
}

fn is_blank(line: &[u8]) -> bool {
    Line::of(line) == Line::Empty || line.iter().all(u8::is_ascii_whitespace)
}

fn told(group: &[u8]) -> Option<Told> {
    let value = |name: &str| fields(group).find(|field| field.is(name)).map(|field| clean(&field));
    let typed = |name: &str| value(name).map(|value| untyped(&value).to_owned());
    let recipient = typed("Final-Recipient").and_then(|text| address(&text));
    let original = typed("Original-Recipient").and_then(|text| address(&text));
    let (action, status) = (value("Action"), value("Status").as_deref().and_then(status));
    // what names neither a recipient nor an action is of the message as a whole
    if recipient.is_none() && original.is_none() && action.is_none() && status.is_none() {
        return None;
    }
    let action = match action.unwrap_or_default().split_whitespace().next().unwrap_or_default() {
        word if word.eq_ignore_ascii_case("delayed") => Action::Delayed,
        word if word.eq_ignore_ascii_case("delivered") => Action::Delivered,
        word if word.eq_ignore_ascii_case("relayed") => Action::Relayed,
        word if word.eq_ignore_ascii_case("expanded") => Action::Expanded,
        word if word.eq_ignore_ascii_case("failed") => Action::Failed,
        // a word of their own: the status says what it is
        _ => match status.as_deref().and_then(|status| status.chars().next()) {
            Some('2') => Action::Delivered,
            Some('4') => Action::Delayed,
            Some('5') => Action::Failed,
            _ => return None,
        },
    };
    Some(Told {
        action,
        recipient,
        original,
        status,
        diagnostic: typed("Diagnostic-Code").unwrap_or_default(),
        server: typed("Remote-MTA").unwrap_or_default(),
    })
}

/// What stands behind the type: `rfc822; anna@example.org`, `smtp; 550 5.1.1 No`.
fn untyped(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if !kind.contains(char::is_whitespace) || kind.trim().len() < 20 => rest.trim(),
        _ => value.trim(),
    }
}

/// The status, of which some writers put words behind it.
fn status(value: &str) -> Option<String> {
    let first = value.split(|letter: char| letter.is_whitespace() || letter == '(').next()?;
    super::text::is_status(first).then(|| first.to_owned())
}
