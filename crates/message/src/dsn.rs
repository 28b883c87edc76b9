//! Delivery status notifications (RFC 3464 in RFC 6522's multipart/report; RFC 6533 for non-ASCII addresses).

mod quoted_printable;
mod text;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::header::fields;
use crate::{date, message_id};
use quoted_printable::encode;

/// The language of what a notification says to people. What it says to programs has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Its tag (BCP 47).
    fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }
}

/// What became of the recipients of a notification (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// They failed.
    Failed,
    /// They are tried further.
    Delayed {
        /// Until when, seconds since 1970.
        until_seconds: u64,
    },
    /// They were delivered to.
    Delivered,
    /// They were handed on to a server that cannot be asked for notifications.
    Relayed,
}

/// A recipient of the message that a notification tells of.
#[derive(Clone, Debug)]
pub struct ReportedRecipient {
    /// Its address.
    pub address: String,
    /// The original recipient, where the sender named it: its type and its address, `rfc822;bob@example.net`
    /// (RFC 3461 §4.2).
    pub original: Option<String>,
    /// The enhanced status, `5.1.1`.
    pub status: String,
    /// The remote's reply, code first, where there was one.
    pub remote_reply: Option<String>,
    /// The host that gave it.
    pub remote_host: Option<String>,
    /// In words that a non-expert understands; empty where there is nothing to be explained.
    pub reason: String,
}

/// Everything a DSN says.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// Our name (Reporting-MTA, From's domain).
    pub hostname: &'a str,
    /// Its own message id, for Message-ID.
    pub message: &'a str,
    /// To whom: the original reverse-path.
    pub recipient: &'a str,
    /// The id of the message that it tells of.
    pub original: &'a str,
    /// The sender's own name for its envelope (RFC 3461 §4.4).
    pub envelope: Option<&'a str>,
    /// When that arrived, seconds since 1970.
    pub arrived_seconds: u64,
    /// Now, seconds since 1970.
    pub seconds: u64,
    /// The language of what it says to people.
    pub language: Language,
    /// What became of the recipients.
    pub action: Action,
    /// Which these are; at least one.
    pub recipients: &'a [ReportedRecipient],
    /// The header section of the message.
    pub header: &'a [u8],
    /// All of the message, header included, where it is to be brought back.
    pub content: Option<&'a [u8]>,
}

/// Octets of a line beyond which mail is not 7-bit (RFC 5322 §2.1.1).
const LINE_OCTETS_MAX: usize = 998;

/// The whole content of the DSN, CRLF line ends. 7-bit unless the address it goes to needs more (then the next hop must
/// have SMTPUTF8), or the message that it brings back has it.
pub fn compose(notification: &Notification<'_>) -> Vec<u8> {
    // the id was not known to whoever wrote the header or the replies that the parts repeat
    let boundary = format!("=_{}", notification.message);
    let whole = content_part(notification);
    let text = text_part(notification, whole.is_some());
    let returned = whole.unwrap_or_else(|| header_part(notification));
    let is_eight_bit = goes_by_smtputf8(notification) || !returned.is_ascii();
    let mut content = head(notification, &boundary, is_eight_bit).into_bytes();
    for part in [text, status_part(notification), returned] {
        content.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        content.extend_from_slice(&part);
    }
    content.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    content
}

