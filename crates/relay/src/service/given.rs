//! A message as a program hands it in over HTTP, and the envelope and content that it becomes.

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use message::addressed;
use message::composition::{self, Composition};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smtp::address::Address;
use std::fmt;

use super::Fault;
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::limits::Limits;

/// Recipients that one request may name, for each that a message may have: what is beyond is a mistake, and would be as many
/// refusals to note.
const RECIPIENTS_FACTOR: u64 = 4;

/// Fields that the form has places for, or that are not the sender's to write.
const FIELDS_TAKEN: [&str; 17] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Received",
    "Return-Path",
    "DKIM-Signature",
    "Resent-Bcc",
];

/// Octets that travel as base64 in JSON, and are counted, not shown, in a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Octets(pub Bytes);

/// A message as it is handed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenMessage {
    /// The SMTP user that sends it, by number or username.
    pub user: String,
    /// Where failures are told; absent: to the address in From; empty: to nobody.
    #[serde(default)]
    pub reverse_path: Option<String>,
    /// Recipients; none: those that the message names.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// What is sent.
    pub content: GivenContent,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenContent {
    /// Header section and body (RFC 5322).
    Raw(Octets),
    /// What they are to be made of.
    Parts(Box<MessageParts>),
}

/// What a message is to be made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageParts {
    /// From.
    pub from: Mailbox,
    /// To.
    pub to: Vec<Mailbox>,
    /// Cc.
    pub cc: Vec<Mailbox>,
    /// Recipients that no other sees.
    pub bcc: Vec<Mailbox>,
    /// Reply-To.
    pub reply_to: Vec<Mailbox>,
    /// Subject.
    pub subject: String,
    /// The text.
    pub text: Option<String>,
    /// The same as HTML.
    pub html: Option<String>,
    /// Files.
    pub attachments: Vec<GivenFile>,
    /// Further fields, by name.
    pub fields: Vec<(String, String)>,
}

/// An address, and what its owner is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// `local@domain`
    pub address: String,
    /// What they are called.
    #[serde(default)]
    pub name: Option<String>,
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenFile {
    /// Its name.
    pub name: String,
    /// Its type: `application/pdf`.
    pub media_type: String,
    /// What is in it.
    pub content: Octets,
    /// The name that HTML shows it by (`cid:…`); absent: it is attached.
    #[serde(default)]
    pub content_id: Option<String>,
}

/// A message ready to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Where failures are told; empty: nowhere.
    pub reverse_path: String,
    /// The recipients.
    pub recipients: Vec<String>,
    /// Header section and body.
    pub content: Bytes,
}

impl GivenMessage {
    /// The envelope and content that it becomes; a Message-ID that is made has `domain` on its right.
    ///
    /// # Errors
    /// Something of it is missing or cannot be. Whether it may be sent is judged elsewhere.
    pub fn prepare(self, message: MessageId, domain: &str, now: Timestamp, limits: &Limits) -> Result<Prepared, Fault> {
        let max = limits.recipients_max.saturating_mul(RECIPIENTS_FACTOR);
        let prepared = match self.content {
            GivenContent::Raw(Octets(content)) => {
                prepare_raw(self.reverse_path, self.recipients, content, usize::try_from(max).unwrap_or(usize::MAX))?
            }
            GivenContent::Parts(parts) => {
                let content = parts.write(&format!("{message}@{domain}"), now)?;
                let named = parts.to.iter().chain(&parts.cc).chain(&parts.bcc);
                let recipients = match self.recipients.is_empty() {
                    true => named.map(|mailbox| mailbox.address.clone()).collect(),
                    false => self.recipients,
                };
                let reverse_path = self.reverse_path.unwrap_or(parts.from.address);
                Prepared { reverse_path, recipients, content: content.into() }
            }
        };
        match prepared.recipients.len() as u64 {
            0 => Err(Fault::invalid("The message has no recipients.", "Name at least one.")),
            count if count > max => Err(Fault::invalid(
                format!("The request names {count} recipients."),
                format!("A message has {} at most: send several.", limits.recipients_max),
            )),
            _ => Ok(prepared),
        }
    }
}

