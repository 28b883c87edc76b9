//! The mail that brings a report on TLS to the domain that it is about (RFC 8460 §5.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::date;

/// Octets of a line of base64 (RFC 2045 §6.8).
const LINE_OCTETS: usize = 76;

/// Everything that such a mail says. All texts are ASCII without controls.
#[derive(Clone, Copy, Debug)]
pub struct TlsReport<'a> {
    /// The address that it is from; its domain signs.
    pub from: &'a str,
    /// The address that it goes to.
    pub to: &'a str,
    /// The Subject, as RFC 8460 has it: words that may stand on lines of their own.
    pub subject: &'a str,
    /// The domain that it is about.
    pub domain: &'a str,
    /// The domain that reports.
    pub submitter: &'a str,
    /// The day that it is about, `2026-11-30`.
    pub day: &'a str,
    /// The address for questions.
    pub contact: &'a str,
    /// The name of the file.
    pub file_name: &'a str,
    /// The report, compressed by gzip.
    pub gzip: &'a [u8],
    /// When it is written, in seconds since 1970.
    pub seconds: u64,
    /// Message-ID, without angle brackets.
    pub message_id: &'a str,
}

/// The mail as content: 7-bit lines ended by CRLF.
///
/// It asks that no policy about TLS keep it from arriving (RFC 8689 §5): such a policy may be what it tells of.
pub fn compose(report: &TlsReport<'_>) -> Vec<u8> {
    let TlsReport { from, to, domain, submitter, day, contact, file_name, message_id, .. } = report;
    // of letters and digits that no line of base64 or of this text has
    let boundary = format!("=_{}", message_id.split('@').next().unwrap_or_default());
    let subject = folded(report.subject);
    let mut content = format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {}\r\nMessage-ID: <{message_id}>\r\n\
         TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {submitter}\r\nTLS-Required: No\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         How TLS went between the mail servers of {domain}\r\nand those of {submitter}, on {day} (UTC).\r\n\
         The attached report is for programs (RFC 8460). Questions: {contact}\r\n\
         --{boundary}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n\tfilename=\"{file_name}\"\r\n\r\n",
        date::rfc5322(report.seconds)
    );
    let encoded = STANDARD.encode(report.gzip);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, further) = rest.split_at(rest.len().min(LINE_OCTETS));
        content.push_str(line);
        content.push_str("\r\n");
        rest = further;
    }
    content.push_str(&format!("--{boundary}--\r\n"));
    content.into_bytes()
}

/// The Subject, each of its three parts on a line: names of domains may be long.
fn folded(subject: &str) -> String {
    subject.replace(" Submitter:", "\r\n Submitter:").replace(" Report-ID:", "\r\n Report-ID:")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    #[test]
    fn the_mail_is_what_receivers_look_for() {
        let gzip: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let content = compose(&TlsReport {
            from: "tls@relay.example",
            to: "reports@b.example",
            subject: "Report Domain: b.example Submitter: relay.example Report-ID: <1@relay.example>",
            domain: "b.example",
            submitter: "relay.example",
            day: "2026-11-30",
            contact: "tls@relay.example",
            file_name: "relay.example!b.example!1!2!x.json.gz",
            gzip: &gzip,
            seconds: 1_796_000_000,
            message_id: "01A@relay.example",
        });
        assert!(content.is_ascii() && content.split(|octet| *octet == b'\n').all(|line| line.len() < 200));
        let read = MessageParser::default().parse(&content).unwrap();
        let kind = read.content_type().unwrap();
        assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("report")));
        assert_eq!(kind.attribute("report-type"), Some("tlsrpt"));
        let field = |name: &str| read.header_raw(name).map(str::trim).map(str::to_owned);
        assert_eq!(field("TLS-Report-Domain").as_deref(), Some("b.example"));
        assert_eq!(field("TLS-Report-Submitter").as_deref(), Some("relay.example"));
        assert_eq!(field("TLS-Required").as_deref(), Some("No"));
        let subject = "Report Domain: b.example Submitter: relay.example Report-ID: <1@relay.example>";
        assert_eq!(read.subject(), Some(subject));
        let file = read.attachments().next().unwrap();
        let kind = file.content_type().unwrap();
        assert_eq!((kind.ctype(), kind.subtype()), ("application", Some("tlsrpt+gzip")));
        assert_eq!(file.attachment_name(), Some("relay.example!b.example!1!2!x.json.gz"));
        assert_eq!(file.contents(), gzip);
    }
}
