//! Reports as they are written in the wild: their shapes are those of the programs named, the people in them are nobody.

use super::*;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/reports/", $name, ".eml"))
    };
}

/// The recipient, the status and the diagnostic of each that failed.
#[track_caller]
fn failed(content: &[u8]) -> Vec<(Option<String>, Option<String>, String)> {
    let Reading::Status(told) = read(content, true) else { panic!("{:?}", read(content, true)) };
    assert!(told.iter().all(|told| told.action == Action::Failed), "{told:?}");
    told.into_iter().map(|told| (told.original.or(told.recipient), told.status, told.diagnostic)).collect()
}

#[track_caller]
fn one(content: &[u8], recipient: Option<&str>, status: Option<&str>, words: &str) {
    let failed = failed(content);
    let [(named, is, diagnostic)] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((named.as_deref(), is.as_deref()), (recipient, status), "{diagnostic}");
    assert!(diagnostic.contains(words), "{diagnostic}");
}

#[test]
fn notifications_by_the_standard_are_read_field_by_field() {
    let postfix = sample!("postfix-unknown-user");
    one(postfix, Some("anna@example.org"), Some("5.1.1"), "550 5.1.1 <anna@mail.example.org> User unknown");
    let Reading::Status(told) = read(postfix, true) else { panic!() };
    assert_eq!(
        (told[0].server.as_str(), told[0].recipient.as_deref()),
        ("store.example.org", Some("anna@mail.example.org"))
    );
    one(sample!("international"), Some("zoë@example.org"), Some("5.1.1"), "550 No such user");
    let both = failed(sample!("exchange-two-recipients"));
    let named: Vec<_> = both.iter().map(|(named, status, _)| (named.as_deref(), status.as_deref())).collect();
    assert_eq!(named, [(Some("bert@corp.example"), Some("5.1.10")), (Some("clara@corp.example"), Some("5.2.2"))]);
}

#[test]
fn what_is_no_failure_is_told_as_what_it_is() {
    for (content, action) in [(&sample!("postfix-delayed")[..], Action::Delayed), (sample!("success"), Action::Relayed)]
    {
        let Reading::Status(told) = read(content, true) else { panic!() };
        assert_eq!(told[0].action, action);
    }
}

#[test]
fn reports_in_words_alone_are_known_by_their_programs() {
    let qmail = failed(sample!("qmail"));
    let named: Vec<_> = qmail.iter().map(|(named, status, _)| (named.as_deref(), status.as_deref())).collect();
    assert_eq!(named, [(Some("anna@old.example.net"), Some("5.1.1")), (Some("bert@old.example.net"), Some("5.4.6"))]);
    assert!(qmail[0].2.starts_with("Remote host said: 550 sorry, no mailbox here"), "{}", qmail[0].2);
    let disabled = "550 5.2.1 The email account that you tried to reach is disabled";
    one(sample!("exim-text"), Some("anna@exim.example.org"), Some("5.2.1"), disabled);
}

#[test]
fn other_reports_of_mail_systems_name_nobody() {
    one(sample!("gateway-html"), None, Some("5.7.1"), "550 5.7.1 rejected by our policy");
    one(sample!("text-without-code"), None, None, "There is no such person here.");
}

#[test]
fn automatic_answers_and_people_report_nothing() {
    assert_eq!(read(sample!("vacation"), true), Reading::Automatic);
    assert_eq!(read(sample!("vacation-french"), true), Reading::Automatic);
    for is_null in [true, false] {
        assert_eq!(read(sample!("person"), is_null), Reading::Unknown);
    }
}

#[test]
fn a_complaint_says_of_whom_and_by_which_address() {
    let Reading::Complaint(complaint) = read(sample!("arf-abuse"), false) else { panic!() };
    assert_eq!((complaint.kind.as_str(), complaint.program.as_str()), ("abuse", "SomeGenerator/1.0"));
    assert_eq!(complaint.recipients, ["anna@isp.example"]);
    assert_eq!(complaint.return_paths, ["b-token@rp-abc.shop.example", "b-other@rp-abc.shop.example"]);
    assert_eq!(read(sample!("arf-not-spam"), false), Reading::Unknown);
}

#[test]
fn what_has_no_end_is_read_so_far() {
    let group = "Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n";
    let head = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n";
    let many = format!("{head}{}", group.repeat(10_000));
    assert_eq!(failed(many.as_bytes()).len(), RECIPIENTS_MAX);
    let long = format!("{head}Action: failed\r\nDiagnostic-Code: smtp; {}\r\n", "550 no ".repeat(100_000));
    assert!(failed(long.as_bytes())[0].2.len() <= CHARACTERS_MAX);
    let text =
        format!("From: mailer-daemon@x.example\r\nSubject: failure notice\r\n\r\n{}", "<@>:\r\n".repeat(200_000));
    assert!(matches!(read(text.as_bytes(), true), Reading::Status(_)));
}

#[test]
fn addresses_and_codes_are_found_where_they_are() {
    assert_eq!(address("<anna@example.org>:").as_deref(), Some("anna@example.org"));
    assert_eq!(address("  anna@example.org").as_deref(), Some("anna@example.org"));
    assert_eq!(address("nobody"), None);
    assert_eq!(address("<an\u{1}na@example.org>:"), None, "a control character is nobody's");
    assert_eq!(code_of("Remote host said: 550-5.1.1 no"), Some(550));
    assert_eq!(code_of("in 2026, 192.0.2.25 said nothing of 1550"), None);
    assert_eq!(text::status_in("gone (#5.1.1)").as_deref(), Some("5.1.1"));
    assert_eq!(text::status_in("host 192.0.2.5 said 2.0.0"), None);
}