fn head(notification: &Notification<'_>, boundary: &str, is_eight_bit: bool) -> String {
    let Notification { hostname, message, recipient, seconds, header, .. } = notification;
    let mut head = format!(
        "From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\nTo: <{recipient}>\r\n\
         Subject: {}\r\nDate: {}\r\nMessage-ID: <{message}@{hostname}>\r\n",
        encoded(text::subject_of(notification.language, notification.action)),
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
    if is_eight_bit {
        head.push_str("Content-Transfer-Encoding: 8bit\r\n");
    }
    head.push_str("\r\n");
    head
}

/// A short text of our own as the value of a field: beyond ASCII in encoded words (RFC 2047 §2).
fn encoded(text: &str) -> String {
    /// Octets whose Base64 fits beside its frame and `Subject: ` into a line of 76 characters.
    const WORD_OCTETS_MAX: usize = 39;
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for letter in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= WORD_OCTETS_MAX => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let word = |word: String| format!("=?utf-8?B?{}?=", STANDARD.encode(word));
    words.into_iter().map(word).collect::<Vec<_>>().join("\r\n\t")
}

/// The message's own Message-ID, where it may be repeated in a header.
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

/// For people. `is_whole`: all of the message comes with it.
fn text_part(notification: &Notification<'_>, is_whole: bool) -> Vec<u8> {
    let text = text::compose(notification, is_whole);
    let charset = if text.is_ascii() { "us-ascii" } else { "utf-8" };
    let plain = text.is_ascii() && has_short_lines(text.as_bytes());
    let (encoding, text) = if plain { ("7bit", text) } else { ("quoted-printable", encode(text.as_bytes())) };
    format!(
        "Content-Description: What happened\r\nContent-Type: text/plain; charset={charset}\r\nContent-Language: {}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{text}\r\n",
        notification.language.tag()
    )
    .into_bytes()
}

/// For programs (RFC 3464 §2, RFC 3461 §6.3).
fn status_part(notification: &Notification<'_>) -> Vec<u8> {
    let is_ascii = |reported: &ReportedRecipient| {
        reported.address.is_ascii() && reported.original.as_deref().is_none_or(str::is_ascii)
    };
    let international = !notification.recipients.iter().all(is_ascii);
    let mut status = String::new();
    if let Some(id) = notification.envelope {
        let _ = write!(status, "Original-Envelope-Id: {}\r\n", one_line(id, false));
    }
    let _ = write!(
        status,
        "Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n",
        notification.hostname,
        date::rfc5322(notification.arrived_seconds)
    );
    for reported in notification.recipients {
        status.push_str(&fields_of(reported, notification, international));
    }
    let kind = if international { "message/global-delivery-status" } else { "message/delivery-status" };
    part("Details for programs", kind, status.as_bytes(), goes_by_smtputf8(notification))
}

/// The fields of one recipient.
fn fields_of(reported: &ReportedRecipient, notification: &Notification<'_>, international: bool) -> String {
    let clean = |text: &str| one_line(text, international);
    let mut fields = String::from("\r\n");
    if let Some((kind, address)) = reported.original.as_deref().and_then(|original| original.split_once(';')) {
        let _ = write!(fields, "Original-Recipient: {}; {}\r\n", clean(kind), clean(address));
    }
    let kind = if reported.address.is_ascii() { "rfc822" } else { "utf-8" };
    let (action, classes, otherwise) = match notification.action {
        Action::Failed => ("failed", "45", "5.0.0"),
        Action::Delayed { .. } => ("delayed", "4", "4.0.0"),
        Action::Delivered => ("delivered", "2", "2.0.0"),
        Action::Relayed => ("relayed", "2", "2.0.0"),
    };
    let code = if is_status(&reported.status, classes) { &reported.status } else { otherwise };
    let _ = write!(
        fields,
        "Final-Recipient: {kind}; {}\r\nAction: {action}\r\nStatus: {code}\r\n",
        clean(&reported.address)
    );
    if let Some(host) = reported.remote_host.as_deref().filter(|host| !host.is_empty()) {
        let _ = write!(fields, "Remote-MTA: dns; {}\r\n", clean(host));
    }
    if let Some(reply) = &reported.remote_reply {
        let _ = write!(fields, "{}\r\n", text::fold("Diagnostic-Code: smtp;", &clean(reply)));
    }
    let _ = write!(fields, "Last-Attempt-Date: {}\r\n", date::rfc5322(notification.seconds));
    if let Action::Delayed { until_seconds } = notification.action {
        let _ = write!(fields, "Will-Retry-Until: {}\r\n", date::rfc5322(until_seconds));
    }
    fields
}

/// All that was sent, where that is wanted and can be: no transfer encoding is allowed around a message but where its
/// header is beyond ASCII (RFC 2046 §5.2.1, RFC 6532 §3.7).
fn content_part(notification: &Notification<'_>) -> Option<Vec<u8>> {
    let content = notification.content?;
    let ends = if content.ends_with(b"\r\n") { &b""[..] } else { b"\r\n" };
    let content = [content, ends].concat();
    let (kind, eight_bit) = match notification.header.is_ascii() {
        true if has_short_lines(&content) => ("message/rfc822", true),
        false if std::str::from_utf8(notification.header).is_ok() => ("message/global", goes_by_smtputf8(notification)),
        _ => return None,
    };
    Some(part("Your message", kind, &content, eight_bit))
}

/// The header of what was sent.
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

/// `class.subject.detail` of one of these classes (RFC 3463 §2).
fn is_status(status: &str, classes: &str) -> bool {
    let parts: Vec<&str> = status.split('.').collect();
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 1 && classes.contains(parts[0]) && parts[1..].iter().all(|part| number(part))
}

#[cfg(test)]
mod tests;
