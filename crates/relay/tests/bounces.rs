//! Replies that people were really given, each judged as whoever reads it would: `corpus/replies.toml`.

#![allow(clippy::unwrap_used)]

use bytes::BytesMut;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::limits::Limits;
use relay::outcome::rules::Rules;
use relay::outcome::{Class, Context, Finding, SiteAction, Stage, judge};
use relay::queue::{Outcome, Verdict};
use relay::retry::{Jitter, Period};
use relay::shaping::{BLOCKS_OF_SEVERAL, Complaint, Pauses, Provider, Reaction, Shaping};
use serde::Deserialize;
use smtp::reply::{Reply, ReplyReader};
use std::collections::HashSet;
use std::time::Duration;

const CORPUS: &str = include_str!("corpus/replies.toml");

/// The least that the corpus has.
const REPLIES_MIN: usize = 300;

/// Rules that no reply of the corpus needs, and why they stand.
const UNUSED: &[(&str, &str)] = &[
    (
        "rate_limited_for_authentication",
        "Gmail's 4.7.27 to 4.7.40, which the pages that were found list without their code",
    ),
    ("helo_unknown", "words that Postfix, Exim and their operators' own texts use in any order"),
    ("ehlo_unknown", "the same of EHLO"),
    ("sender_unknown", "the words for an unknown recipient, of a sender"),
    ("sender_by_status", "the statuses of an unknown recipient, of a sender"),
    ("sender_by_another_name", "From address, Return-Path and the like, in place of the word sender"),
    ("sender_at_mail", "the words for an unknown recipient, said to MAIL"),
    ("sender_at_mail_by_status", "the statuses of an unknown recipient, said to MAIL"),
    ("takes_no_mail_before_recipients", "RFC 7504: 556, said too early"),
    ("sandbox", "our own sandbox says it, and no other server"),
    ("status_address_syntax", "RFC 3463 x.1.3; servers that send it say why in words, too"),
    ("status_address", "RFC 3463 x.1.x, for servers that say nothing in words"),
    ("status_message_too_large", "RFC 3463 x.2.3 and x.3.4; servers that send them say why in words, too"),
    ("status_mailbox", "RFC 3463 5.2.x, for servers that say nothing in words"),
    ("status_no_answer", "RFC 3463 5.4.1, which Exchange sends for refused recipients, mostly in words, too"),
    ("status_connections", "RFC 3463 x.3.x and x.4.5; servers that send them say why in words, too"),
    ("status_network", "RFC 3463 x.4.1 and x.4.2; servers that send them say why in words, too"),
    ("status_dns", "RFC 3463 x.4.3"),
    ("status_loop", "RFC 3463 x.4.6; servers that send it say why in words, too"),
    ("status_expired", "RFC 3463 x.4.7; servers that send it say why in words, too"),
    ("status_routing", "RFC 3463 x.4.x, for servers that say nothing in words"),
    ("status_unsupported", "RFC 3463 and RFC 6531, for servers that say nothing in words"),
    ("status_content_format", "RFC 3463 x.6.x, for servers that say nothing in words"),
    ("status_tls", "RFC 3463 and RFC 7817, for servers that say nothing in words"),
    ("status_authentication", "RFC 7372 and the numbers of Google and Microsoft, which say why in words, too"),
    ("status_relay_name", "RFC 7372 x.7.25; servers that send it say why in words, too"),
    ("status_rate", "the numbers of Google and Microsoft, which say why in words, too"),
    ("status_reputation", "the numbers of Microsoft, which says why in words, too"),
    ("status_recipient_restricted", "RFC 3463 and the numbers of Exchange, which says why in words, too"),
    ("refused_at_the_door", "a refusal at the greeting without a known word"),
    ("code_host_takes_no_mail", "RFC 7504: 521 without a known word"),
    ("code_domain_takes_no_mail", "RFC 7504: 556 without a known word"),
    ("code_message_too_large", "RFC 1870: 552 to MAIL without a known word"),
    ("code_mailbox_full", "RFC 5321: 552 to RCPT and content without a known word"),
    ("code_server_fault", "RFC 5321, without a known word"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    reply: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    text: String,
    source: String,
    stage: Option<String>,
    class: Class,
    outcome: String,
    #[serde(default)]
    suppresses: bool,
    site: Option<SiteAction>,
}

impl Entry {
    /// The reply as the connection reads it.
    fn reply(&self) -> Reply {
        let (code, rest) = self.text.split_at(3);
        let (between, last) = (format!(" {code}-"), format!(" {code} "));
        let joined = rest[1..].replace(&between, "\n").replace(&last, "\n");
        let lines: Vec<&str> = joined.split('\n').collect();
        let mut wire = BytesMut::new();
        for (place, line) in lines.iter().enumerate() {
            let mark = if place + 1 == lines.len() { ' ' } else { '-' };
            wire.extend_from_slice(format!("{code}{mark}{line}\r\n").as_bytes());
        }
        ReplyReader::default().next(&mut wire).unwrap().unwrap()
    }

    fn stages(&self) -> Vec<Stage> {
        match self.stage.as_deref() {
            None => vec![Stage::Recipient, Stage::Content],
            Some("greeting") => vec![Stage::Greeting],
            Some("hello") => vec![Stage::Hello],
            Some("tls") => vec![Stage::Tls],
            Some("mail") => vec![Stage::Mail],
            Some("recipient") => vec![Stage::Recipient],
            Some("data") => vec![Stage::Data],
            Some("content") => vec![Stage::Content],
            Some(other) => panic!("no stage {other}"),
        }
    }

    fn judged(&self, stage: Stage) -> Verdict {
        let context = Context {
            rules: Rules::ours(),
            now: Timestamp(1_800_000_000_000),
            domain: "example.com",
            period: Period { accepted_at: Timestamp(1_800_000_000_000), lasts: Duration::from_secs(86_400) },
            attempts: 1,
            jitter: Jitter::default(),
            not_before: Timestamp(0),
            progressed: false,
            elsewhere: false,
        };
        judge(0, &Finding::Replied(stage, self.reply()), &context).verdict
    }
}

fn corpus() -> Vec<Entry> {
    toml::from_str::<Corpus>(CORPUS).unwrap().reply
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Deferred { .. } => "later",
        Outcome::SoftBounced => "soft",
        Outcome::HardBounced => "hard",
        Outcome::Delivered { .. } => "delivered",
    }
}

