//! Messages made of parts: addresses, a subject, text, files. What is beyond ASCII is encoded (RFC 2047, RFC 2231, MIME), so
//! that every next hop can take it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::text::Text;
use mail_builder::mime::MimePart;

/// A message in parts.
#[derive(Clone, Debug, Default)]
pub struct Composition<'a> {
    /// From.
    pub from: Mailbox<'a>,
    /// To; none: the field is left out, as are the next two.
    pub to: Vec<Mailbox<'a>>,
    /// Cc.
    pub cc: Vec<Mailbox<'a>>,
    /// Reply-To.
    pub reply_to: Vec<Mailbox<'a>>,
    /// Subject.
    pub subject: &'a str,
    /// Further fields: name and value. The names are those of fields ([`is_field_name`]).
    pub fields: Vec<(&'a str, &'a str)>,
    /// The text, its lines ended by LF or CRLF.
    pub text: Option<&'a str>,
    /// The same as HTML.
    pub html: Option<&'a str>,
    /// Files.
    pub files: Vec<File<'a>>,
    /// When it is written, in seconds since 1970.
    pub seconds: u64,
    /// Message-ID, without angle brackets.
    pub message_id: &'a str,
}

/// An address, and what its owner is called.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailbox<'a> {
    /// What they are called.
    pub name: Option<&'a str>,
    /// `local@domain`
    pub address: &'a str,
}

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type ([`is_media_type`]).
    pub media_type: &'a str,
    /// What is in it.
    pub octets: &'a [u8],
    /// The name that HTML shows it by (`cid:…`); none: it is attached.
    pub content_id: Option<&'a str>,
}

/// Writes it as content (RFC 5322): 7-bit lines ended by CRLF, unless an address is beyond ASCII.
///
/// # Errors
/// The library could not write it.
pub fn write(parts: &Composition<'_>) -> std::io::Result<Vec<u8>> {
    let mut builder = MessageBuilder::new().from(list(std::slice::from_ref(&parts.from)));
    for (name, mailboxes) in [("To", &parts.to), ("Cc", &parts.cc), ("Reply-To", &parts.reply_to)] {
        if !mailboxes.is_empty() {
            builder = builder.header(name, list(mailboxes));
        }
    }
    builder = builder
        .subject(parts.subject)
        .date(i64::try_from(parts.seconds).unwrap_or(i64::MAX))
        .message_id(parts.message_id);
    for (name, value) in &parts.fields {
        builder = builder.header(*name, HeaderType::from(Text::new(*value)));
    }
    if let Some(text) = parts.text {
        builder = builder.text_body(text);
    }
    if let Some(html) = parts.html {
        builder = builder.html_body(html);
    }
    for file in &parts.files {
        builder.attachments.get_or_insert_default().push(part(file));
    }
    builder.write_to_vec()
}

/// A file as a part. It is what it is, line ends and all: the library would send a short text as it stands.
fn part<'a>(file: &File<'a>) -> MimePart<'a> {
    let encoded = STANDARD.encode(file.octets);
    let lines: Vec<_> = encoded.as_bytes().chunks(76).collect();
    let part = MimePart::new(file.media_type, lines.join(&b"\r\n"[..])).transfer_encoding("base64");
    match file.content_id {
        Some(id) => part.inline().cid(id),
        None => part.attachment(file.name),
    }
}

fn list<'a>(mailboxes: &[Mailbox<'a>]) -> Address<'a> {
    Address::new_list(mailboxes.iter().map(|mailbox| Address::new_address(mailbox.name, mailbox.address)).collect())
}

/// Whether this may be the name of a field (RFC 5322 §3.6.8), short enough for its line.
pub fn is_field_name(name: &str) -> bool {
    (1..=76).contains(&name.len()) && name.bytes().all(|octet| matches!(octet, 33..=57 | 59..=126))
}

/// Whether this is the type of a file, `type/subtype` (RFC 6838 §4.2), that can be sent in base64: one that is made of
/// parts itself cannot (RFC 2046 §5.1, §5.2.1).
pub fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let good = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&octet);
        (1..=127).contains(&name.len()) && name.bytes().all(good)
    };
    text.split_once('/').is_some_and(|(kind, subtype)| {
        let is_composite = ["multipart", "message"].iter().any(|one| kind.eq_ignore_ascii_case(one));
        is_name(kind) && is_name(subtype) && !is_composite
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    #[test]
    fn parts_are_read_as_they_were_written() {
        let file = [0u8, 255, 13, 10, 46];
        let parts = Composition {
            from: Mailbox { name: Some("Épicerie, la bonne"), address: "shop@example.com" },
            to: vec![
                Mailbox { name: None, address: "a@example.net" },
                Mailbox { name: Some("Zoë"), address: "z@example.net" },
            ],
            cc: vec![Mailbox { name: None, address: "c@example.net" }],
            reply_to: vec![Mailbox { name: None, address: "help@example.com" }],
            subject: "Votre reçu n° 7 : merci !",
            fields: vec![("List-Unsubscribe", "<https://example.com/u>"), ("X-Note", "déjà vu")],
            text: Some("Bonjour,\n.\nà bientôt\n"),
            html: Some("<p>Bonjour,</p><img src=\"cid:logo\">"),
            files: vec![
                File { name: "reçu.pdf", media_type: "application/pdf", octets: &file, content_id: None },
                File { name: "notes.txt", media_type: "text/plain", octets: b"a\rb\0c\nd", content_id: None },
                File { name: "logo.png", media_type: "image/png", octets: &file, content_id: Some("logo") },
            ],
            seconds: 1_800_000_000,
            message_id: "01A@example.com",
        };
        let content = write(&parts).unwrap();
        assert!(content.is_ascii());
        assert!(content.split(|octet| *octet == b'\n').all(|line| line.len() <= 998));
        let read = MessageParser::default().parse(&content).unwrap();
        let from = read.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Épicerie, la bonne"), Some("shop@example.com")));
        assert_eq!(read.to().unwrap().iter().map(|to| to.address().unwrap()).collect::<Vec<_>>().len(), 2);
        assert_eq!(read.subject(), Some("Votre reçu n° 7 : merci !"));
        assert_eq!(read.message_id(), Some("01A@example.com"));
        assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), "Bonjour,\n.\nà bientôt\n");
        assert!(read.body_html(0).unwrap().contains("Bonjour"));
        let files: Vec<_> = read.attachments().map(|part| (part.attachment_name(), part.contents().to_vec())).collect();
        assert_eq!(files[0], (Some("reçu.pdf"), file.to_vec()));
        assert_eq!(files[1], (Some("notes.txt"), b"a\rb\0c\nd".to_vec()));
        assert_eq!(files[2].1, file);
        assert_eq!(read.header_raw("List-Unsubscribe").map(str::trim), Some("<https://example.com/u>"));
    }

    #[test]
    fn names_of_fields_and_types_are_checked() {
        assert!(["X-Campaign", "List-Id", "a"].iter().all(|name| is_field_name(name)));
        assert!(["", "X Campaign", "X:Y", "X\r\nBcc", "Sujét"].iter().all(|name| !is_field_name(name)));
        assert!(["text/csv", "application/vnd.ms-excel", "image/svg+xml"].iter().all(|text| is_media_type(text)));
        for text in ["", "text", "text/", "a/b; c=d", "text/x\r\nBcc: y", "multipart/mixed", "Message/rfc822", "a/b/c"]
        {
            assert!(!is_media_type(text), "{text}");
        }
    }
}
