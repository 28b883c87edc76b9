//! Any octets as what a next hop says, and as rules that an operator wrote: judged or refused, never more.

use bytes::BytesMut;
use relay::clock::Timestamp;
use relay::outcome::rules::Rules;
use relay::outcome::unknown::shape;
use relay::outcome::{Context, Finding, Stage, judge};
use relay::queue::Outcome;
use relay::retry::{Jitter, Period};
use smtp::address::Address;
use smtp::reply::{Reply, ReplyReader};
use std::time::Duration;

const STAGES: [Stage; 7] =
    [Stage::Greeting, Stage::Hello, Stage::Tls, Stage::Mail, Stage::Recipient, Stage::Data, Stage::Content];

/// The first octet chooses the stage; the rest is a reply, and a text of rules.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let stage = STAGES[usize::from(*choice) % STAGES.len()];
    let reply = ReplyReader::default().next(&mut BytesMut::from(rest)).ok().flatten();
    if let Some(reply) = &reply {
        judged(stage, reply, Rules::ours());
    }
    let Ok(text) = std::str::from_utf8(rest) else { return };
    if let (Ok(rules), Some(reply)) = (Rules::parse(text), &reply) {
        judged(stage, reply, &rules);
    }
}

/// What is permanent alone ends a recipient, and only what a rule knows as a bad address is one, said once it was named.
fn judged(stage: Stage, reply: &Reply, rules: &Rules) {
    let now = Timestamp(1_800_000_000_000);
    let context = Context {
        rules,
        now,
        domain: "example.com",
        period: Period { accepted_at: now, lasts: Duration::from_secs(86_400) },
        attempts: 1,
        jitter: Jitter::default(),
        not_before: Timestamp(0),
        progressed: false,
        elsewhere: false,
    };
    let verdict = judge(0, &Finding::Replied(stage, reply.clone()), &context).verdict;
    match verdict.outcome {
        Outcome::Delivered { .. } => assert!(reply.is_positive() && verdict.class.is_none()),
        Outcome::Deferred { .. } => assert!(verdict.class.is_some()),
        Outcome::SoftBounced | Outcome::HardBounced => assert!(reply.is_permanent() && verdict.class.is_some()),
    }
    let is_named = matches!(stage, Stage::Recipient | Stage::Data | Stage::Content);
    assert!(!verdict.is_bad_address() || reply.is_permanent() && is_named);
    // a name is somebody's, also where the reply names them
    if let Ok(recipient) = Address::parse("anna@example.org", false) {
        let shape = shape(reply, &recipient);
        assert!(shape.chars().count() <= 300 && !shape.contains(char::is_control) && !shape.contains('@'), "{shape}");
    }
    let kept = verdict.remote_reply.unwrap_or_default();
    assert!(!kept.contains(char::is_control) && kept.chars().count() <= 1000);
}
