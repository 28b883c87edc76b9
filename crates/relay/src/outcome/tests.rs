//! What each kind of finding makes of a recipient.

use super::*;
use crate::queue::Outcome::{Deferred, Delivered, HardBounced, SoftBounced};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn context(age: Duration, attempts: u32) -> Context<'static> {
    Context {
        rules: Rules::ours(),
        now: NOW,
        domain: "example.com",
        period: Period { accepted_at: Timestamp(NOW.0 - age.as_millis() as u64), lasts: crate::retry::RETRY_FOR },
        attempts,
        jitter: Jitter::default(),
        not_before: Timestamp(0),
        progressed: false,
        elsewhere: false,
    }
}

fn fresh() -> Context<'static> {
    context(Duration::ZERO, 1)
}

fn reply(text: &'static str) -> Reply {
    let (code, rest) = text.split_once(' ').unwrap();
    let (first, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let enhanced = Enhanced::parse(first);
    let line = if enhanced.is_some() { words } else { rest };
    Reply { code: code.parse().unwrap(), enhanced, lines: vec![line.into()], reference: None }
}

fn said(stage: Stage, text: &'static str) -> Judgement {
    judge(0, &Finding::Replied(stage, reply(text)), &fresh())
}

fn failed(failure: Failure) -> Judgement {
    judge(0, &Finding::Failed(failure), &fresh())
}

#[test]
fn only_the_reply_to_the_content_delivers() {
    let judgement = said(Stage::Content, "250 2.0.0 Ok: queued as 4XYZ");
    assert_eq!(judgement.verdict.outcome, Delivered { sandbox: false });
    assert_eq!(judgement.verdict.remote_reply.as_deref(), Some("250 2.0.0 Ok: queued as 4XYZ"));
    assert_eq!(judgement.verdict.reason, "");
    assert!(matches!(said(Stage::Recipient, "250 2.1.5 Ok").verdict.outcome, Deferred { .. }));
}

#[test]
fn temporary_replies_are_tried_again_soon() {
    for text in ["450 mailbox busy", "421 4.3.2 closing", "452 4.2.2 full"] {
        let judgement = said(Stage::Recipient, text);
        assert_eq!(judgement.verdict.outcome, Deferred { until: NOW.after(crate::retry::DELAYS[0]) }, "{text}");
        assert_eq!(judgement.status.0, 4, "{text}");
    }
    let greylisted = said(Stage::Recipient, "451 4.7.1 Greylisted, try again").verdict;
    assert!(greylisted.reason.contains("greylisting"));
    assert_eq!(greylisted.outcome, Deferred { until: NOW.after(crate::retry::GREYLISTING_DELAY) });
}

#[test]
fn mail_of_a_site_that_is_left_alone_is_deferred_with_the_reason() {
    let judgement = failed(Failure::Suspended(Class::Reputation));
    assert!(matches!(judgement.verdict.outcome, Deferred { .. }), "{judgement:?}");
    assert_eq!((judgement.verdict.class, judgement.status), (Some(Class::Reputation), Enhanced(4, 7, 1)));
    assert!(judgement.verdict.reason.contains("does not trust this relay"), "{}", judgement.verdict.reason);
    assert_eq!(judgement.verdict.remote_reply, None, "what was said to the mail of others");
}

#[test]
fn permanent_replies_bounce_by_class() {
    let cases = [
        ("550 5.1.1 No such user", HardBounced, "There is no such mailbox at example.com."),
        ("550 no such user here", HardBounced, "There is no such mailbox at example.com."),
        ("552 5.2.2 over quota", SoftBounced, "The mailbox is full."),
        ("552 4.2.2 over quota", SoftBounced, "The mailbox is full."),
        ("552 mailbox exceeded", SoftBounced, "The mailbox is full."),
        ("550 mailbox is full", SoftBounced, "The mailbox is full."),
        ("552 5.3.4 too big", HardBounced, "The message is too large for the recipient's server."),
        (
            "550 5.7.26 unauthenticated",
            HardBounced,
            "The server of example.com found that the message does not prove its sender (SPF, DKIM or DMARC).",
        ),
    ];
    for (text, outcome, reason) in cases {
        let judgement = said(Stage::Recipient, text);
        assert_eq!(judgement.verdict.outcome, outcome, "{text}");
        assert_eq!(judgement.status.0, 5, "{text}");
        assert_eq!(judgement.verdict.reason, reason, "{text}");
    }
}

#[test]
fn a_refused_greeting_is_tried_again_unless_the_host_never_takes_mail() {
    assert!(matches!(said(Stage::Greeting, "554 5.7.1 go away").verdict.outcome, Deferred { .. }));
    assert_eq!(said(Stage::Greeting, "521 no mail here").verdict.outcome, HardBounced);
    assert!(is_site_down(&Finding::Replied(Stage::Greeting, reply("554 go away"))));
    assert!(!is_site_down(&Finding::Replied(Stage::Greeting, reply("521 no mail here"))));
    assert!(!is_site_down(&Finding::Replied(Stage::Mail, reply("451 later"))));
}

#[test]
fn what_is_refused_before_a_recipient_was_named_is_no_fault_of_its_address() {
    for (stage, text, class) in [
        (Stage::Mail, "550 5.1.1 <shop@a.example>: User unknown", Class::SenderRefused),
        (Stage::Mail, "553 5.1.8 sender <shop@a.example>… unknown domain", Class::SenderRefused),
        (Stage::Mail, "556 no mail here", Class::HostTakesNoMail),
        (Stage::Greeting, "556 no mail here", Class::HostTakesNoMail),
    ] {
        let verdict = said(stage, text).verdict;
        assert_eq!((verdict.outcome, verdict.class), (HardBounced, Some(class)), "{text}");
        assert!(!verdict.is_bad_address(), "{text}");
    }
    assert!(said(Stage::Recipient, "550 5.1.1 <anna@example.com>: User unknown").verdict.is_bad_address());
    assert!(said(Stage::Recipient, "556 5.1.10 null MX").verdict.is_bad_address());
}

#[test]
fn too_many_recipients_sends_the_rest_at_once_if_some_went() {
    let finding = Finding::Replied(Stage::Recipient, reply("452 4.5.3 too many recipients"));
    let some_went = Context { progressed: true, ..fresh() };
    assert_eq!(judge(0, &finding, &some_went).verdict.outcome, Deferred { until: NOW });
    assert_eq!(judge(0, &finding, &fresh()).verdict.outcome, Deferred { until: NOW.after(crate::retry::DELAYS[0]) });
    let old = Finding::Replied(Stage::Recipient, reply("552 Too many recipients"));
    assert_eq!(judge(0, &old, &some_went).verdict.outcome, Deferred { until: NOW });
}

#[test]
fn what_dns_knows_for_certain_bounces_and_its_faults_do_not() {
    assert_eq!(failed(Failure::NoSuchDomain("x".into())).verdict.outcome, HardBounced);
    assert_eq!(failed(Failure::NullMx).status, Enhanced(5, 1, 10));
    assert_eq!(failed(Failure::ForbiddenAddress("127.0.0.1".into())).verdict.outcome, HardBounced);
    for failure in
        [Failure::Dns("SERVFAIL".into()), Failure::Connect("refused".into()), Failure::Tls("certificate".into())]
    {
        assert!(matches!(failed(failure.clone()).verdict.outcome, Deferred { .. }), "{failure:?}");
        assert!(is_site_down(&Finding::Failed(failure)));
    }
    for failure in
        [Failure::Lost("reset".into()), Failure::Protocol("?".into()), Failure::SenderTls("the handshake broke".into())]
    {
        assert!(matches!(failed(failure.clone()).verdict.outcome, Deferred { .. }), "{failure:?}");
        assert!(!is_site_down(&Finding::Failed(failure)));
    }
}

#[test]
fn a_refused_login_of_the_relay_defers_and_tells_accounts_nothing_of_it() {
    let failure = Failure::Login("the next hop refused it: 535 5.7.8 no such relay".into());
    let judgement = failed(failure.clone());
    assert!(matches!(judgement.verdict.outcome, Deferred { .. }), "{judgement:?}");
    assert_eq!((judgement.verdict.class, judgement.status), (Some(Class::RelayLogin), Enhanced(4, 7, 8)));
    assert!(!judgement.verdict.reason.contains("535") && judgement.verdict.remote_reply.is_none());
    let finding = Finding::Failed(failure);
    assert!(is_site_down(&finding) && !Class::RelayLogin.suppresses());
    let (class, operator) = told(&finding);
    assert!(class == Some(Class::RelayLogin) && operator.contains("535 5.7.8"), "{operator}");
}

#[test]
fn what_requires_tls_fails_where_that_is_not_promised() {
    let judgement = failed(Failure::NeedsRequireTls("it does not list REQUIRETLS".into()));
    assert_eq!((judgement.verdict.outcome, judgement.status), (HardBounced, Enhanced(5, 7, 30)));
    assert_eq!(judgement.verdict.class, Some(Class::RequireTls));
    assert!(judgement.verdict.reason.ends_with("does not promise it (it does not list REQUIRETLS)."));
    assert!(!judgement.verdict.is_bad_address());
}

#[test]
fn content_is_never_converted() {
    let eight_bit = failed(Failure::NeedsEightBit);
    assert_eq!((eight_bit.verdict.outcome, eight_bit.status), (HardBounced, Enhanced(5, 6, 3)));
    let utf8 = failed(Failure::NeedsSmtputf8);
    assert_eq!((utf8.verdict.outcome, utf8.status), (HardBounced, Enhanced(5, 6, 7)));
    assert_eq!(failed(Failure::TooLarge(10)).status, Enhanced(5, 3, 4));
}

#[test]
fn the_end_of_the_retry_period_is_a_soft_bounce_with_the_last_reason() {
    let late = context(crate::retry::RETRY_FOR, 40);
    let judgement = judge(3, &Finding::Failed(Failure::Connect("connection refused".into())), &late);
    assert_eq!(judgement.verdict.outcome, SoftBounced);
    assert_eq!(judgement.verdict.recipient, 3);
    assert_eq!(judgement.status, Enhanced(5, 4, 7));
    assert_eq!(
        judgement.verdict.reason,
        "Given up after 5 days. The last attempt: The server of example.com could not be reached (connection refused)."
    );
}

#[test]
fn a_site_that_is_left_alone_is_not_tried_before() {
    let not_before = NOW.after(Duration::from_secs(1200));
    let context = Context { not_before, ..fresh() };
    let judgement = judge(0, &Finding::Failed(Failure::Connect("refused".into())), &context);
    assert_eq!(judgement.verdict.outcome, Deferred { until: not_before });
}

#[test]
fn remote_text_is_made_harmless() {
    let mut hostile = reply("550 5.1.1 bad\u{7}bell");
    hostile.lines.push("x".repeat(5000).into());
    let text = judge(0, &Finding::Replied(Stage::Recipient, hostile), &fresh()).verdict.remote_reply.unwrap();
    assert!(text.starts_with("550 5.1.1 bad bell"));
    assert_eq!(text.chars().count(), REMOTE_CHARACTERS_MAX);
}

#[test]
fn endings_name_their_cause() {
    assert_eq!(end(1, &Ending::Cancelled("operator".into())).verdict.reason, "Cancelled by operator.");
    assert_eq!(end(1, &Ending::Sandbox).verdict.outcome, Delivered { sandbox: true });
    assert_eq!(end(1, &Ending::DomainInvalid).verdict.outcome, SoftBounced);
    assert_eq!(end(1, &Ending::DomainDeleted).verdict.outcome, HardBounced);
    assert_eq!(end(1, &Ending::AccountDeleted).verdict.outcome, HardBounced);
}

#[test]
fn a_refusal_because_of_the_source_is_no_end_where_another_one_may_be_taken() {
    let block = "550 5.7.1 Service unavailable, client host [192.0.2.1] blocked using zen.spamhaus.org";
    let elsewhere = Context { elsewhere: true, ..fresh() };
    let judgement = judge(0, &Finding::Replied(Stage::Mail, reply(block)), &elsewhere);
    assert_eq!(judgement.verdict.outcome, Deferred { until: NOW });
    assert_eq!((judgement.status.0, judgement.verdict.class), (4, Some(Class::Reputation)));
    assert_eq!(said(Stage::Mail, block).verdict.outcome, SoftBounced);
    let is_block = |stage, text| is_block(Rules::ours(), &Finding::Replied(stage, reply(text)));
    assert!(is_block(Stage::Mail, block) && is_block(Stage::Content, block));
    assert!(!is_block(Stage::Greeting, block), "there it is no end in any case");
    assert!(!is_block(Stage::Recipient, "550 5.1.1 No such user here"));
    assert!(!is_block(Stage::Mail, &block.replacen("550 5", "451 4", 1).leak()[..]));
    assert!(!super::is_block(Rules::ours(), &Finding::Failed(Failure::Suspended(Class::Reputation))));
}

#[test]
fn what_another_server_said_is_told_to_the_account_on_one_short_line() {
    let long = "x".repeat(2_000);
    let lines = vec![format!("no\u{1f}body {long}").into(), "here".into()];
    let said = Finding::Replied(Stage::Greeting, Reply { code: 554, enhanced: None, lines, reference: None });
    let remote = Some("192.0.2.1:25".parse().unwrap());
    let replied = tried("mx1.example.com", remote, &said, "example.com");
    assert_eq!((replied.host.as_str(), replied.remote, replied.class), ("mx1.example.com", remote, None));
    assert!(replied.said.starts_with("554 no body xxx"), "{}", replied.said);
    assert_eq!(replied.said.chars().count(), 300);
    let failed = |failure| tried("mx2.example.com", None, &Finding::Failed(failure), "example.com");
    let lost = failed(Failure::Connect("refused".into()));
    assert_eq!(lost.class, Some(Class::Network));
    assert_eq!(lost.said, "The server of example.com could not be reached (refused).");
    // the operator's own secrets are none of the account's
    let login = failed(Failure::Login("535 wrong password of hub".into()));
    assert_eq!(login.class, Some(Class::RelayLogin));
    assert!(!login.said.contains("hub"), "{}", login.said);
}
