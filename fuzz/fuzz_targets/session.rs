//! Any octets, cut anywhere, to the server's machine: it never panics, always ends, and says the same however they are cut.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use smtp::server::{Answer, Question, Security, Session, Settings, Step};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, octets)) = data.split_first() else { return };
    let whole = dialogue(octets, octets.len().max(1));
    let parts = dialogue(octets, usize::from(cut % 7) + 1);
    assert_eq!(whole, parts, "the dialogue depends on how the octets were cut");
});

/// What the peer would have seen and the driver stored: replies and content in order.
fn dialogue(octets: &[u8], piece_octets: usize) -> Vec<String> {
    let settings = Settings {
        hostname: "relay.test".into(),
        recipients_max: 3,
        message_octets_max: 200,
        messages_max: 3,
        errors_max: 5,
        authentication_failures_max: 3,
    };
    let mut session = Session::new(settings, Security::Tls);
    let (mut heard, mut content, mut input) = (Vec::new(), Vec::new(), BytesMut::new());
    if drain(&mut session, &mut input, &mut heard, &mut content) {
        return heard;
    }
    for piece in octets.chunks(piece_octets) {
        input.extend_from_slice(piece);
        if drain(&mut session, &mut input, &mut heard, &mut content) {
            break;
        }
    }
    heard.push(format!("content so far: {content:?}"));
    heard
}

/// Carries out steps until the machine wants more; true where it ended.
fn drain(session: &mut Session, input: &mut BytesMut, heard: &mut Vec<String>, content: &mut Vec<u8>) -> bool {
    for _ in 0..100_000 {
        match session.step(input) {
            Step::Read => return false,
            Step::Close | Step::StartTls => return true,
            Step::Send { reply, .. } => heard.push(format!("{reply:?}")),
            Step::Content(octets) => content.extend_from_slice(&octets),
            Step::Abandon => {
                heard.push(format!("abandoned {}", content.len()));
                content.clear();
            }
            Step::Ask(question) => {
                if matches!(question, Question::Accept { .. }) {
                    smuggling_free(content);
                    heard.push(format!("message {content:?}"));
                    content.clear();
                    session.answer(Answer::Queued("ID".into()));
                } else {
                    session.answer(Answer::Yes);
                }
            }
        }
    }
    panic!("the machine never asks for more input");
}

/// Admissible content has no bare CR and no bare LF.
fn smuggling_free(content: &[u8]) {
    for (place, octet) in content.iter().enumerate() {
        match octet {
            b'\n' => assert!(place > 0 && content[place - 1] == b'\r', "bare LF"),
            b'\r' => assert!(content.get(place + 1) == Some(&b'\n'), "bare CR"),
            _ => {}
        }
    }
}
