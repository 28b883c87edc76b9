//! Sites that complain about us, domains that share their mail servers, and sources that nothing gets through from.

use std::sync::Arc;
use std::time::Duration;

use relay::activity::Status;
use relay::outcome::{Class, Failure, Stage};
use relay::retry::GREYLISTING_DELAY;
use relay::schedule::SourceHealth;
use relay::shaping::Phase;
use relay::source::{Source, Sources};
use relay::store::StoreError;
use relay::warm_up::{Ladder, Order};
use smtp::reply::Enhanced;

use super::world::{Hop, START, World};

fn blocked() -> Hop {
    Hop::Says(Stage::Greeting, 554, Enhanced(5, 7, 1), "192.0.2.1 is on a blocklist, see https://list.example")
}

#[tokio::test(start_paused = true)]
async fn a_site_that_blocks_us_is_left_alone_and_its_mail_waits_with_the_reason() {
    let world = World::new();
    world.hop("one.example", blocked());
    let first = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    let second = world.send(2, &["b@one.example"]).await;
    let elsewhere = world.send(3, &["c@two.example"]).await;
    world.settle().await;
    assert_eq!(world.dials(), 2, "nobody asks again for the second");
    assert_eq!(world.statuses(elsewhere), [Status::Delivered]);
    for message in [first, second] {
        let row = &world.rows(message)[0];
        assert_eq!((row.status, row.class), (Status::Deferred, Some(Class::Reputation)));
        assert!(row.reason.contains("does not trust this relay"), "{}", row.reason);
    }
    let (site, domains) = world.handle.sites(None, 10, true).remove(0);
    assert_eq!((site.name.as_str(), domains), ("mx.one.example", vec!["one.example".to_owned()]));
    assert!(matches!(site.phase, Phase::Suspended(until) if until.since(START) >= Duration::from_secs(300)));
    assert_eq!(site.recipients, 2);
    assert!(site.said.unwrap().text.contains("blocklist, see https://list.example"));
    // two tries in a quarter of an hour, each of one conversation
    world.pass(Duration::from_secs(900)).await;
    assert!((3..=4).contains(&world.dials()), "{}", world.dials());
    world.hop("one.example", Hop::Takes);
    world.pass(Duration::from_secs(3600)).await;
    assert_eq!((world.statuses(first), world.statuses(second)), (vec![Status::Delivered], vec![Status::Delivered]));
    assert!(world.handle.sites(None, 10, true).iter().all(|(site, _)| site.phase == Phase::Slowed));
}

