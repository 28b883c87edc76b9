//! Delivery status notifications (RFC 3464 in RFC 6522's multipart/report; RFC 6533 for non-ASCII addresses).

mod quoted_printable;
mod text;

use std::fmt::Write as _;

use crate::header::fields;
use crate::{date, message_id};
use quoted_printable::encode;

/// A recipient that failed.
#[derive(Clone, Debug)]
pub struct FailedRecipient {
    /// Its address.
    pub address: String,
    /// The enhanced status, `5.1.1`.
    pub status: String,
    /// The remote's reply, code first, where there was one.
    pub remote_reply: Option<String>,
    /// The host that gave it.
    pub remote_host: Option<String>,
    /// In words that a non-expert understands.
    pub reason: String,
}

/// Everything a failure DSN says.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// Our name (Reporting-MTA, From's domain).
    pub hostname: &'a str,
    /// Its own message id, for Message-ID.
    pub message: &'a str,
    /// To whom: the original reverse-path.
    pub recipient: &'a str,
    /// The id of the message that failed.
    pub original: &'a str,
    /// When that arrived, seconds since 1970.
    pub arrived_seconds: u64,
    /// Now, seconds since 1970.
    pub seconds: u64,
    /// Who failed; at least one.
    pub failed: &'a [FailedRecipient],
    /// The header section of the message that failed, returned as text/rfc822-headers.
    pub header: &'a [u8],
}

/// Octets of a line beyond which mail is not 7-bit (RFC 5322 §2.1.1).
const LINE_OCTETS_MAX: usize = 998;

/// The whole content of the DSN, CRLF line ends, 7-bit unless the address it goes to needs more: then
/// the next hop must have SMTPUTF8.
pub fn compose(notification: &Notification<'_>) -> Vec<u8> {
    // the id was not known to whoever wrote the header or the replies that the parts repeat
    let boundary = format!("=_{}", notification.message);
    let mut content = head(notification, &boundary).into_bytes();
    for part in [text_part(notification), status_part(notification), header_part(notification)] {
        content.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        content.extend_from_slice(&part);
    }
    content.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    content
}

fn head(notification: &Notification<'_>, boundary: &str) -> String {
    let Notification { hostname, message, recipient, seconds, header, .. } = notification;
    let mut head = format!(
        "From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\nTo: <{recipient}>\r\n\
         Subject: Your message could not be delivered\r\nDate: {}\r\nMessage-ID: <{message}@{hostname}>\r\n",
        date::rfc5322(*seconds)
    );
    if let Some(original) = original_message_id(header) {
        let _ = write!(head, "In-Reply-To: {original}\r\nReferences: {original}\r\n");
    }
    let _ = write!(
        head,
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n"
    );
    if goes_by_smtputf8(notification) {
        head.push_str("Content-Transfer-Encoding: 8bit\r\n");
    }
    head.push_str("\r\n");
    head
}

/// The failed message's own Message-ID, where it may be repeated in a header.
fn original_message_id(header: &[u8]) -> Option<String> {
    let field = fields(header).find(|field| field.is("Message-ID"))?;
    let id = message_id::read(field.value);
    let sound =
        id.starts_with('<') && id.ends_with('>') && id.len() < 500 && id.bytes().all(|octet| octet.is_ascii_graphic());
    sound.then_some(id)
}

/// Whoever has a non-ASCII address is reached by servers that take 8-bit headers.
fn goes_by_smtputf8(notification: &Notification<'_>) -> bool {
    !notification.recipient.is_ascii()
}

/// For people.
fn text_part(notification: &Notification<'_>) -> Vec<u8> {
    let text = text::compose(notification);
    let charset = if text.is_ascii() { "us-ascii" } else { "utf-8" };
    let plain = text.is_ascii() && has_short_lines(text.as_bytes());
    let (encoding, text) = if plain { ("7bit", text) } else { ("quoted-printable", encode(text.as_bytes())) };
    format!(
        "Content-Description: What happened\r\nContent-Type: text/plain; charset={charset}\r\nContent-Language: en\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// For programs (RFC 3464 §2).
fn status_part(notification: &Notification<'_>) -> Vec<u8> {
    let international = !notification.failed.iter().all(|failed| failed.address.is_ascii());
    let clean = |text: &str| one_line(text, international);
    let mut status = format!(
        "Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n",
        notification.hostname,
        date::rfc5322(notification.arrived_seconds)
    );
    for failed in notification.failed {
        let kind = if failed.address.is_ascii() { "rfc822" } else { "utf-8" };
        let code = if is_status(&failed.status) { &failed.status } else { "5.0.0" };
        let _ = write!(
            status,
            "\r\nFinal-Recipient: {kind}; {}\r\nAction: failed\r\nStatus: {code}\r\n",
            clean(&failed.address)
        );
        if let Some(host) = failed.remote_host.as_deref().filter(|host| !host.is_empty()) {
            let _ = write!(status, "Remote-MTA: dns; {}\r\n", clean(host));
        }
        if let Some(reply) = &failed.remote_reply {
            let _ = write!(status, "{}\r\n", text::fold("Diagnostic-Code: smtp;", &clean(reply)));
        }
        let _ = write!(status, "Last-Attempt-Date: {}\r\n", date::rfc5322(notification.seconds));
    }
    let kind = if international { "message/global-delivery-status" } else { "message/delivery-status" };
    part("Details for programs", kind, status.as_bytes(), goes_by_smtputf8(notification))
}

/// What was sent.
fn header_part(notification: &Notification<'_>) -> Vec<u8> {
    let header = notification.header.strip_suffix(b"\r\n\r\n").unwrap_or(notification.header);
    let header = [header.strip_suffix(b"\r\n").unwrap_or(header), b"\r\n"].concat();
    let is_unicode = std::str::from_utf8(&header).is_ok();
    let global = is_unicode && !header.is_ascii() && goes_by_smtputf8(notification);
    let kind = match (global, header.is_ascii(), is_unicode) {
        (true, ..) => "message/global-headers",
        (_, false, true) => "text/rfc822-headers; charset=utf-8",
        _ => "text/rfc822-headers",
    };
    part("The header of your message", kind, &header, global)
}

/// A part in the plainest transfer encoding that carries it (RFC 6522 §4, RFC 6532 §3.7).
fn part(description: &str, kind: &str, body: &[u8], eight_bit: bool) -> Vec<u8> {
    let encoding = match (has_short_lines(body), body.is_ascii()) {
        (true, true) => "7bit",
        (true, false) if eight_bit => "8bit",
        _ => "quoted-printable",
    };
    let head = format!(
        "Content-Description: {description}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let mut part = head.into_bytes();
    match encoding {
        "quoted-printable" => part.extend_from_slice(encode(body).as_bytes()),
        _ => part.extend_from_slice(body),
    }
    part.extend_from_slice(b"\r\n");
    part
}

fn has_short_lines(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'\n').all(|line| line.len() <= LINE_OCTETS_MAX)
}

/// A stranger's text made harmless: controls become spaces, and what this part cannot hold `?`.
fn one_line(text: &str, international: bool) -> String {
    let clean = |letter: char| match letter {
        letter if letter.is_control() => ' ',
        letter if letter.is_ascii() || international => letter,
        _ => '?',
    };
    text.chars().map(clean).collect::<String>().trim().to_owned()
}

/// `class.subject.detail` of a failure (RFC 3463 §2).
fn is_status(status: &str) -> bool {
    let parts: Vec<&str> = status.split('.').collect();
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    parts.len() == 3 && matches!(parts[0], "4" | "5") && parts[1..].iter().all(|part| number(part))
}

#[cfg(test)]
mod tests;
