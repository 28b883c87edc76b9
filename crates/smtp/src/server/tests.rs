//! The machine in memory: dialogues, answers, ends, and any split of the input.
#![allow(clippy::unwrap_used)]

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

const LIMIT: u64 = 100;

fn settings() -> Settings {
    Settings {
        service: Service::Submission,
        hostname: "relay.example".to_owned(),
        recipients_max: 3,
        message_octets_max: LIMIT,
        messages_max: 4,
        errors_max: 5,
        authentication_failures_max: 2,
    }
}

/// Answers as a driver would, by what stands in the question.
fn decide(question: &Question) -> Answer {
    let refuse = |text: &str, code: u16, error: bool| {
        let reply = Reply { code, enhanced: None, lines: vec![text.to_owned().into()], reference: None };
        Answer::No { reply, error }
    };
    let by_name = |name: &str| match name {
        "refuse" => refuse("refused", 550, false),
        "error" => refuse("error", 550, true),
        "close" => Answer::Close(replies::session_revoked()),
        _ => Answer::Yes,
    };
    match question {
        Question::Authenticate { username, secret, .. } => match secret.expose() {
            b"pass" => by_name(username),
            _ => Answer::No { reply: replies::auth_invalid(), error: true },
        },
        Question::ReversePath { parameters: MailParameters { priority: Some(9), .. }, .. } => Answer::YesAt(-4),
        Question::ReversePath { path: ReversePath::Null, .. } => Answer::Yes,
        Question::ReversePath { path: ReversePath::Mailbox(address), .. } => by_name(address.local()),
        Question::ForwardPath { path, .. } => by_name(path.local()),
        Question::Begin => Answer::Yes,
        Question::Accept { octets } => Answer::Queued(octets.to_string()),
    }
}

/// Feeds `wire` in pieces and writes down what the machine said and did, one line each; content in one.
fn play(session: &mut Session, wire: &[u8], sizes: &[usize]) -> Vec<String> {
    let (mut input, mut log, mut content) = (BytesMut::new(), Vec::new(), Vec::new());
    let (mut rest, mut sizes) = (wire, sizes.iter().cycle());
    loop {
        let step = session.step(&mut input);
        if !content.is_empty() && !matches!(step, Step::Content(_) | Step::Read) {
            log.push(format!("content {:?}", String::from_utf8_lossy(&content)));
            content.clear();
        }
        match step {
            Step::Read if rest.is_empty() => return log,
            Step::Read => {
                let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                input.extend_from_slice(now);
                rest = later;
            }
            Step::Send { reply, .. } => log.push(reply.to_string()),
            Step::Ask(question) => session.answer(decide(&question)),
            Step::Content(octets) => content.extend_from_slice(&octets),
            Step::Abandon => log.push("abandon".to_owned()),
            Step::StartTls => {
                // what stands in the same read is lost; what was not read yet is the handshake's
                assert!(input.is_empty());
                log.push("handshake".to_owned());
                session.on_tls();
            }
            Step::Close => {
                log.push("close".to_owned());
                return log;
            }
        }
    }
}

fn codes(log: &[String]) -> Vec<&str> {
    log.iter().map(|line| if line.starts_with(char::is_numeric) { &line[..3] } else { line.as_str() }).collect()
}

fn plain(username: &str, password: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{username}\0{password}")))
}

/// A session that has logged in, its first replies checked.
fn logged_in() -> Session {
    let mut session = Session::new(settings(), Security::Tls);
    let log = play(&mut session, format!("EHLO client\r\n{}", plain("user", "pass")).as_bytes(), &[1000]);
    assert_eq!(codes(&log), ["220", "250", "235"]);
    session
}

/// What a logged-in session says to `wire`.
fn said(wire: &str) -> Vec<String> {
    play(&mut logged_in(), wire.as_bytes(), &[10_000])
}

const ENVELOPE: &str = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

