//! What senders ask about notifications (RFC 3461): who is told of what, once.

use std::time::Duration;

use relay::activity::Status;
use relay::id::MessageId;
use relay::notification::{self, About, Requests};
use relay::outcome::{Failure, Stage};
use relay::queue::{Envelope, Origin, Outcome, Settlement, TlsWish, Verdict};
use relay::retry::RETRY_FOR;
use relay::sandbox::CapturedFilter;
use relay::store::{Book, Inbox, Spool};
use smtp::address::{Address, ReversePath};
use smtp::client::RequireTls;
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;
use smtp::reply::Enhanced;

use super::world::{CONTENT, Hop, START, World, operator};

const HOUR: Duration = Duration::from_secs(3600);

fn unknown() -> Hop {
    Hop::Says(Stage::Recipient, 550, Enhanced(5, 1, 1), "No such user")
}

fn refused() -> Hop {
    Hop::Fails(Failure::Connect("refused".into()))
}

fn notify(text: &str) -> RcptParameters {
    RcptParameters { notify: Notify::parse(text), orcpt: None }
}

impl World {
    /// A message about whose recipients so much is asked.
    fn asking(&self, number: u128, recipients: &[(&str, &str)]) -> Envelope {
        let (addresses, asked): (Vec<&str>, Vec<&str>) = recipients.iter().copied().unzip();
        let requests = Requests { recipients: asked.into_iter().map(notify).collect(), ..Requests::default() };
        Envelope { requests: Some(Box::new(requests)), ..self.envelope(number, &addresses) }
    }

