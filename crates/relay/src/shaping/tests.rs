//! What is in force at one site, in simulated time, and the rules for providers.

use super::*;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn pauses() -> Pauses {
    Pauses::held_to(&Limits::default())
}

fn everybody() -> Allowance {
    Provider::default().allowance(10)
}

fn complaint(action: SiteAction, begun: Timestamp) -> Complaint {
    Complaint { action, at_the_door: true, account: Id::new(1), begun }
}

fn complain(shaping: &mut Shaping, action: SiteAction, now: Timestamp) -> Reaction {
    shaping.complained(&complaint(action, now), 10, false, now, Jitter::default(), &pauses())
}

#[test]
fn what_is_about_one_message_changes_nothing() {
    let mut shaping = Shaping::new(everybody());
    for action in [SiteAction::Nothing, SiteAction::WaitShorter] {
        assert_eq!(complain(&mut shaping, action, NOW), Reaction::Nothing);
    }
    assert_eq!((shaping.phase(NOW), shaping.connections(NOW)), (Phase::Open, 10));
    assert!(shaping.is_forgettable(NOW));
}

#[test]
fn what_was_under_way_says_and_proves_nothing_new() {
    let mut shaping = Shaping::new(everybody());
    complain(&mut shaping, SiteAction::FewerConnections, NOW);
    let later = NOW.after(Duration::from_secs(600));
    let old = complaint(SiteAction::FewerConnections, NOW);
    let again = shaping.complained(&old, 10, false, later, Jitter::default(), &pauses());
    assert_eq!((again, shaping.connections(later)), (Reaction::Nothing, 5));
    assert_eq!(shaping.taken(NOW, later, &pauses()), Recovery::Nothing);
    assert_eq!(shaping.taken(later, later, &pauses()), Recovery::More);
}

#[test]
fn what_it_took_long_ago_is_forgotten() {
    let mut shaping = Shaping::new(everybody());
    complain(&mut shaping, SiteAction::Suspend, NOW);
    assert!(!shaping.is_forgettable(NOW.after(Duration::from_secs(3600))));
    assert!(shaping.is_forgettable(NOW.after(FORGOTTEN_AFTER)));
}

#[test]
fn a_rate_of_a_rule_is_never_passed() {
    let mut shaping = Shaping::new(Allowance { per_minute: 60, ..everybody() });
    for second in 0..10 {
        let now = NOW.after(Duration::from_secs(second));
        assert_eq!(shaping.closed_until(now), None);
        shaping.begun(now);
        assert_eq!(shaping.closed_until(now), Some(now.after(Duration::from_secs(1))));
    }
    let mut now = NOW.after(Duration::from_secs(60));
    complain(&mut shaping, SiteAction::SendSlower, now);
    assert_eq!(shaping.per_minute(), Some(30));
    for _ in 0..100 {
        now = now.after(Duration::from_secs(60));
        shaping.taken(now, now, &pauses());
    }
    assert_eq!((shaping.per_minute(), shaping.phase(now)), (Some(60), Phase::Open));
}

