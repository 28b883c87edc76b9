//! AUTH with a next hop: which mechanism, when, and what is said where it is refused.

use super::*;

/// `NUL user NUL pass` in base64, and the two alone.
const PLAIN: &str = "AHVzZXIAcGFzcw==";
const USERNAME: &str = "dXNlcg==";
const PASSWORD: &str = "cGFzcw==";

fn login(in_clear: bool) -> Option<Login> {
    Some(Login { username: "user".into(), password: Secret::new(b"pass".to_vec()), in_clear })
}

fn peer(tls: Tls, login: Option<Login>, script: &[(&str, &str)]) -> Peer {
    let mut peer = Peer::new(tls, "220 hub.example ESMTP\r\n", script);
    let settings = Settings { hostname: "relay.example".into(), tls, login, patience: Patience::STANDARD };
    peer.conversation = Conversation::new(settings);
    peer
}

/// What comes of the opening under TLS from the first octet, with this list of mechanisms and this dialogue behind it.
fn opened(mechanisms: &str, dialogue: &[(&str, &str)]) -> Stop {
    let hello = format!("250-hub.example\r\n250 AUTH {mechanisms}\r\n");
    let script = [&[(EHLO, hello.as_str())][..], dialogue].concat();
    let mut peer = peer(Tls::Implicit, login(false), &script);
    let stop = peer.run();
    assert!(peer.script.is_empty(), "not said: {:?}", peer.script);
    stop
}

fn refused(stop: &Stop, why: &str) -> bool {
    matches!(stop, Stop::Refused(Found::Failed(Fault::Login(told))) if told.contains(why))
}

#[test]
fn plain_goes_before_login_and_login_where_there_is_no_plain() {
    let plain = format!("AUTH PLAIN {PLAIN}\r\n");
    assert_eq!(opened("CRAM-MD5 LOGIN PLAIN", &[(&plain, "235 2.7.0 welcome\r\n")]), Stop::Ready);
    let (username, password) = (format!("{USERNAME}\r\n"), format!("{PASSWORD}\r\n"));
    let by_login = [
        ("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"),
        (username.as_str(), "334 UGFzc3dvcmQ6\r\n"),
        (password.as_str(), "235 ok\r\n"),
    ];
    assert_eq!(opened("LOGIN", &by_login), Stop::Ready);
    // offered, and not known when it comes to it
    let first = [(plain.as_str(), "504 5.5.4 what\r\n")];
    assert_eq!(opened("PLAIN LOGIN", &[&first[..], &by_login[..]].concat()), Stop::Ready);
}

#[test]
fn a_response_that_is_too_long_for_a_command_waits_for_the_challenge() {
    let long = Login { username: "u".repeat(400), password: Secret::new(b"p".to_vec()), in_clear: false };
    let hello = "250-hub.example\r\n250 AUTH PLAIN\r\n";
    let mut peer = peer(Tls::Implicit, Some(long), &[(EHLO, hello), ("AUTH PLAIN\r\n", "")]);
    assert_eq!(peer.run(), Stop::Silence);
    peer.said.extend_from_slice(b"334 \r\n");
    let Step::Read = peer.conversation.step(&mut peer.input) else { panic!("nothing was said") };
    peer.input.extend_from_slice(&std::mem::take(&mut peer.said));
    let Step::Write(response) = peer.conversation.step(&mut peer.input) else { panic!("the response is awaited") };
    assert!(response.starts_with(b"AHV1dXV1") && response.len() > 512);
}

#[test]
fn whatever_refuses_the_login_is_no_verdict_about_mail() {
    let plain = format!("AUTH PLAIN {PLAIN}\r\n");
    for reply in ["535 5.7.8 no\r\n", "454 4.7.0 not now\r\n", "421 4.7.0 bye\r\n", "504 5.5.4 what\r\n", "530 tls\r\n"]
    {
        let why = format!("refused it: {}", reply.trim_end());
        assert!(refused(&opened("PLAIN", &[(&plain, reply)]), &why), "{reply}");
    }
    for odd in ["334 \r\n", "354 go\r\n"] {
        assert!(refused(&opened("PLAIN", &[(&plain, odd)]), "out of turn"), "{odd}");
    }
    assert!(refused(&opened("LOGIN", &[("AUTH LOGIN\r\n", "235 already\r\n")]), "out of turn"));
    assert!(refused(&opened("CRAM-MD5 XOAUTH2", &[]), "offers neither AUTH PLAIN nor AUTH LOGIN"));
}

#[test]
fn nothing_of_it_is_said_in_the_clear_unless_that_is_allowed() {
    let hello = "250-hub.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
    let not_encrypted = "the connection is not encrypted";
    assert!(refused(&peer(Tls::Never, login(false), &[(EHLO, hello)]).run(), not_encrypted));
    let no_tls = "250-hub.example\r\n250 AUTH PLAIN\r\n";
    assert!(refused(&peer(Tls::Opportunistic, login(false), &[(EHLO, no_tls)]).run(), not_encrypted));
    let refusing = [(EHLO, hello), ("STARTTLS\r\n", "454 4.7.0 not now\r\n")];
    assert!(refused(&peer(Tls::Opportunistic, login(false), &refusing).run(), not_encrypted));
    let plain = format!("AUTH PLAIN {PLAIN}\r\n");
    let mut allowed = peer(Tls::Never, login(true), &[(EHLO, hello), (&plain, "235 ok\r\n")]);
    assert_eq!(allowed.run(), Stop::Ready);
    // what was offered before TLS does not count
    let script = [(EHLO, hello), ("STARTTLS\r\n", "220 go\r\n"), (EHLO, "250 hub.example\r\n")];
    let mut under_tls = peer(Tls::Required, login(false), &script);
    assert_eq!(under_tls.run(), Stop::StartTls);
    under_tls.conversation.on_tls();
    assert!(refused(&under_tls.run(), "offers neither"));
}

#[test]
fn the_password_is_never_printed() {
    let mut peer =
        peer(Tls::Implicit, login(false), &[(EHLO, "250-hub\r\n250 AUTH LOGIN\r\n"), ("AUTH LOGIN\r\n", "")]);
    assert_eq!(peer.run(), Stop::Silence);
    let printed = format!("{:?} {:?}", peer.conversation, login(false));
    assert!(printed.contains("[secret]") && !printed.contains("pass\"") && !printed.contains(PASSWORD), "{printed}");
}
