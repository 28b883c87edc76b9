//! SMTP as it is spoken: one transaction of a session that has logged in, and one address.

use anyhow::bail;
use bytes::BytesMut;
use smtp::address::Address;
use smtp::server::{Answer, Question, Security, Service, Session, Settings, Step};
use std::hint::black_box;
use std::path::Path;

use crate::letter::content;

/// A transaction of 10 KB and one recipient, octets to replies, without TLS, store or decisions.
pub(crate) fn session(count: usize, _: &Path) -> anyhow::Result<()> {
    let settings = Settings {
        service: Service::Submission,
        hostname: "relay.example".into(),
        recipients_max: 50,
        message_octets_max: 20_971_520,
        messages_max: u32::MAX,
        errors_max: 20,
        authentication_failures_max: 3,
    };
    let mut session = Session::new(settings, Security::Tls);
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    hear(&mut session, b"", &mut input, &mut output)?;
    hear(&mut session, b"EHLO client.example\r\n", &mut input, &mut output)?;
    hear(&mut session, b"AUTH PLAIN AHVzZXIAcGFzc3dvcmQ=\r\n", &mut input, &mut output)?;
    let content = [&content()[..], b".\r\n"].concat();
    for _ in 0..count {
        let parts: [&[u8]; 4] =
            [b"MAIL FROM:<shop@example.com>\r\n", b"RCPT TO:<customer@example.net>\r\n", b"DATA\r\n", &content];
        for part in parts {
            hear(&mut session, part, &mut input, &mut output)?;
        }
    }
    Ok(())
}

/// Steps until the session wants more; every question is answered with yes.
fn hear(session: &mut Session, octets: &[u8], input: &mut BytesMut, output: &mut BytesMut) -> anyhow::Result<()> {
    input.extend_from_slice(octets);
    loop {
        match session.step(input) {
            Step::Read => {
                output.clear();
                return Ok(());
            }
            Step::Send { reply, .. } if reply.code < 400 => reply.render(output),
            Step::Content(octets) => drop(black_box(octets)),
            Step::Ask(Question::Accept { .. }) => session.answer(Answer::Queued("01M858A5CV7R6CKZGTARVC9Y0C".into())),
            Step::Ask(_) => session.answer(Answer::Yes),
            other => bail!("the session broke off: {other:?}"),
        }
    }
}

/// An address of usual length.
pub(crate) fn address(count: usize, _: &Path) -> anyhow::Result<()> {
    for _ in 0..count {
        black_box(Address::parse(black_box("first.last+orders@mail.example.com"), false)?);
    }
    Ok(())
}