#[test]
fn ehlo_lists_what_works() {
    let mut session = Session::new(settings(), Security::Clear);
    let clear = play(&mut session, b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b.c>\r\n", &[100]);
    let keywords =
        "PIPELINING SIZE 100 8BITMIME SMTPUTF8 ENHANCEDSTATUSCODES DSN MT-PRIORITY CHUNKING LIMITS RCPTMAX=3 MAILMAX=4";
    let ehlo = format!("250 relay.example {keywords}");
    // the command pipelined behind STARTTLS is not looked at
    let expected = ["220 relay.example ESMTP Envoi".to_owned(), format!("{ehlo} STARTTLS")];
    assert_eq!(clear[..2], expected);
    assert_eq!(clear[2..], ["220 2.0.0 Ready to start TLS", "handshake"]);
    assert_eq!(session.client_name(), None);
    assert_eq!(play(&mut session, b"EHLO x\r\n", &[100]), [format!("{ehlo} REQUIRETLS AUTH PLAIN LOGIN")]);
    assert_eq!(session.protocol(), "ESMTPS");
}

#[test]
fn nothing_goes_in_the_clear() {
    let mut session = Session::new(Settings { errors_max: 100, ..settings() }, Security::Clear);
    let wire =
        "EHLO x\r\nMAIL FROM:<a@b.c>\r\nVRFY x\r\nXYZZY\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\nNOOP\r\nHELP\r\nDATA\r\n";
    let log = play(&mut session, wire.as_bytes(), &[3]);
    assert_eq!(codes(&log[1..]), ["250", "530", "530", "530", "530", "250", "250", "214", "530"]);
    let mut input = BytesMut::from(plain("user", "pass").as_bytes());
    let Step::Send { reply, about } = session.step(&mut input) else { panic!("no reply") };
    assert_eq!((reply.code, about), (538, About::Username("user".to_owned())));
}

#[test]
fn one_message_by_data_and_one_by_bdat() {
    let log = said(&format!(
        "{ENVELOPE}DATA\r\n..a\nb\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT 3\r\n.a\nBDAT 1 LAST\r\nb"
    ));
    assert_eq!(
        log,
        [
            "250 2.1.0 Ok",
            "250 2.1.5 Ok",
            "354 End data with <CR><LF>.<CR><LF>",
            "content \".a\\r\\nb\\r\\n\"",
            "250 2.0.0 Ok: queued as 6",
            "250 2.1.0 Ok",
            "250 2.1.5 Ok",
            "content \".a\\r\\n\"",
            "250 2.0.0 3 octets received",
            "content \"b\\r\\n\"",
            "250 2.0.0 Ok: queued as 4",
        ]
    );
}

#[test]
fn every_end_without_acceptance_is_an_abandon() {
    for (end, expected) in [
        ("RSET\r\n", vec!["250", "abandon"]),
        ("EHLO again\r\n", vec!["250", "abandon"]),
        ("QUIT\r\n", vec!["221", "abandon", "close"]),
        ("BDAT 201\r\n", vec!["552", "abandon", "close"]),
        ("RCPT TO:<close@d.example>\r\n", vec!["421", "abandon", "close"]),
    ] {
        assert_eq!(codes(&said(&format!("{ENVELOPE}{end}"))[2..]), expected, "{end}");
    }
}

#[test]
fn content_over_the_limit_is_read_on_and_over_twice_the_limit_is_not() {
    let body = |octets: usize| format!("{ENVELOPE}DATA\r\n{}\r\n.\r\nNOOP\r\n", "x".repeat(octets - 2));
    let just = said(&body(100));
    assert!(just.contains(&"250 2.0.0 Ok: queued as 100".to_owned()));
    let over = said(&body(101));
    assert_eq!(codes(&over[over.len() - 3..]), ["552", "abandon", "250"]);
    let mut session = logged_in();
    let log = play(&mut session, body(202).as_bytes(), &[7]);
    assert_eq!(codes(&log[log.len() - 3..]), ["552", "abandon", "close"]);
    let declared = said("MAIL FROM:<a@b.example> SIZE=101\r\nMAIL FROM:<a@b.example> SIZE=100\r\n");
    assert_eq!(codes(&declared), ["552", "250"]);
    let chunks = said(&format!("{ENVELOPE}BDAT 60\r\n{0}BDAT 60\r\n{0}BDAT 2 LAST\r\nx\nNOOP\r\n", "x".repeat(60)));
    assert_eq!(codes(&chunks[3..]), ["250", "552", "abandon", "503", "250"]);
}

#[test]
fn bdat_in_every_order() {
    for (wire, expected) in [
        ("BDAT 4\r\nRSETNOOP\r\n", vec!["503", "250"]),
        ("MAIL FROM:<a@b.c>\r\nBDAT 2 LAST\r\nxxNOOP\r\n", vec!["250", "503", "250"]),
        (
            "MAIL FROM:<a@b.c>\r\nRCPT TO:<x>\r\nBDAT 2 LAST\r\nxxMAIL FROM:<>\r\n",
            vec!["250", "501", "554", "abandon", "250"],
        ),
        ("BDAT x\r\nBDAT\r\nBDAT 2 FIRST\r\nxx", vec!["501", "501", "501"]),
    ] {
        assert_eq!(codes(&said(wire)), expected, "{wire}");
    }
    let within = said(&format!(
        "{ENVELOPE}BDAT 2\r\nxxDATA\r\nRCPT TO:<x@y.example>\r\nMAIL FROM:<>\r\nBDAT 0 LAST\r\nBDAT 1\r\nx"
    ));
    assert_eq!(codes(&within[3..]), ["250", "503", "503", "503", "content \"\\r\\n\"", "250", "503"]);
    let empty = said(&format!("{ENVELOPE}BDAT 0 LAST\r\n"));
    assert_eq!(empty[2..], ["250 2.0.0 Ok: queued as 0"]);
}

#[test]
fn a_refused_beginning_still_swallows_its_chunk() {
    let mut session = logged_in();
    let mut input = BytesMut::from(format!("{ENVELOPE}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n").as_bytes());
    let mut log = Vec::new();
    loop {
        match session.step(&mut input) {
            Step::Ask(Question::Begin) => session.answer(Answer::No { reply: replies::all_or_nothing(), error: false }),
            Step::Ask(_) => session.answer(Answer::Yes),
            Step::Send { reply, .. } => log.push(reply.to_string()),
            Step::Abandon => log.push("abandon".to_owned()),
            Step::Read => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(codes(&log), ["250", "250", "554", "abandon", "250"]);
}

#[test]
fn what_was_pipelined_behind_a_refusal_is_no_error() {
    let behind = "RCPT TO:<c@d.example>\r\n".repeat(3) + "DATA\r\n";
    let log = said(&format!("MAIL FROM:<refuse@b.example>\r\n{behind}NOOP\r\n{behind}"));
    // excused up to a whole envelope, then counted: four errors, and none of them the fifth
    assert_eq!(codes(&log), ["550", "503", "503", "503", "503", "250", "503", "503", "503", "503"]);
    let none = said("MAIL FROM:<a@b.example>\r\nRCPT TO:<refuse@d.example>\r\nDATA\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(codes(&none), ["250", "550", "554", "abandon", "250"]);
}

#[test]
fn limits_end_what_they_should() {
    let fourth = said(&format!("MAIL FROM:<a@b.example>\r\n{}", "RCPT TO:<c@d.example>\r\n".repeat(5)));
    assert_eq!(codes(&fourth), ["250", "250", "250", "250", "452", "452"]);
    let errors = said(&"XYZZY\r\n".repeat(9));
    assert_eq!(codes(&errors), ["500", "500", "500", "500", "500", "421", "close"]);
    let messages = said(&"MAIL FROM:<a@b.example>\r\nRSET\r\n".repeat(5));
    assert_eq!(codes(&messages)[12..], ["421", "close"]);
    let mut session = Session::new(settings(), Security::Tls);
    let wire = format!("EHLO x\r\n{}{}NOOP\r\n", plain("a", "x"), plain("b", "x"));
    assert_eq!(codes(&play(&mut session, wire.as_bytes(), &[9])), ["220", "250", "535", "535", "421", "close"]);
}

#[test]
fn a_handshake_is_told_only_at_the_very_beginning() {
    let mut session = Session::new(settings(), Security::Clear);
    let mut input = BytesMut::from(&b"NOOP\r\n\x16\r\n"[..]);
    let mut said = Vec::new();
    while let Step::Send { reply, .. } = session.step(&mut input) {
        said.push(reply.code);
    }
    assert_eq!(said, [220, 250, 500]);
}

#[test]
fn strange_openings_are_closed() {
    for (wire, reply) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "not-http"),
        (b"\x16\x03\x01\x02\x00", "not-tls"),
        (b"EHLO x\nSTARTTLS\n", "bare-line-feed"),
    ] {
        let mut session = Session::new(settings(), Security::Clear);
        let mut input = BytesMut::from(wire);
        let _greeting = session.step(&mut input);
        let Step::Send { reply: said, .. } = session.step(&mut input) else { panic!("no reply") };
        assert_eq!(said.reference, Some(reply));
        assert!(matches!(session.step(&mut input), Step::Close));
    }
}

#[test]
fn ends_take_effect_when_they_should() {
    let mut greeted = Session::new(settings(), Security::Clear);
    greeted.end(replies::sessions_address(), When::Now);
    assert_eq!(codes(&play(&mut greeted, b"EHLO x\r\n", &[9])), ["421", "close"]);

    let mut revoked = logged_in();
    revoked.end(replies::session_revoked(), When::NextCommand);
    assert!(play(&mut revoked, b"", &[9]).is_empty());
    assert_eq!(codes(&play(&mut revoked, b"NOOP\r\n", &[9])), ["421", "close"]);

    let mut receiving = logged_in();
    assert_eq!(play(&mut receiving, format!("{ENVELOPE}DATA\r\nx\r\n").as_bytes(), &[99]).len(), 3);
    receiving.end(replies::session_revoked(), When::NextCommand);
    let log = play(&mut receiving, b".\r\n", &[9]);
    assert_eq!(codes(&log), ["421", "abandon", "close"]);

    let mut leaving = logged_in();
    play(&mut leaving, format!("{ENVELOPE}DATA\r\nx\r\n").as_bytes(), &[99]);
    leaving.end(replies::shutting_down(), When::BetweenTransactions);
    assert_eq!(codes(&play(&mut leaving, b".\r\nNOOP\r\n", &[9])), ["250", "421", "close"]);

    let mut idle = logged_in();
    idle.end(replies::shutting_down(), When::BetweenTransactions);
    assert_eq!(codes(&play(&mut idle, b"", &[9])), ["421", "close"]);

    let mut polite = logged_in();
    polite.end(replies::session_revoked(), When::NextCommand);
    assert_eq!(codes(&play(&mut polite, b"QUIT\r\n", &[9])), ["221", "close"]);
}

#[test]
fn patience_is_that_of_the_phase() {
    let mut session = logged_in();
    assert_eq!(session.patience(), COMMAND_PATIENCE);
    play(&mut session, format!("{ENVELOPE}DATA\r\n").as_bytes(), &[99]);
    assert_eq!(session.patience(), CONTENT_PATIENCE);
    assert_eq!(session.protocol(), "ESMTPSA");
}

fn command() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("EHLO client.example\r\n".to_owned()),
        Just("HELO client\r\n".to_owned()),
        Just("RSET\r\n".to_owned()),
        Just("NOOP\r\n".to_owned()),
        Just("STARTTLS\r\n".to_owned()),
        Just("AUTH LOGIN dXNlcg==\r\n".to_owned()),
        Just("cGFzcw==\r\n".to_owned()),
        Just(plain("user", "pass")),
        Just("MAIL FROM:<a@b.example>\r\n".to_owned()),
        Just("MAIL FROM:<refuse@b.example>\r\n".to_owned()),
        Just("RCPT TO:<c@d.example>\r\n".to_owned()),
        Just("RCPT TO:<error@d.example>\r\n".to_owned()),
        Just("DATA\r\nSubject: x\r\n\r\n..x\n.\r\ny\r\n.\r\n".to_owned()),
        Just("BDAT 5\r\na\r\n.\r".to_owned()),
        Just("BDAT 3 LAST\r\n\n.\r".to_owned()),
        Just("BDAT 0 LAST\r\n".to_owned()),
        Just(ENVELOPE.to_owned()),
        "[ -~]{0,12}\r\n",
        "[\\x00-\\x7f]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn any_split_gives_the_same_dialogue(
        commands in prop::collection::vec(command(), 1..25),
        sizes in prop::collection::vec(1usize..9, 1..9),
        login in any::<bool>(),
    ) {
        let settings = Settings { errors_max: 12, ..settings() };
        let start = if login { format!("EHLO x\r\n{}", plain("user", "pass")) } else { String::new() };
        let wire = start + &commands.concat();
        let mut whole = Session::new(settings.clone(), Security::Tls);
        let mut split = Session::new(settings, Security::Tls);
        prop_assert_eq!(play(&mut whole, wire.as_bytes(), &[1 << 20]), play(&mut split, wire.as_bytes(), &sizes));
    }

    #[test]
    fn an_abandon_or_an_acceptance_ends_each_transaction(commands in prop::collection::vec(command(), 1..25)) {
        let wire = format!("EHLO x\r\n{}{}QUIT\r\n", plain("user", "pass"), commands.concat());
        let mut session = Session::new(Settings { errors_max: 50, ..settings() }, Security::Tls);
        let log = play(&mut session, wire.as_bytes(), &[5]);
        let mut open = false;
        for line in &log {
            if line == "250 2.1.0 Ok" {
                prop_assert!(!open, "{log:?}");
                open = true;
            } else if line == "abandon" || line.contains("queued as") {
                prop_assert!(open, "{log:?}");
                open = false;
            }
        }
        prop_assert!(!open || log.last().is_some_and(|line| line != "close"), "{log:?}");
    }
}