    /// What the sender was told, one text for each DSN.
    fn told(&self) -> Vec<String> {
        self.notifications().iter().map(|told| String::from_utf8(told.content.to_vec()).unwrap()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn of_failures_those_alone_are_told_about_whom_that_is_wanted() {
    let world = World::new();
    world.hop("one.example", unknown());
    let asked = [("never@one.example", "NEVER"), ("success@one.example", "SUCCESS"), ("told@one.example", "FAILURE")];
    let message = world.submit(world.asking(1, &asked)).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::HardBounce; 3]);
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("told@one.example") && told[0].contains("Action: failed"), "{}", told[0]);
    assert!(!told[0].contains("never@one.example") && !told[0].contains("success@one.example"), "{}", told[0]);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_wants_to_hear_of_it_a_failure_is_settled_without_a_word() {
    let world = World::new();
    world.hop("one.example", unknown());
    let mut envelope = world.asking(1, &[("a@one.example", "NEVER")]);
    envelope.suppressed = vec![Address::parse("gone@one.example", false).unwrap()];
    envelope.requests.as_mut().unwrap().suppressed = vec![notify("NEVER")];
    let message = world.submit(envelope).await;
    world.settle().await;
    assert!(world.statuses(message).contains(&Status::HardBounce));
    assert_eq!((world.told().len(), world.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn success_is_told_as_relayed_unless_the_next_hop_takes_that_over() {
    let world = World::new();
    let asked = [
        ("a@one.example", "SUCCESS"),
        ("b@one.example", "FAILURE"),
        ("c@dsn.two.example", "SUCCESS"),
        ("d@one.example", "SUCCESS,FAILURE,DELAY"),
    ];
    let message = world.submit(world.asking(1, &asked)).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered; 4]);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:#?}");
    let report = "Final-Recipient: rfc822; a@one.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n\
                  Remote-MTA: dns; mx.one.example\r\nDiagnostic-Code: smtp; 250 2.0.0 Ok: queued as NEXT\r\n";
    assert!(told[0].contains(report), "{}", told[0]);
    assert_eq!(told[0].matches("Action: relayed").count(), 2);
    assert!(!told[0].contains("b@one.example") && !told[0].contains("c@dsn.two.example"), "{}", told[0]);
    assert_eq!(world.notifications()[0].envelope.reverse_path, ReversePath::Null);
}

#[tokio::test(start_paused = true)]
async fn of_success_too_nobody_is_told_where_the_reverse_path_is_null_or_bounce_mails_are_off() {
    let world = World::new();
    let mut null = world.asking(1, &[("a@one.example", "SUCCESS,DELAY")]);
    null.reverse_path = ReversePath::Null;
    world.submit(null).await;
    world.store.domain_bounce_mails(world.domain.id, false, &operator(), START).unwrap();
    world.submit(world.asking(2, &[("a@one.example", "SUCCESS,DELAY")])).await;
    world.pass(5 * HOUR).await;
    assert_eq!((world.told().len(), world.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_asks_nothing_hears_of_no_success_and_no_delay() {
    let world = World::new();
    world.hop("dead.example", refused());
    world.send(1, &["a@one.example", "b@dead.example"]).await;
    world.pass(24 * HOUR).await;
    assert_eq!(world.told().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_told_once_after_four_hours_whatever_restarts() {
    let mut world = World::new();
    world.hop("dead.example", refused());
    let asked = [("a@dead.example", "DELAY,FAILURE"), ("b@dead.example", "FAILURE")];
    let message = world.submit(world.asking(1, &asked)).await;
    world.pass(4 * HOUR - Duration::from_secs(10)).await;
    assert_eq!(world.told().len(), 0);
    world.pass(Duration::from_secs(20)).await;
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("a@dead.example") && told[0].contains("Action: delayed"), "{}", told[0]);
    assert!(told[0].contains("Will-Retry-Until: Wed, 20 Jan 2027 08:00:00 +0000"), "{}", told[0]);
    assert!(!told[0].contains("b@dead.example"), "{}", told[0]);
    for _ in 0..3 {
        world.handle.shutdown(Duration::from_secs(1)).await;
        world.restart();
        world.pass(7 * HOUR).await;
    }
    assert_eq!(world.told().len(), 1, "the delay is told once");
    world.pass(RETRY_FOR).await;
    assert_eq!(world.statuses(message), [Status::SoftBounce; 2]);
    let failures = world.told().iter().filter(|told| told.contains("Action: failed")).count();
    assert_eq!((world.told().len(), failures > 0), (1 + failures, true));
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_told_after_a_restart_that_slept_through_its_moment() {
    let mut world = World::new();
    world.hop("dead.example", refused());
    world.submit(world.asking(1, &[("a@dead.example", "DELAY")])).await;
    world.pass(HOUR).await;
    world.handle.shutdown(Duration::from_secs(1)).await;
    world.pass(9 * HOUR).await;
    world.restart();
    world.pass(9 * HOUR).await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_success_told_by_an_earlier_process_is_not_told_again() {
    let mut world = World::new();
    world.handle.shutdown(Duration::from_secs(1)).await;
    let message = world.keep(world.asking(1, &[("a@one.example", "SUCCESS")])).await;
    let mut notification = world.envelope(2, &["app@shop.example"]);
    notification.message = notification::id(message, About::Delivered, [0]);
    notification.origin = Origin::Notification(message);
    let told = world.keep(notification).await;
    let outcome = Outcome::Delivered { sandbox: false };
    let verdict = Verdict { recipient: 0, outcome, class: None, reason: String::new(), remote_reply: None };
    let settlement = Settlement { message: told, at: START, attempt: None, verdicts: vec![verdict] };
    world.store.settle(settlement).await.unwrap();
    world.restart();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
    assert_eq!(world.told().len(), 0);
}

async fn failed_with(requests: Requests, change: impl FnOnce(&mut super::super::Settings)) -> String {
    let world = World::with(Vec::new(), |settings, _| change(settings));
    world.hop("one.example", unknown());
    let envelope = Envelope { requests: Some(Box::new(requests)), ..world.envelope(1, &["a@one.example"]) };
    world.submit(envelope).await;
    world.settle().await;
    world.told().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_failure_brings_back_the_message_or_its_header_as_asked() {
    let full = || Requests { ret: Some(Ret::Full), ..Requests::default() };
    let told = failed_with(full(), |_| {}).await;
    assert!(told.contains("message/rfc822") && told.contains(CONTENT), "{told}");
    for (requests, octets_max) in [
        (Requests { ret: Some(Ret::Headers), ..Requests::default() }, u64::MAX),
        (Requests::default(), u64::MAX),
        // larger than what is brought back whole
        (full(), CONTENT.len() as u64 - 1),
    ] {
        let told = failed_with(requests, |settings| settings.returned_octets_max = octets_max).await;
        assert!(told.contains("text/rfc822-headers") && !told.contains("It is on its way."), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_requires_tls_the_header_alone_comes_back_and_requires_it_too() {
    let world = World::new();
    world.hop("one.example", unknown());
    let requests = Some(Box::new(Requests { ret: Some(Ret::Full), ..Requests::default() }));
    let envelope = Envelope { requests, tls_wish: TlsWish::Required, ..world.envelope(1, &["a@one.example"]) };
    world.submit(envelope).await;
    world.settle().await;
    let told = world.told().pop().unwrap();
    assert!(told.contains("text/rfc822-headers") && !told.contains("It is on its way."), "{told}");
    let envelope = world.notifications().pop().unwrap().envelope;
    // where the way back does not promise it, the notification goes all the same
    assert_eq!((envelope.tls_wish, envelope.require_tls()), (TlsWish::Required, RequireTls::IfOffered));
    assert_eq!(envelope.way_wish(), TlsWish::AsAsked);
}

#[tokio::test(start_paused = true)]
async fn success_brings_back_the_header_alone() {
    let world = World::new();
    let mut envelope = world.asking(1, &[("a@one.example", "SUCCESS")]);
    envelope.requests.as_mut().unwrap().ret = Some(Ret::Full);
    world.submit(envelope).await;
    world.settle().await;
    let told = world.told().pop().unwrap();
    assert!(told.contains("text/rfc822-headers") && !told.contains("It is on its way."), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_report_repeats_the_names_that_the_sender_gave() {
    let asked = RcptParameters { notify: None, orcpt: Some("rfc822;Ann+2Bshop@One.example".into()) };
    let requests = Requests { envid: Some("Order+207+2B1".into()), recipients: vec![asked], ..Requests::default() };
    let told = failed_with(requests, |_| {}).await;
    assert!(told.contains("\r\nOriginal-Envelope-Id: Order 7+1\r\nReporting-MTA: dns; relay.example\r\n"), "{told}");
    assert!(
        told.contains("\r\nOriginal-Recipient: rfc822; Ann+shop@One.example\r\nFinal-Recipient: rfc822; a@"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_takes_is_told_as_delivered_and_kept_there() {
    let world = World::new();
    let mut envelope = world.asking(1, &[("a@one.example", "SUCCESS"), ("bounce+550@one.example", "SUCCESS")]);
    envelope.sandbox = true;
    let message = world.submit(envelope).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered, Status::HardBounce]);
    let kept = world.store.inbox(&CapturedFilter { limit: 100, ..CapturedFilter::default() }).unwrap();
    let told: Vec<MessageId> =
        kept.iter().filter(|kept| kept.about == Some(message)).map(|kept| kept.message).collect();
    assert_eq!(told, [notification::id(message, About::Delivered, [0])]);
    let (_, content) = world.store.inbox_message(None, told[0]).unwrap().unwrap();
    let content = String::from_utf8(content.to_vec()).unwrap();
    assert!(content.contains("Action: delivered\r\nStatus: 2.0.0\r\n"), "{content}");
    assert_eq!(world.notifications().len(), 0);
}
