//! Warm-ups of new sources.

use relay::clock::Day;
use relay::store::Store;
use relay::warm_up::{Climb, Kept, KeptClimb, Order};

use crate::world::{NOW, later, operator};

pub(crate) fn climb(source: &str, provider: &str, rung: u32) -> KeptClimb {
    let climb = Climb { rung, day: Day(20_000), sent: 7, objections: 2, blocked: rung == 3 };
    KeptClimb { source: source.into(), provider: provider.into(), climb }
}

fn named(sources: &[&str]) -> Vec<String> {
    sources.iter().map(|source| (*source).to_owned()).collect()
}

pub(crate) async fn a_climb_is_kept_by_source_and_provider(store: &impl Store) {
    let sources = named(&["out1", "out2"]);
    assert_eq!(store.warm_ups(&sources), Ok(Kept::default()));
    let first = vec![climb("out1", "google", 1), climb("out1", "others", 2), climb("out2", "google", 3)];
    store.warm_ups_keep(&first).unwrap();
    store.warm_ups_keep(&[climb("out1", "google", 4)]).unwrap();
    store.warm_ups_keep(&[]).unwrap();
    let climbs = vec![climb("out1", "google", 4), first[1].clone(), first[2].clone()];
    assert_eq!(store.warm_ups(&sources), Ok(Kept { climbs, stopped: Vec::new() }));
}

pub(crate) async fn a_warm_up_that_is_stopped_begins_again_at_its_foot(store: &impl Store) {
    let sources = named(&["out1", "out2"]);
    store.warm_ups_keep(&[climb("out1", "google", 1), climb("out2", "google", 2)]).unwrap();
    store.warm_up_order("out1", Order::Stop, &operator(), NOW).unwrap();
    store.warm_up_order("out1", Order::Stop, &operator(), later(1)).unwrap();
    let kept = store.warm_ups(&sources).unwrap();
    assert_eq!((kept.climbs.len(), kept.stopped), (2, named(&["out1"])));
    store.warm_up_order("out1", Order::Start, &operator(), later(2)).unwrap();
    let climbs = vec![climb("out2", "google", 2)];
    assert_eq!(store.warm_ups(&sources), Ok(Kept { climbs, stopped: Vec::new() }));
    let log = store.audit(None, 3).unwrap();
    let log: Vec<_> = log.iter().map(|line| (line.action.as_str(), line.subject.as_str())).collect();
    let (stop, start) = ("source.warm_up_stop", "source.warm_up_start");
    assert_eq!(log, [(start, "source out1"), (stop, "source out1"), (stop, "source out1")]);
}

pub(crate) async fn a_source_that_is_named_no_more_is_forgotten(store: &impl Store) {
    store.warm_ups_keep(&[climb("out1", "google", 1), climb("out2", "google", 2)]).unwrap();
    store.warm_up_order("out1", Order::Stop, &operator(), NOW).unwrap();
    assert_eq!(store.warm_ups(&named(&["out2"])).unwrap().climbs, [climb("out2", "google", 2)]);
    let all = store.warm_ups(&named(&["out1", "out2"])).unwrap();
    assert_eq!(all, Kept { climbs: vec![climb("out2", "google", 2)], stopped: Vec::new() });
}