fn prepare_raw(
    reverse_path: Option<String>,
    recipients: Vec<String>,
    content: Bytes,
    most: usize,
) -> Result<Prepared, Fault> {
    if reverse_path.is_some() && !recipients.is_empty() {
        return Ok(Prepared { reverse_path: reverse_path.unwrap_or_default(), recipients, content });
    }
    let named = addressed::read(&content, most);
    let recipients = match (recipients.is_empty(), named.unreadable) {
        (false, _) => recipients,
        (true, Some(field)) => {
            return Err(Fault::invalid(
                format!("The field {field} of the message cannot be read, so nobody can be told from it."),
                "Name the recipients beside the message, or correct the field.",
            ));
        }
        (true, None) => named.recipients,
    };
    // without one address in From it is refused for that
    let reverse_path = reverse_path.or(named.from).unwrap_or_default();
    Ok(Prepared { reverse_path, recipients, content })
}

impl MessageParts {
    fn write(&self, message_id: &str, now: Timestamp) -> Result<Vec<u8>, Fault> {
        self.check()?;
        let files = self.attachments.iter().map(|file| composition::File {
            name: &file.name,
            media_type: &file.media_type,
            octets: &file.content.0,
            content_id: file.content_id.as_deref(),
        });
        let composition = Composition {
            from: self.from.lent(),
            to: shown(&self.to),
            cc: shown(&self.cc),
            reply_to: shown(&self.reply_to),
            subject: &self.subject,
            fields: self.fields.iter().map(|(name, value)| (&**name, &**value)).collect(),
            text: self.text.as_deref(),
            html: self.html.as_deref(),
            files: files.collect(),
            seconds: now.0 / 1_000,
            message_id,
        };
        let written = composition::write(&composition);
        written.map_err(|error| Fault::unavailable(format!("The message could not be written: {error}."), ""))
    }

    fn check(&self) -> Result<(), Fault> {
        if self.text.is_none() && self.html.is_none() {
            return Err(Fault::invalid("The message has neither `text` nor `html`.", "Give one of them, or both."));
        }
        for (field, mailboxes) in [("from", std::slice::from_ref(&self.from)), ("reply_to", &self.reply_to)] {
            if let Some(wrong) = mailboxes.iter().find(|mailbox| !mailbox.is_address()) {
                let what = format!("`{}` is not an address, in `{field}`.", wrong.address);
                return Err(Fault::invalid(what, "Write it as local@domain, or as Name <local@domain>."));
            }
        }
        for (name, value) in &self.fields {
            check_field(name, value)?;
        }
        for file in &self.attachments {
            if !composition::is_media_type(&file.media_type) {
                let what = format!("`{}` is no type that a file can be attached with.", file.media_type);
                return Err(Fault::invalid(
                    what,
                    "Give its type, such as application/pdf; application/octet-stream always fits.",
                ));
            }
            let id = file.content_id.as_deref().unwrap_or("id");
            if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>".contains(&octet)) {
                return Err(Fault::invalid(
                    format!("`{id}` cannot be a content_id."),
                    "Use letters, digits, dots and @.",
                ));
            }
        }
        Ok(())
    }
}

fn check_field(name: &str, value: &str) -> Result<(), Fault> {
    if FIELDS_TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
        let what = format!("The field {name} cannot be given among `headers`.");
        return Err(Fault::invalid(
            what,
            "It has a place of its own, or is written by the relay; hand the message in raw to write each yourself.",
        ));
    }
    if !composition::is_field_name(name) {
        return Err(Fault::invalid(
            format!("`{name}` is no name of a field."),
            "Use ASCII letters, digits and hyphens.",
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(Fault::invalid(format!("The value of {name} has control characters."), "Write it on one line."));
    }
    Ok(())
}

/// Those that can stand in a field. Which of the others are refused, and why, is told of the envelope.
fn shown(mailboxes: &[Mailbox]) -> Vec<composition::Mailbox<'_>> {
    mailboxes.iter().filter(|mailbox| mailbox.is_address()).map(Mailbox::lent).collect()
}