#[test]
fn a_chunk_that_could_not_be_taken_ends_its_message() {
    // a client that pipelines has sent the next chunk already: content with a hole is never accepted
    for bad in ["BDAT 4 LSAT\r\nlost", "BDAT x\r\n"] {
        let log = said(&format!("{ENVELOPE}BDAT 2\r\na\n{bad}BDAT 2 LAST\r\nb\nNOOP\r\n"));
        let log = log.iter().filter(|line| !line.starts_with("content")).cloned().collect::<Vec<_>>();
        assert_eq!(codes(&log), ["250", "250", "250", "501", "abandon", "503", "250"], "{bad}");
    }
}

#[test]
fn the_rest_of_a_transaction_may_be_refused() {
    let mut session = logged_in();
    play(&mut session, ENVELOPE.as_bytes(), &[1000]);
    session.refuse_rest();
    let rest = "RCPT TO:<c@d.example>\r\nRCPT TO:<mario@gmail>\r\nRCPT TO:\r\nDATA\r\n";
    let log = play(&mut session, rest.as_bytes(), &[1000]);
    assert_eq!(codes(&log), ["554", "554", "554", "554", "abandon"]);
    let log = play(&mut session, format!("{ENVELOPE}DATA\r\n").as_bytes(), &[1000]);
    assert_eq!(codes(&log), ["250", "250", "354"]);
}

