//! Every sentence that can be stored is known, and every reply has its words, in both languages.

use relay::clock::Timestamp;
use relay::language::Language;
use relay::outcome::rules::Rules;
use relay::outcome::{self, Context, Ending, Failure, Finding, Stage};
use relay::retry::{Jitter, Period};
use smtp::reply::{Enhanced, Reply};
use std::time::Duration;

use super::*;

fn languages() -> [Words; 2] {
    [Words::new(Language::English), Words::new(Language::French)]
}

fn context(age: u64) -> Context<'static> {
    Context {
        rules: Rules::ours(),
        now: Timestamp(age),
        domain: "example.org",
        period: Period { accepted_at: Timestamp(0), lasts: Duration::from_secs(5 * 86_400) },
        attempts: 3,
        jitter: Jitter::default(),
        not_before: Timestamp(0),
        progressed: false,
        elsewhere: false,
    }
}

fn findings() -> Vec<Finding> {
    let what = || "connection refused (os error 111)".to_owned();
    let failures = [
        Failure::NoSuchDomain(what()),
        Failure::NullMx,
        Failure::Dns(what()),
        Failure::ForbiddenAddress(what()),
        Failure::Connect(what()),
        Failure::Tls(what()),
        Failure::SenderTls(what()),
        Failure::Lost(what()),
        Failure::NeedsSmtputf8,
        Failure::NeedsEightBit,
        Failure::Protocol(what()),
        Failure::TooLarge(1_000),
    ];
    let mut findings: Vec<_> = failures.into_iter().map(Finding::Failed).collect();
    let stages = [Stage::Greeting, Stage::Hello, Stage::Tls, Stage::Mail, Stage::Recipient, Stage::Content];
    for stage in stages {
        for code in [250, 421, 452, 521, 550, 552, 554] {
            let class = if code < 500 { 4 } else { 5 };
            let details = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 24, 25, 26, 27];
            let subjects = (0..8).flat_map(|subject| details.map(move |detail| Enhanced(class, subject, detail)));
            for enhanced in subjects.map(Some).chain([None]) {
                for text in ["no", "greylisted", "mailbox full", "blocked as spam", "too many recipients"] {
                    let reply = Reply { code, enhanced, lines: vec![text.into()], reference: None };
                    findings.push(Finding::Replied(stage, reply));
                }
            }
        }
    }
    findings
}

#[test]
fn what_attempts_are_told_by_is_known() {
    for words in languages() {
        for finding in findings() {
            for age in [0, 6 * 86_400_000] {
                let verdict = outcome::judge(0, &finding, &context(age)).verdict;
                let why = of_sentence(&words, verdict.class.map(Class::name), "anna@example.org", &verdict.reason);
                assert!(verdict.reason.is_empty() || !why.fix.is_empty(), "{verdict:?}");
                let is_french = words.language == Language::French && !verdict.reason.is_empty();
                assert!(!is_french || why.cause != verdict.reason, "{verdict:?}");
                let said = outcome::reason_in(Language::French, &verdict, "example.org");
                assert!(!is_french || why.cause == said, "{said}");
            }
        }
        let endings = [
            Ending::Cancelled("Léa".into()),
            Ending::CancelledUntold("Léa".into()),
            Ending::DomainDeleted,
            Ending::AccountDeleted,
            Ending::DomainInvalid,
            Ending::Damaged,
            Ending::Sandbox,
        ];
        for ending in endings {
            let verdict = outcome::end(0, &ending).verdict;
            let reason = verdict.reason.as_str();
            assert!(reason.is_empty() || known(&words, reason).is_some(), "{reason:?}");
            // mails say what the page says
            let said = outcome::reason_in(Language::French, &verdict, "example.org");
            let is_french = words.language == Language::French && !reason.is_empty();
            assert!(!is_french || known(&words, reason).is_some_and(|why| why.cause == said), "{said}");
        }
    }
}