#[test]
fn every_reply_is_judged_as_its_reader_would() {
    let mut wrong = Vec::new();
    for entry in corpus() {
        for stage in entry.stages() {
            let verdict = entry.judged(stage);
            let found = (verdict.class.unwrap(), word(verdict.outcome), verdict.is_bad_address());
            if found != (entry.class, entry.outcome.as_str(), entry.suppresses) {
                let rule = Rules::ours().classify(stage, &entry.reply()).rule;
                wrong.push(format!("{:?} {stage:?}\n  is {found:?} by {rule:?}, read as {}", entry.text, entry.class));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_good_address_is_suppressed() {
    let wrongly = |entry: &&Entry| {
        let suppressed = |stage| entry.judged(stage).is_bad_address();
        !entry.suppresses && entry.stages().into_iter().any(suppressed)
    };
    let wrong: Vec<_> = corpus().iter().filter(wrongly).map(|entry| entry.text.clone()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // and the addresses that are bad are found
    assert!(corpus().iter().filter(|entry| entry.suppresses).count() > 50);
}

#[test]
fn what_is_said_before_a_recipient_was_named_suppresses_nobody() {
    for entry in corpus() {
        for stage in [Stage::Greeting, Stage::Hello, Stage::Tls, Stage::Mail] {
            let verdict = entry.judged(stage);
            let is_bad = verdict.is_bad_address() || verdict.class.is_some_and(Class::suppresses);
            assert!(!is_bad, "{:?} {stage:?} is {:?}", entry.text, verdict.class);
        }
        assert!(
            !entry.suppresses || entry.stages().iter().all(|stage| !matches!(stage, Stage::Mail)),
            "{}",
            entry.text
        );
    }
}

#[test]
fn each_is_from_somewhere_and_there_once() {
    let corpus = corpus();
    assert!(corpus.len() >= REPLIES_MIN, "{}", corpus.len());
    let mut texts = HashSet::new();
    for entry in &corpus {
        assert!(entry.source.starts_with("http"), "{}", entry.source);
        assert!(texts.insert(entry.text.as_str()), "twice: {}", entry.text);
        assert!(!entry.suppresses || entry.outcome == "hard", "{}", entry.text);
    }
}

#[test]
fn every_rule_is_needed_or_said_not_to_be() {
    let mut needed = HashSet::new();
    for entry in corpus() {
        needed.extend(entry.stages().iter().filter_map(|stage| Rules::ours().classify(*stage, &entry.reply()).rule));
    }
    let said: HashSet<_> = UNUSED.iter().map(|(name, _)| *name).collect();
    let rules: Vec<_> = Rules::ours().summaries().map(|rule| rule.name).collect();
    let useless: Vec<_> = rules.iter().filter(|name| !needed.contains(*name) && !said.contains(*name)).collect();
    assert!(useless.is_empty(), "no reply needs {useless:?}");
    let stale: Vec<_> = said.iter().filter(|name| needed.contains(*name) || !rules.contains(name)).collect();
    assert!(stale.is_empty(), "needed after all, or gone: {stale:?}");
}

/// What follows at a site that says this to mail of many accounts, again and again.
fn reaction(stage: Stage, reply: &Reply) -> Reaction {
    let site = Rules::ours().classify(stage, reply).site;
    let pauses = Pauses::held_to(&Limits::default());
    let mut shaping = Shaping::new(Provider::default().allowance(10));
    let at_the_door = matches!(stage, Stage::Greeting | Stage::Hello | Stage::Tls);
    let mut reaction = Reaction::Nothing;
    for said in 0..u64::from(BLOCKS_OF_SEVERAL) {
        let now = Timestamp(1_800_000_000_000 + said);
        let complaint = Complaint { action: site, at_the_door, account: Id::new(said), begun: now };
        reaction = shaping.complained(&complaint, 10, false, now, Jitter::default(), &pauses);
        if reaction != Reaction::Nothing {
            break;
        }
    }
    reaction
}

#[test]
fn each_reply_leads_to_what_its_reader_would_do_with_the_site() {
    let mut counts = [0; 4];
    for entry in corpus() {
        for stage in entry.stages() {
            let wanted = entry.site.unwrap_or(entry.class.site_action());
            let found = Rules::ours().classify(stage, &entry.reply());
            assert_eq!(found.site, wanted, "{:?} {stage:?} by {:?}", entry.text, found.rule);
            let (place, fits) = match reaction(stage, &entry.reply()) {
                Reaction::Nothing => (0, matches!(wanted, SiteAction::Nothing | SiteAction::WaitShorter)),
                Reaction::FewerConnections => (1, wanted == SiteAction::FewerConnections),
                Reaction::Slower(_) => (2, wanted == SiteAction::SendSlower),
                Reaction::Suspended(_) => (3, wanted == SiteAction::Suspend),
            };
            assert!(fits, "{:?} {stage:?}: {wanted:?}", entry.text);
            counts[place] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count >= 8), "each has its examples: {counts:?}");
}