impl Mailbox {
    /// Reads `local@domain` or `Name <local@domain>`.
    pub fn parse(text: &str) -> Mailbox {
        let text = text.trim();
        let split = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
        let Some((name, address)) = split else { return Mailbox { address: text.to_owned(), name: None } };
        let name = name.trim();
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = quoted.map_or_else(|| name.to_owned(), |name| name.replace("\\\"", "\"").replace("\\\\", "\\"));
        Mailbox { address: address.trim().to_owned(), name: Some(name).filter(|name| !name.is_empty()) }
    }

    fn is_address(&self) -> bool {
        Address::parse(&self.address, true).is_ok()
    }

    fn lent(&self) -> composition::Mailbox<'_> {
        composition::Mailbox { name: self.name.as_deref(), address: &self.address }
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(&self.0, &STANDARD))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Octets, D::Error> {
        deserializer.deserialize_str(Base64Visitor)
    }
}

/// Decodes where the text lies: it may be long.
struct Base64Visitor;

impl serde::de::Visitor<'_> for Base64Visitor {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("octets in base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Octets, E> {
        let is_broken = text.bytes().any(|octet| octet.is_ascii_whitespace());
        let decoded = if is_broken {
            // lines of MIME, as many libraries make them
            STANDARD.decode(text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect::<Vec<_>>())
        } else {
            STANDARD.decode(text)
        };
        decoded.map(|octets| Octets(octets.into())).map_err(|_| E::custom("not base64"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn prepare(message: GivenMessage) -> Result<Prepared, Fault> {
        message.prepare(MessageId(1), "example.com", NOW, &Limits::default())
    }

    fn raw(content: &'static str) -> GivenMessage {
        let content = GivenContent::Raw(Octets(Bytes::from_static(content.as_bytes())));
        GivenMessage { user: "1".into(), reverse_path: None, recipients: Vec::new(), content }
    }

    fn parts(change: impl FnOnce(&mut MessageParts)) -> GivenMessage {
        let mut parts = MessageParts {
            from: Mailbox::parse("Shop <shop@example.com>"),
            to: vec![Mailbox::parse("a@example.net"), Mailbox::parse("nobody")],
            bcc: vec![Mailbox::parse("Hidden <b@example.net>")],
            subject: "Reçu".into(),
            text: Some("Bonjour\n".into()),
            ..MessageParts::default()
        };
        change(&mut parts);
        let content = GivenContent::Parts(Box::new(parts));
        GivenMessage { user: "1".into(), reverse_path: None, recipients: Vec::new(), content }
    }

    #[test]
    fn the_envelope_is_what_the_message_names_unless_another_is_given() {
        let text = "From: Shop <shop@example.com>\r\nTo: a@x.example\r\nBcc: b@x.example\r\n\r\nx\r\n";
        let prepared = prepare(raw(text)).unwrap();
        assert_eq!((&*prepared.reverse_path, &*prepared.content), ("shop@example.com", text.as_bytes()));
        assert_eq!(prepared.recipients, ["a@x.example", "b@x.example"]);
        let other =
            GivenMessage { reverse_path: Some(String::new()), recipients: vec!["c@x.example".into()], ..raw(text) };
        let prepared = prepare(other).unwrap();
        assert_eq!((&*prepared.reverse_path, &*prepared.recipients), ("", &["c@x.example".to_owned()][..]));
        assert!(prepare(raw("From: shop@example.com\r\n\r\nx\r\n")).unwrap_err().what.contains("no recipients"));
        assert!(prepare(raw("From: a@b.c\r\nTo: <x\r\n\r\n")).unwrap_err().what.contains("field To"));
        let many = GivenMessage { recipients: vec!["a@x.example".into(); 1_001], ..raw(text) };
        assert!(prepare(many).unwrap_err().what.contains("1001"));
    }

    #[test]
    fn parts_become_a_message_that_hides_what_is_hidden() {
        let prepared = prepare(parts(|_| {})).unwrap();
        assert_eq!(prepared.recipients, ["a@example.net", "nobody", "b@example.net"]);
        let content = String::from_utf8(prepared.content.to_vec()).unwrap();
        assert!(content.contains("To: <a@example.net>\r\n") && !content.contains("b@example.net"), "{content}");
        assert!(content.contains(&format!("<{}@example.com>", MessageId(1))), "{content}");
        assert!(content.is_ascii());
    }

    #[test]
    fn what_could_forge_a_field_is_refused() {
        for change in [
            (|parts| parts.fields.push(("X-A\r\nBcc".into(), "x".into()))) as fn(&mut MessageParts),
            |parts| parts.fields.push(("X-A".into(), "x\r\nBcc: y@z.example".into())),
            |parts| parts.fields.push(("bcc".into(), "y@z.example".into())),
            |parts| parts.fields.push(("Content-Type".into(), "text/plain".into())),
            |parts| parts.from = Mailbox::parse("shop@example.com>, <boss@bank.example"),
            |parts| parts.reply_to = vec![Mailbox::parse("nobody")],
            |parts| parts.text = None,
            |parts| parts.attachments.push(GivenFile { media_type: "a/b\r\nX: y".into(), ..GivenFile::default() }),
            |parts| {
                let file =
                    GivenFile { media_type: "a/b".into(), content_id: Some("x>\r\n".into()), ..GivenFile::default() };
                parts.attachments.push(file);
            },
        ] {
            assert_eq!(prepare(parts(change)).unwrap_err().kind, super::super::FaultKind::Invalid);
        }
        let named = parts(|parts| parts.from.name = Some("A\r\nBcc: y@z.example".into()));
        let content = String::from_utf8(prepare(named).unwrap().content.to_vec()).unwrap();
        assert!(!content.contains("\nBcc:"), "{content}");
        let titled = parts(|parts| parts.subject = "A\r\nBcc: y@z.example".into());
        let content = String::from_utf8(prepare(titled).unwrap().content.to_vec()).unwrap();
        assert!(!content.contains("\nBcc:"), "{content}");
    }

    #[test]
    fn addresses_are_read_with_and_without_a_name() {
        let read = |text| {
            let Mailbox { address, name } = Mailbox::parse(text);
            (address, name.unwrap_or_default())
        };
        assert_eq!(read(" a@b.c "), ("a@b.c".into(), String::new()));
        assert_eq!(read("Ann <a@b.c>"), ("a@b.c".into(), "Ann".into()));
        assert_eq!(read("\"Doe, \\\"A\\\"\" <a@b.c>"), ("a@b.c".into(), "Doe, \"A\"".into()));
        assert_eq!(read("<a@b.c>"), ("a@b.c".into(), String::new()));
    }

    #[test]
    fn octets_travel_as_base64() {
        let message = parts(|parts| {
            let content = Octets(Bytes::from_static(&[0, 255, 7]));
            parts.attachments.push(GivenFile { name: "x".into(), media_type: "a/b".into(), content, content_id: None });
        });
        let text = serde_json::to_string(&message).unwrap();
        assert!(text.contains("\"AP8H\""), "{text}");
        assert_eq!(serde_json::from_str::<GivenMessage>(&text).unwrap(), message);
        assert_eq!(serde_json::from_str::<Octets>("\"AP\\r\\n8H\"").unwrap().0, &[0u8, 255, 7][..]);
        assert!(serde_json::from_str::<Octets>("\"%\"").is_err());
        assert!(format!("{message:?}").contains("3 octets"));
    }
}
