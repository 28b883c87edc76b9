//! An alphabet of phrases: octets above 127 stand for what peers say, so that a fuzzer speaks from its first try.

/// What SMTP clients say.
pub const SMTP: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n..\r\n",
    b"EHLO a.example\r\n",
    b"HELO a\r\n",
    b"STARTTLS\r\n",
    b"AUTH PLAIN AHUAcA==\r\n",
    b"AUTH PLAIN\r\n",
    b"AHUAcA==\r\n",
    b"AUTH LOGIN\r\n",
    b"AUTH LOGIN dQ==\r\n",
    b"dQ==\r\n",
    b"*\r\n",
    b"MAIL FROM:<a@b.example>",
    b"MAIL FROM:<a@b.example>\r\n",
    b"MAIL FROM:<>\r\n",
    b" SIZE=100",
    b" SIZE=999",
    b" BODY=8BITMIME",
    b" SMTPUTF8",
    b" AUTH=<>",
    b"RCPT TO:<c@d.example>\r\n",
    b"RCPT TO:<c@[192.0.2.1]>\r\n",
    b"RCPT TO:<\"q> \\\" t\"@d.example>\r\n",
    b"DATA\r\n",
    b"BDAT 5\r\nhello",
    b"BDAT 3 LAST\r\nabc",
    b"BDAT 0 LAST\r\n",
    b"BDAT 300\r\n",
    b"BDAT 18446744073709551615\r\n",
    b"BDAT ",
    b" LAST\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY x\r\n",
    b"EXPN x\r\n",
    b"HELP\r\n",
    b"QUIT\r\n",
    b"GET / HTTP/1.1\r\n",
    b"From: a@b.example\r\n\r\n",
    b"\0",
    b"\t",
    b"\xFF",
    b"\xC3\xA9",
    b"\x16\x03\x01",
    // lines about as long as the limits
    &[b'x'; 500],
    &[b'x'; 2_040],
    &[b'A'; 12_280],
];

/// What ends lines, and what only seems to.
pub const LINE_ENDS: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"\r\n.",
    b".\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\r\n..\r\n",
    b"\r\n.\r\r\n",
    b"\r\n\0.\r\n",
    b"\0",
    b"\xFF",
    b"text",
];

/// What header sections are made of.
pub const HEADER: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"From: a@b.example\r\n",
    b"From : \"a\" <a@b.example>\r\n",
    b"From a@b.example Mon Nov 23 21:30:41 2026\r\n",
    b">From x\r\n",
    b"Bcc: x@y.example\r\n",
    b"bcc :x\r\n\t,y\r\n",
    b"Resent-Bcc: x\r\n",
    b"Return-Path: <x>\r\n",
    b"Date: Mon, 23 Nov 2026 21:30:41 +0000\r\n",
    b"Message-ID: <a@b>\r\n",
    b"Received: by x\r\n",
    b"Subject: ",
    b"=?utf-8?Q?a=C3=A9?=",
    b"=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=",
    b"=?x?b?",
    b"Sender: a@b.example\r\n",
    b"X: ",
    b" ",
    b"\t",
    b": ",
    b"<a@b.example>",
    b"(comment (nested) \\))",
    b"Group: a@b.example, c@d.example;",
    b"\"quoted \\\" @\"",
    b"@[192.0.2.1]",
    b",",
    b";",
    b"\0",
    b"\xFF",
    b"\xC3\xA9",
    b"--",
    b"body\r\n",
];

/// The octets with each one above 127 replaced by its phrase; those without a phrase stay.
pub fn spoken(octets: &[u8], phrases: &[&[u8]]) -> Vec<u8> {
    let mut said = Vec::with_capacity(octets.len());
    for octet in octets {
        match octet.checked_sub(128).and_then(|place| phrases.get(usize::from(place))) {
            Some(phrase) => said.extend_from_slice(phrase),
            None => said.push(*octet),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_above_127_are_phrases_where_there_is_one() {
        assert_eq!(spoken(b"a\x80b\xFF", SMTP), b"a\r\nb\xFF");
        for phrases in [SMTP, LINE_ENDS, HEADER] {
            assert!(phrases.len() < 128);
        }
    }
}