#[tokio::test(start_paused = true)]
async fn mail_that_waits_is_told_nothing_of_the_domain_that_was_refused() {
    for world in [World::new(), from(vec![source("out1", 1, false)])] {
        for name in ["contoso", "fabrikam"] {
            let host = format!("{name}-com.mail.protection.outlook.com");
            world.script.hops.lock().unwrap().hosts.insert(format!("{name}.example"), host);
        }
        world.hop(
            "contoso.example",
            Hop::Says(Stage::Greeting, 554, Enhanced(5, 7, 1), "contoso.example has 192.0.2.1 on a blocklist"),
        );
        world.send(1, &["a@contoso.example"]).await;
        world.settle().await;
        let waits = world.send(2, &["b@fabrikam.example"]).await;
        world.settle().await;
        assert_eq!(world.dials(), 1, "the second waits for the site of both");
        let row = world.rows(waits).remove(0);
        assert_eq!((row.status, row.class), (Status::Deferred, Some(Class::Reputation)));
        assert!(row.reason.starts_with("The server of fabrikam.example does not trust"), "{}", row.reason);
        let attempt = row.last_attempt.unwrap();
        assert_eq!((attempt.host.as_str(), attempt.remote, attempt.tls.as_str()), ("", None, "none"));
        let kept = world.kept_of(row.row);
        assert!(!kept.contains("contoso"), "{kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_not_found_for_its_domain_slows_no_other() {
    let world = World::with(Vec::new(), |_, hops| {
        for domain in ["good.example", "evil.example"] {
            hops.hosts.insert(domain.into(), "aspmx.l.google.com".into());
        }
        hops.answers.insert("evil.example".into(), "mx.evil.example".into());
    });
    world.hop("evil.example", blocked());
    let refused = world.send(1, &["a@evil.example"]).await;
    world.settle().await;
    let good = world.send(2, &["b@good.example"]).await;
    world.settle().await;
    assert_eq!((world.statuses(refused), world.statuses(good)), (vec![Status::Deferred], vec![Status::Delivered]));
    let troubled = world.handle.sites(None, 10, true);
    let names: Vec<_> = troubled.iter().map(|(site, _)| site.name.as_str()).collect();
    assert_eq!(names, ["evil.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_open_before_its_servers_were_found_is_held_against_them() {
    let world = World::with(Vec::new(), |_, hops| {
        hops.hosts.insert("evil.example".into(), "aspmx.l.google.com".into());
        hops.answers.insert("evil.example".into(), "mx.evil.example".into());
        hops.are_unknown = true;
    });
    world.send(1, &["a@evil.example"]).await;
    world.settle().await;
    world.script.hops.lock().unwrap().are_unknown = false;
    world.hop("evil.example", Hop::Says(Stage::Mail, 421, Enhanced(4, 7, 28), "an unusual rate of mail from you"));
    world.send(2, &["a@evil.example"]).await;
    world.settle().await;
    assert_eq!((world.dials(), world.carried().len()), (1, 2), "both went over one line");
    let troubled = world.handle.sites(None, 10, true);
    let names: Vec<_> = troubled.iter().map(|(site, _)| site.name.as_str()).collect();
    assert_eq!(names, ["evil.example"]);
}

#[tokio::test(start_paused = true)]
async fn the_operator_has_a_site_asked_at_once() {
    let world = World::new();
    world.hop("one.example", blocked());
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    world.hop("one.example", Hop::Takes);
    assert!(matches!(world.handle.resume_site("mx.other.example"), Err(StoreError::NotFound(_))));
    world.handle.resume_site("mx.one.example").unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn domains_at_the_same_servers_share_their_connections() {
    let world = World::with(Vec::new(), |settings, hops| {
        settings.bounds.site_conversations_max = 3;
        hops.pace = Duration::from_millis(100);
        for number in 0..30 {
            hops.hosts.insert(format!("d{number}.example"), "mx.hosting.example".into());
        }
    });
    let mut messages = Vec::new();
    for number in 0..30u32 {
        messages.push(world.send(u128::from(number), &[&format!("a@d{number}.example")]).await);
    }
    world.pass(Duration::from_secs(60)).await;
    for message in messages {
        assert_eq!(world.statuses(message), [Status::Delivered]);
    }
    assert_eq!(world.script.hops.lock().unwrap().busy_max, 2, "one is kept for other accounts");
    let (site, _) = world.handle.sites(None, 10, false).remove(0);
    assert_eq!((site.name.as_str(), site.destination_count), ("mx.hosting.example", 30));
}

#[tokio::test(start_paused = true)]
async fn greylisting_is_tried_again_in_five_minutes_and_slows_nobody() {
    let world = World::new();
    world.hop(
        "one.example",
        Hop::Mixed(vec![("new", Stage::Recipient, 451, Enhanced(4, 7, 1), "Greylisted, please come back later")]),
    );
    let message = world.send(1, &["new@one.example", "known@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered, Status::Deferred]);
    assert!(world.handle.sites(None, 10, true).is_empty());
    world.hop("one.example", Hop::Takes);
    world.pass(GREYLISTING_DELAY - Duration::from_secs(1)).await;
    assert_eq!(world.carried().len(), 1);
    world.pass(GREYLISTING_DELAY / 2).await;
    assert_eq!(world.statuses(message), [Status::Delivered; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_site_that_finds_us_too_fast_is_paused_and_loses_nothing() {
    let world = World::with(Vec::new(), |_, hops| hops.pace = Duration::from_millis(50));
    world.hop(
        "one.example",
        Hop::Says(Stage::Mail, 421, Enhanced(4, 7, 28), "Our system has detected an unusual rate of mail from you"),
    );
    let mut messages = Vec::new();
    for number in 0..40u32 {
        messages.push(world.send(u128::from(number), &["a@one.example"]).await);
    }
    world.pass(Duration::from_secs(5)).await;
    let tried = world.carried().len();
    assert!(tried <= 5, "{tried} at the first, and no more until the pause is over");
    world.hop("one.example", Hop::Takes);
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.carried().len(), tried);
    world.pass(Duration::from_secs(1800)).await;
    for message in messages {
        assert_eq!(world.statuses(message), [Status::Delivered]);
    }
}

fn source(name: &str, last: u8, warm_up: bool) -> Source {
    let v4 = Some([192, 0, 2, last].into());
    Source { name: name.into(), v4, v6: None, hello: format!("{name}.relay.example"), warm_up }
}

/// A world that sends from these, by a ladder of 12 and 24 messages a day.
fn from(sources: Vec<Source>) -> World {
    let sources = Sources::new(sources, Vec::new()).unwrap();
    World::with(Vec::new(), |settings, _| {
        settings.sources = Arc::new(sources);
        settings.ladder = Ladder::new(&[12, 24]).unwrap();
    })
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_of_one_source_is_an_attempt_and_the_next_one_delivers() {
    let world = from(vec![source("out1", 1, false), source("out2", 2, false)]);
    world.hop(
        "one.example",
        Hop::From("out1", Stage::Mail, 550, Enhanced(5, 7, 1), "192.0.2.1 is on a blocklist, see https://list.example"),
    );
    let mut refused = 0;
    for number in 0..4u32 {
        let message = world.send(number.into(), &["a@one.example", "b@one.example"]).await;
        world.settle().await;
        assert_eq!(world.statuses(message), [Status::Delivered; 2]);
        let row = world.rows(message).remove(0);
        let attempts = world.attempts(row.row);
        assert_eq!(attempts.last().map(|(source, ..)| source.as_str()), Some("out2"));
        if let [(source, status, reply), _] = &attempts[..] {
            assert_eq!((source.as_str(), *status), ("out1", Status::Deferred));
            assert!(reply.contains("is on a blocklist"), "{reply}");
            refused += 1;
        }
    }
    assert!(refused > 0, "the first source had its turn");
    world.hop("two.example", Hop::Says(Stage::Mail, 550, Enhanced(5, 7, 1), "You are on a blocklist"));
    let message = world.send(9, &["a@two.example"]).await;
    world.settle().await;
    let row = world.rows(message).remove(0);
    assert_eq!((row.status, row.class), (Status::SoftBounce, Some(Class::Reputation)));
    assert_eq!(world.attempts(row.row).len(), 2, "each source once, and then as with a single one");
}

#[tokio::test(start_paused = true)]
async fn what_a_new_source_may_not_carry_today_waits_with_the_reason_through_a_restart() {
    let mut world = from(vec![source("new", 1, true)]);
    let mut messages = Vec::new();
    for number in 0..12u32 {
        messages.push(world.send(number.into(), &["a@one.example"]).await);
        world.settle().await;
    }
    let waits = |world: &World| messages.iter().filter(|one| world.statuses(**one) == [Status::Deferred]).count();
    assert_eq!(waits(&world), 3);
    let row = world.rows(messages[11]).remove(0);
    assert_eq!(row.class, Some(Class::RelayWarmUp));
    assert!(row.reason.contains("new is warming up at smaller providers together, and has carried"), "{}", row.reason);
    assert_eq!(row.last_attempt.unwrap().source.as_deref(), Some("new"));
    world.handle.shutdown(Duration::from_secs(5)).await;
    world.restart();
    world.settle().await;
    let state = world.handle.sources().remove(0).warm_up.unwrap();
    assert_eq!((state.climbs[0].sent, state.climbs[0].rung), (9, 1));
    // whose the nine were is known no more, and of what is left for others than their account it gets one
    let one_more = world.send(50, &["a@two.example"]).await;
    world.settle().await;
    let further = world.send(51, &["a@two.example"]).await;
    world.settle().await;
    assert_eq!((world.statuses(one_more), world.statuses(further)), (vec![Status::Delivered], vec![Status::Deferred]));
    world.pass(Duration::from_secs(24 * 3600)).await;
    assert_eq!((waits(&world), world.statuses(further)), (0, vec![Status::Delivered]));
    assert_eq!(world.handle.sources()[0].warm_up.as_ref().unwrap().climbs[0].rung, 2);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_warm_up_goes_once_that_is_stopped() {
    let world = from(vec![source("new", 1, true)]);
    let mut messages = Vec::new();
    for number in 0..12u32 {
        messages.push(world.send(number.into(), &["a@one.example"]).await);
    }
    world.pass(Duration::from_secs(1)).await;
    assert!(matches!(world.handle.warm_up("old", Order::Stop), Err(StoreError::NotFound(_))));
    world.handle.warm_up("new", Order::Stop).unwrap();
    world.pass(Duration::from_secs(1)).await;
    assert!(messages.iter().all(|message| world.statuses(*message) == [Status::Delivered]));
    assert!(world.handle.sources()[0].warm_up.as_ref().unwrap().is_stopped);
}

#[tokio::test(start_paused = true)]
async fn mail_waits_with_the_reason_while_no_source_can_be_used_and_goes_once_one_can() {
    let world = from(vec![source("out1", 1, false), source("out2", 2, false)]);
    world.hop("one.example", Hop::Fails(Failure::Source("192.0.2.1 cannot be sent from".into())));
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    let row = &world.rows(message)[0];
    assert_eq!((row.status, row.class), (Status::Deferred, Some(Class::RelaySource)));
    assert!(!row.reason.contains("192.0.2.1"), "accounts are told that it is not their fault, and no more");
    let other = world.send(2, &["b@two.example"]).await;
    world.settle().await;
    let attempt = world.rows(other)[0].last_attempt.clone().unwrap();
    assert_eq!((attempt.host.as_str(), attempt.remote), ("", None), "the next hop that it was found with is another's");
    let sources = world.handle.sources();
    assert!(sources.iter().all(|source| matches!(source.health, SourceHealth::SetAside(_))), "{sources:?}");
    assert!(sources[0].why.as_ref().is_some_and(|why| why.contains("192.0.2.1 cannot be sent from")));
    world.hop("one.example", Hop::Takes);
    assert!(matches!(world.handle.resume_source("out3"), Err(StoreError::NotFound(_))));
    world.handle.resume_source("out1").unwrap();
    world.settle().await;
    let row = &world.rows(message)[0];
    assert_eq!((row.status, row.last_attempt.as_ref().unwrap().source.as_deref()), (Status::Delivered, Some("out1")));
    assert_eq!(world.handle.sources()[0].health, SourceHealth::Good);
}