#[test]
fn numbers_that_no_computer_holds() {
    let log = said("MAIL FROM:<a@b.example> SIZE=99999999999999999999\r\nNOOP\r\n");
    assert_eq!(codes(&log), ["552", "250"]);
    for octets in ["18446744073709551615", "99999999999999999999"] {
        let log = said(&format!("{ENVELOPE}BDAT 2\r\na\nBDAT {octets} LAST\r\nb"));
        assert_eq!(codes(&log)[2..], ["content \"a\\r\\n\"", "250", "552", "abandon", "close"], "{octets}");
    }
}

#[test]
fn reports_are_taken_in_the_clear_and_nobody_logs_in() {
    for (security, keyword) in [(Security::Clear, "STARTTLS"), (Security::Tls, "CHUNKING")] {
        let settings = Settings { service: Service::Reports, ..settings() };
        let mut session = Session::new(settings, security);
        let wire =
            "EHLO x\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nx\r\n.\r\n";
        let log = play(&mut session, wire.as_bytes(), &[7]);
        let text = log.join("\n");
        assert!(text.contains(keyword) && !text.contains("AUTH PLAIN"), "{text}");
        assert!(text.contains("502 5.5.1") && text.contains("250 2.1.5") && text.contains("354 "), "{text}");
    }
}