#[test]
fn every_message_of_a_sentence_is_there() {
    for words in languages() {
        for Sentence(_, cause, fix) in SENTENCES {
            assert!(words.has(cause) && words.has(fix), "{cause} {fix}");
        }
        for (pattern, class) in OLDER {
            let stored = pattern.replace("{domain}", "example.org").replace("{what}", "x").replace("{limit}", "9");
            assert_eq!(known(&words, &stored), Some(of_class(&words, *class, "example.org")), "{stored}");
        }
        for trouble in TROUBLES {
            assert!(words.has(&format!("trouble-{}", trouble.word)), "{}", trouble.word);
        }
    }
}

/// Replies that no row shows: an application's stumbling in the dialogue, and what servers hear that report on mail.
const UNSEEN: &[&str] = &[
    "auth-base64",
    "auth-cancelled",
    "auth-in-transaction",
    "auth-line-too-long",
    "auth-twice",
    "bare-line-feed",
    "command-not-implemented",
    "command-unknown",
    "idle",
    "line-malformed",
    "line-too-long",
    "no-recipients",
    "not-http",
    "not-tls",
    "recipient-not-ours",
    "report-early",
    "reports-hurried",
    "sessions-again",
    "shutting-down",
    "tls-active",
    "wrong-order",
];

#[test]
fn every_reply_that_a_row_can_show_has_its_words() {
    let refusals = smtp::replies::CATALOGUE.iter().filter(|entry| entry.code >= 400).map(|entry| entry.reference);
    for words in languages() {
        for reference in refusals.clone().chain(["tls-old", "tls-distrusted", "tls-failed"]) {
            let both = words.has(&format!("reply-{reference}")) && words.has(&format!("reply-{reference}-fix"));
            assert_eq!(both, !UNSEEN.contains(&reference), "{reference}");
        }
    }
}

#[test]
fn what_was_reported_later_says_so_and_has_the_words_of_its_class() {
    let [english, french] = languages();
    let class = Class::NoSuchMailbox;
    let stored = format!("{}{}", report::REPORTED, class.words(Language::English, "example.org"));
    let told = of_sentence(&english, Some(class.name()), "anna@example.org", &stored);
    assert_eq!(told.cause, stored);
    let told = of_sentence(&french, Some(class.name()), "anna@example.org", &stored);
    assert!(
        told.cause.starts_with("Signalé après la livraison") && told.cause.contains("example.org"),
        "{}",
        told.cause
    );
    assert_eq!(told.fix, class.next_step(Language::French));
}

#[test]
fn patterns_take_what_stands_in_their_places() {
    let found = taken(
        "DNS gave no usable answer about {domain} ({what}).",
        "DNS gave no usable answer about a.example (SERVFAIL (2)).",
    );
    assert_eq!(found, Some(vec![("domain".into(), "a.example"), ("what".into(), "SERVFAIL (2)")]));
    assert_eq!(taken("The mailbox is full.", "The mailbox is full."), Some(vec![]));
    assert_eq!(taken("The mailbox is full.", "The mailbox is full. Or so."), None);
    assert_eq!(taken("Cancelled by {who}.", "Cancelled by "), None);
    assert_eq!(taken("Cancelled by {who}.", ""), None);
}

#[test]
fn what_is_not_known_is_shown_as_it_was_stored() {
    let [english, french] = languages();
    let told = Why { cause: "A later version says this.".into(), fix: String::new() };
    assert_eq!(of_sentence(&french, None, "", "A later version says this."), told);
    assert_eq!(of_sentence(&english, None, "", ""), Why::default());
    let given_up =
        of_sentence(&french, None, "", "Given up after 5 days. The last attempt: The mailbox is full at the moment.");
    assert!(given_up.cause.contains("5 jours") && !given_up.cause.contains("mailbox"), "{}", given_up.cause);
    let told = "Given up after 5 days. The last attempt: The mailbox is full.";
    let given_up = of_sentence(&french, Some("mailbox_full"), "anna@example.org", told);
    assert!(given_up.cause.contains("5 jours") && given_up.cause.contains("pleine"), "{}", given_up.cause);
    assert_eq!(given_up.fix, Class::MailboxFull.next_step(Language::French));
    assert!(of_block(&french, "5 distinct wrong pairs of username and password within 10 minutes").contains("5 "));
    assert_eq!(of_block(&french, "because"), "because");
}