proptest! {
    #[test]
    fn whatever_happens_it_stays_in_its_bounds_and_recovers(
        steps in prop::collection::vec((0u8..5, 0u64..100_000, any::<bool>()), 1..200), per_minute in 0u32..100,
    ) {
        let allowance = Allowance { per_minute, ..everybody() };
        let mut shaping = Shaping::new(allowance);
        let mut now = NOW;
        for (what, milliseconds, at_the_door) in steps {
            now = now.after(Duration::from_millis(milliseconds));
            let action = [SiteAction::FewerConnections, SiteAction::SendSlower, SiteAction::Suspend];
            match action.get(usize::from(what)) {
                Some(action) => {
                    let complaint = Complaint { at_the_door, ..complaint(*action, now) };
                    shaping.complained(&complaint, 10, false, now, Jitter::default(), &pauses());
                }
                None if shaping.closed_until(now).is_none() => {
                    shaping.begun(now);
                    shaping.taken(now, now, &pauses());
                }
                None => {}
            }
            prop_assert!(shaping.connections(now) <= allowance.connections);
            prop_assert!(per_minute == 0 || shaping.per_minute().unwrap() <= per_minute.max(pauses().per_minute_min));
            let wait = shaping.closed_until(now).map_or(Duration::ZERO, |until| until.since(now));
            prop_assert!(wait <= pauses().suspension_max, "{wait:?}");
            prop_assert_eq!(shaping.connections(now) == 0, matches!(shaping.phase(now), Phase::Paused(_) | Phase::Suspended(_)));
        }
        for _ in 0..24 * 60 {
            now = now.after(Duration::from_secs(60));
            if shaping.closed_until(now).is_none() {
                shaping.begun(now);
                shaping.taken(now, now, &pauses());
            }
        }
        prop_assert_eq!(shaping.phase(now), Phase::Open);
        prop_assert!(shaping.is_forgettable(now));
    }
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn ours_are_read_whole() {
    let count = Providers::parse(OURS).map(|providers| providers.count());
    assert!(count.clone().is_ok_and(|count| count >= 10), "{count:?}");
    let site = |host: &str| Providers::ours().of_hosts(&hosts(&[host])).map(|provider| provider.name.to_string());
    let cases = [
        ("aspmx.l.google.com", Some("google")),
        ("gmail-smtp-in.l.google.com", Some("google")),
        ("example-org.mail.protection.outlook.com", Some("microsoft365")),
        ("hotmail-com.olc.protection.outlook.com", Some("outlook")),
        ("mta5.am0.yahoodns.net", Some("yahoo")),
        ("mx01.mail.icloud.com", Some("icloud")),
        ("mx.google.com.example.net", None),
        ("notgoogle.com", None),
        // names that a provider's customers answer at are not its own
        ("c-203-0-113-7.hsd1.ca.comcast.net", None),
        ("ip203-0-113-7.sd.sd.cox.net", None),
        ("lfbn-1-7.w203-0.abo.wanadoo.fr", None),
    ];
    for (host, expected) in cases {
        assert_eq!(site(host).as_deref(), expected, "{host}");
    }
    let allowance = |host: &str| Providers::ours().of_hosts(&hosts(&[host])).unwrap().allowance(10);
    assert_eq!(allowance("mta5.am0.yahoodns.net").messages, 20);
    assert_eq!(allowance("aspmx.l.google.com"), everybody());
    assert_eq!(allowance("smtp-in.orange.fr").connections, 3);
}

#[test]
fn the_operators_go_before_ours_and_in_their_place() {
    let mine = "[[provider]]\nname = \"google\"\nmx = [\"*.google.com\"]\nconnections = 50\n\
        [[provider]]\nname = \"mine\"\nmx = [\"*.MAIL.icloud.com\"]\ndomains = [\"a.example\", \"*.b.example\"]\nidle_seconds = 0\n";
    let providers = Providers::before_ours(mine).unwrap();
    let of = |host: &str| providers.of_hosts(&hosts(&[host])).unwrap();
    assert_eq!(of("aspmx.l.google.com").allowance(10).connections, 50);
    assert_eq!(of("mx01.mail.icloud.com").allowance(10).idle, Some(Duration::ZERO));
    assert_eq!(of("mta5.am0.yahoodns.net").allowance(10).messages, 20);
    let domain = |name: &str| providers.of_domain(name).map(|provider| provider.name.to_string());
    assert_eq!(domain("a.example").as_deref(), Some("mine"));
    assert_eq!(domain("x.b.example").as_deref(), Some("mine"));
    assert_eq!((domain("x.a.example"), domain("b.example")), (None, None));
    assert_eq!(providers.count(), Providers::ours().count() + 1);
}

#[test]
fn faults_name_the_provider() {
    let fault = |text: &str| Providers::parse(text).unwrap_err().to_string();
    let one = |rest: &str| fault(&format!("[[provider]]\nname = \"one\"\n{rest}"));
    assert!(one("").contains("\"one\": it has neither mx nor domains"));
    assert!(one("mx = [\"*\"]").contains("a pattern is a name"));
    assert!(one("mx = [\"a..b\"]").contains("a pattern is a name"));
    assert!(one("mx = [\"a.b\"]\nconnections = 0").contains("connections is 1 to 1000"));
    assert!(one("mx = [\"a.b\"]\nspeed = 5").contains("unknown field"));
    assert!(fault("[[provider]]\nmx = [\"a.b\"]").contains("number 1"));
    let others = fault("[[provider]]\nname = \"others\"\nmx = [\"a.b\"]");
    assert!(others.contains("\"others\": \"others\" is what all providers are called"), "{others}");
    assert!(
        fault(&"[[provider]]\nname = \"one\"\nmx = [\"a.b\"]\n".repeat(2)).contains("another provider has this name")
    );
}

#[test]
fn a_domain_is_at_a_provider_with_all_its_servers_or_not_at_all() {
    let first = "[[provider]]\nname = \"first\"\nmx = [\"mx1.big.example\"]\n\
        [[provider]]\nname = \"all\"\nmx = [\"*.big.example\", \"mx.small.example\"]\n";
    let providers = Providers::parse(first).unwrap();
    let of = |names: &[&str]| providers.of_hosts(&hosts(names)).map(|provider| provider.name.to_string());
    assert_eq!(of(&["mx1.big.example"]).as_deref(), Some("first"));
    assert_eq!(of(&["mx1.big.example", "mx2.big.example"]).as_deref(), Some("all"), "the first that all of them fit");
    assert_eq!(of(&["mx.small.example", "mx2.big.example"]).as_deref(), Some("all"));
    assert_eq!(of(&["mx2.big.example", "mx.stranger.example"]), None, "that one may answer as well");
    assert_eq!(of(&["mx.stranger.example", "mx2.big.example"]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn a_set_of_servers_has_one_name_in_whatever_order() {
    let name = |names: &[&str]| name_of_hosts(&hosts(names));
    assert_eq!(name(&["b.example", "a.example", "b.example"]).as_deref(), Some("a.example,b.example"));
    assert_eq!(name(&["a.example", "b.example"]).as_deref(), Some("a.example,b.example"));
    let many = |last: usize| name_of_hosts(&(0..last).map(|n| format!("mx{n:03}.example.net")).collect::<Vec<_>>());
    assert!(many(10).is_some());
    assert_eq!(many(50), None, "a name that stood for a part of them could be made to stand for another set");
}

#[test]
fn a_site_has_the_servers_that_its_name_stands_for_and_no_other() {
    let ours = Providers::ours();
    assert!(ours.has_server("google", "alt1.aspmx.l.google.com"));
    assert!(!ours.has_server("google", "mx.stranger.example") && !ours.has_server("google", "google"));
    assert!(!ours.has_server("microsoft365", "aspmx.l.google.com"));
    assert!(ours.has_server("a.example,b.example", "b.example"));
    assert!(!ours.has_server("a.example,b.example", "example") && !ours.has_server("a.example", "b.example"));
}