/// What was asked in a transaction, as the driver was asked about it.
fn asked(wire: &str) -> Vec<String> {
    let (mut session, mut input, mut all) = (logged_in(), BytesMut::from(wire), Vec::new());
    loop {
        match session.step(&mut input) {
            Step::Read => return all,
            Step::Ask(question) => {
                match &question {
                    Question::ReversePath { parameters, .. } => {
                        all.push(format!("{:?} {:?}", parameters.ret, parameters.envid));
                    }
                    Question::ForwardPath { parameters, .. } => {
                        let notify = parameters.notify.map(|notify| notify.to_string());
                        all.push(format!("{notify:?} {:?}", parameters.orcpt));
                    }
                    _ => {}
                }
                session.answer(decide(&question));
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_asked_about_notifications_is_told_with_each_path_and_forgotten_with_the_transaction() {
    let mail = "MAIL FROM:<a@b.example> RET=hdrs ENVID=Q+2B1\r\n";
    let rcpt = "RCPT TO:<c@d.example> NOTIFY=delay,success ORCPT=rfc822;C@d.example\r\nRCPT TO:<e@d.example>\r\n";
    let first = ["Some(Headers) Some(\"Q+2B1\")", "Some(\"SUCCESS,DELAY\") Some(\"rfc822;C@d.example\")", "None None"];
    // pipelined, by DATA, by BDAT, after RSET: each transaction by itself
    for end in ["DATA\r\nx\r\n.\r\n", "BDAT 3 LAST\r\nx\r\n", "RSET\r\n"] {
        let found = asked(&format!("{mail}{rcpt}{end}{ENVELOPE}"));
        assert_eq!(found[..3], first, "{end}");
        assert_eq!(found[3..], ["None None", "None None"], "{end}");
    }
}

#[test]
fn a_bad_notification_parameter_refuses_its_command_alone() {
    let log = said(
        "MAIL FROM:<a@b.example> RET=SOME\r\nMAIL FROM:<a@b.example> RET=FULL\r\nRCPT TO:<c@d.example> NOTIFY=NEVER,DELAY\r\n\
         RCPT TO:<c@d.example> NOTIFY=NEVER\r\nRCPT TO:<c@d.example> ORCPT=c@d.example\r\n",
    );
    assert_eq!(
        log,
        [
            "501 5.5.4 Bad value of parameter RET",
            "250 2.1.0 Ok",
            "501 5.5.4 Bad value of parameter NOTIFY",
            "250 2.1.5 Ok",
            "501 5.5.4 Bad value of parameter ORCPT",
        ]
    );
}

#[test]
fn another_priority_than_was_asked_for_is_told() {
    let log = said(
        "MAIL FROM:<a@b.example> MT-PRIORITY=9\r\nRCPT TO:<c@d.example>\r\nRSET\r\nMAIL FROM:<a@b.example> MT-PRIORITY=3\r\n",
    );
    assert_eq!(log[0], "250 2.3.6 -4 is the priority that this message gets here");
    assert_eq!(log[1..], ["250 2.1.5 Ok", "250 2.0.0 Ok", "abandon", "250 2.1.0 Ok"]);
}
