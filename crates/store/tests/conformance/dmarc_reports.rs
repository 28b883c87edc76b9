//! Reports on DMARC: once each, bounded by domain and day, gone with their time and their domain.

use std::collections::BTreeMap;

use message::dmarc_report::Disposition;
use relay::clock::Day;
use relay::dmarc_report::{Bounds, Kept, Report, Seen, Taken};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{Actor, DmarcReports, Store};
use store::embedded::{Embedded, Options};

use super::world::{Folder, NOW, later};

fn seen(source: Option<u8>, dkim: bool) -> Seen {
    let source = source.map(|last| [192, 0, 2, last].into());
    Seen { source, dkim, spf: true, disposition: if dkim { Disposition::None } else { Disposition::Quarantine } }
}

fn report(domain: u64, id: &str, day: u64, rows: &[(Seen, u64)]) -> Report {
    Report {
        account: Id::new(1),
        domain: Id::new(domain),
        reporter: "isp.example".into(),
        id: id.into(),
        day: Day(day),
        at: later(day),
        policy: "none".into(),
        rows: rows.iter().copied().collect(),
        left_out: 0,
        authentication: None,
    }
}

/// The same, and who vouches for it.
fn known(report: Report, known: &str) -> Report {
    Report { authentication: Some(known.parse().unwrap()), ..report }
}

const NOBODY: &str = "spf=softfail smtp.mailfrom=isp.example; dkim=none";
const VOUCHED: &str = "spf=softfail smtp.mailfrom=isp.example; dkim=pass header.d=isp.example";

fn kept(store: &impl DmarcReports, domain: u64) -> Kept {
    store.dmarc_kept(Id::new(domain), Day(0), Day(1_000_000)).unwrap()
}

pub(crate) async fn a_report_counts_once(store: &impl Store) {
    assert_eq!(kept(store, 1), Kept::default());
    store.dmarc_prune(Day(5)).unwrap();
    let first = report(1, "a", 10, &[(seen(Some(1), true), 3), (seen(Some(2), false), 4)]);
    assert_eq!(store.dmarc_take(&first).unwrap(), Taken::Kept);
    assert_eq!(store.dmarc_take(&first).unwrap(), Taken::Again);
    let other = Report { reporter: "other.example".into(), ..report(1, "a", 10, &[(seen(Some(1), true), 5)]) };
    assert_eq!(store.dmarc_take(&other).unwrap(), Taken::Kept, "of another reporter");
    assert_eq!(store.dmarc_take(&report(2, "a", 10, &[(seen(Some(1), true), 7)])).unwrap(), Taken::Kept);
    assert_eq!(store.dmarc_take(&report(1, "b", 11, &[(seen(Some(1), true), 1)])).unwrap(), Taken::Kept);
    let found = kept(store, 1);
    let rows =
        [(Day(10), seen(Some(1), true), 8), (Day(10), seen(Some(2), false), 4), (Day(11), seen(Some(1), true), 1)];
    assert_eq!(found.rows, rows);
    let told: Vec<_> = found.reports.iter().map(|one| (one.day.0, one.id.as_str(), one.messages, one.at)).collect();
    assert_eq!(told[0], (11, "b", 1, later(11)), "the newest first");
    assert_eq!((told.len(), found.reports[0].policy.as_str()), (3, "none"));
    let one_day = store.dmarc_kept(Id::new(1), Day(11), Day(11)).unwrap();
    assert_eq!((one_day.rows.len(), one_day.reports.len()), (1, 1));
    assert_eq!(kept(store, 2).rows, [(Day(10), seen(Some(1), true), 7)]);
}

pub(crate) async fn what_nobody_vouches_for_is_listed_and_not_counted(store: &impl Store) {
    let rows = [(seen(Some(1), true), 3)];
    let apart = known(report(1, "a", 10, &rows), NOBODY);
    assert_eq!(store.dmarc_take(&apart).unwrap(), Taken::Apart);
    assert_eq!(store.dmarc_take(&apart).unwrap(), Taken::Again);
    let found = kept(store, 1);
    assert_eq!((found.rows.len(), found.reports.len(), found.reports[0].messages), (0, 1, 3));
    assert_eq!(found.reports[0].authentication, apart.authentication);
    // one that is vouched for takes its place, and keeps it
    let vouched = known(report(1, "a", 10, &[(seen(Some(1), true), 5)]), VOUCHED);
    assert_eq!(store.dmarc_take(&vouched).unwrap(), Taken::Kept);
    assert_eq!(store.dmarc_take(&apart).unwrap(), Taken::Again);
    let found = kept(store, 1);
    assert_eq!((found.rows, found.reports.len()), (vec![(Day(10), seen(Some(1), true), 5)], 1));
    assert_eq!(found.reports[0].authentication, vouched.authentication);
    // one from before reports were checked counts
    assert_eq!(store.dmarc_take(&report(1, "b", 10, &rows)).unwrap(), Taken::Kept);
    assert_eq!(store.dmarc_take(&known(report(1, "b", 10, &rows), VOUCHED)).unwrap(), Taken::Again);
}

pub(crate) async fn huge_counts_stay_numbers(store: &impl Store) {
    for id in ["a", "b"] {
        let rows = [(seen(Some(1), true), u64::MAX / 4)];
        assert_eq!(store.dmarc_take(&report(1, id, 10, &rows)).unwrap(), Taken::Kept);
    }
    assert!(kept(store, 1).rows[0].2 >= 1_000_000_000_000);
}

pub(crate) async fn what_is_old_or_nobodys_is_forgotten(store: &impl Store) {
    let by = Actor { name: "operator".into(), from: "cli".into() };
    let account = store.account_add("Acme", &by, NOW).unwrap().id;
    let domain = |name: &str| store.domain_add(account, name, Vec::new(), &by, NOW).unwrap().id;
    let (one, two): (Id<SendingDomain>, Id<SendingDomain>) = (domain("one.example"), domain("two.example"));
    let nobodys = 77;
    for (domain, day) in [(one.number(), 10), (one.number(), 11), (two.number(), 11), (nobodys, 11)] {
        let rows = [(seen(Some(1), true), 1)];
        let report = Report { account, ..report(domain, &day.to_string(), day, &rows) };
        store.dmarc_take(&report).unwrap();
    }
    store.dmarc_prune(Day(11)).unwrap();
    let days = |domain: u64| kept(store, domain).rows.iter().map(|row| row.0.0).collect::<Vec<_>>();
    assert_eq!((days(one.number()), days(two.number()), days(nobodys)), (vec![11], vec![11], vec![]));
    store.domain_delete(two, false, &by, NOW).unwrap();
    store.dmarc_prune(Day(11)).unwrap();
    assert_eq!(kept(store, two.number()), Kept::default());
    store.dmarc_delete(account).unwrap();
    assert_eq!(kept(store, one.number()), Kept::default());
}

fn bounded(store: &impl DmarcReports) {
    let day: Vec<_> = (1..=5).map(|last| (seen(Some(last), true), 1)).collect();
    assert_eq!(store.dmarc_take(&report(1, "a", 10, &day)).unwrap(), Taken::Kept);
    let rows: BTreeMap<_, _> = kept(store, 1).rows.into_iter().map(|(_, seen, count)| (seen.source, count)).collect();
    let source = |last| Some([192, 0, 2, last].into());
    assert_eq!(rows, BTreeMap::from([(None, 2), (source(1), 1), (source(2), 1), (source(3), 1)]));
    let further = [(seen(Some(1), true), 10), (seen(Some(9), true), 20), (seen(Some(9), false), 40)];
    assert_eq!(store.dmarc_take(&report(1, "b", 10, &further)).unwrap(), Taken::Kept);
    let counts: Vec<u64> = kept(store, 1).rows.iter().map(|row| row.2).collect();
    assert_eq!((counts.iter().sum::<u64>(), counts.len()), (75, 5), "nothing is lost: {counts:?}");
    assert_eq!(store.dmarc_take(&report(1, "c", 10, &further)).unwrap(), Taken::Beyond);
    // seven are there; with these it is more than ten, and the oldest day goes
    assert_eq!(store.dmarc_take(&report(2, "a", 12, &day)).unwrap(), Taken::Kept);
    assert_eq!(kept(store, 1), Kept::default());
    assert_eq!((kept(store, 2).rows.len(), kept(store, 2).reports.len()), (4, 1));
}

/// What nobody vouches for takes no place of what somebody does.
fn given_way(store: &impl DmarcReports) {
    let rows = [(seen(Some(1), true), 1)];
    for id in ["a", "b"] {
        assert_eq!(store.dmarc_take(&known(report(1, id, 10, &rows), NOBODY)).unwrap(), Taken::Apart);
    }
    assert_eq!(store.dmarc_take(&known(report(1, "c", 10, &rows), NOBODY)).unwrap(), Taken::Beyond);
    for id in ["c", "d"] {
        assert_eq!(store.dmarc_take(&known(report(1, id, 10, &rows), VOUCHED)).unwrap(), Taken::Kept);
    }
    assert_eq!(store.dmarc_take(&known(report(1, "e", 10, &rows), VOUCHED)).unwrap(), Taken::Beyond);
    let mut ids: Vec<String> = kept(store, 1).reports.into_iter().map(|one| one.id).collect();
    ids.sort();
    assert_eq!(ids, ["c", "d"]);
}

/// One that finds no room takes nothing away: not the one either that nobody vouches for, of the same name, of a day that has room.
fn without_room(store: &impl DmarcReports) {
    let rows = [(seen(Some(1), true), 1)];
    for id in ["a", "b"] {
        assert_eq!(store.dmarc_take(&known(report(1, id, 10, &rows), VOUCHED)).unwrap(), Taken::Kept);
    }
    let apart = known(report(1, "c", 11, &rows), NOBODY);
    assert_eq!(store.dmarc_take(&apart).unwrap(), Taken::Apart);
    assert_eq!(store.dmarc_take(&known(report(1, "c", 10, &rows), VOUCHED)).unwrap(), Taken::Beyond);
    let later = || -> Vec<(String, u64)> {
        let later = kept(store, 1).reports.into_iter().filter(|one| one.day > Day(10)).map(|one| (one.id, one.day.0));
        let mut later: Vec<_> = later.collect();
        later.sort();
        later
    };
    let named = |all: &[(&str, u64)]| all.iter().map(|(id, day)| ((*id).to_owned(), *day)).collect::<Vec<_>>();
    assert_eq!(later(), named(&[("c", 11)]));
    // the place that it takes over is room enough
    for id in ["d", "e"] {
        assert_eq!(store.dmarc_take(&known(report(1, id, 12, &rows), NOBODY)).unwrap(), Taken::Apart);
    }
    assert_eq!(store.dmarc_take(&known(report(1, "e", 12, &rows), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(later(), named(&[("c", 11), ("d", 12), ("e", 12)]));
    assert_eq!(store.dmarc_take(&known(report(1, "c", 12, &rows), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(later(), named(&[("c", 12), ("e", 12)]));
}

/// Beyond what is kept in all goes what nobody vouches for, its oldest day first, and only then the oldest day of the others.
fn apart_goes_first(store: &impl DmarcReports) {
    let rows: Vec<_> = (1..=3).map(|last| (seen(Some(last), true), 1)).collect();
    let listed = || -> Vec<(u64, String)> {
        let of = |domain| kept(store, domain).reports.into_iter().map(move |one| (domain, one.id));
        let mut all: Vec<_> = (1..=3).flat_map(of).collect();
        all.sort();
        all
    };
    let named = |all: &[(u64, &str)]| all.iter().map(|(domain, id)| (*domain, (*id).to_owned())).collect::<Vec<_>>();
    // four places, which are older than all others
    assert_eq!(store.dmarc_take(&known(report(1, "a", 10, &rows), VOUCHED)).unwrap(), Taken::Kept);
    for (id, day) in [("later", 13), ("sooner", 12)] {
        assert_eq!(store.dmarc_take(&known(report(2, id, day, &rows), NOBODY)).unwrap(), Taken::Apart);
    }
    assert_eq!(store.dmarc_take(&known(report(3, "a", 14, &rows), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(listed(), named(&[(1, "a"), (2, "later"), (2, "sooner"), (3, "a")]), "ten there may be");
    assert_eq!(store.dmarc_take(&known(report(3, "b", 14, &rows[..1]), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(listed(), named(&[(1, "a"), (2, "later"), (3, "a"), (3, "b")]));
    assert_eq!(store.dmarc_take(&known(report(1, "b", 10, &rows[..1]), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(listed(), named(&[(1, "a"), (1, "b"), (3, "a"), (3, "b")]));
    // there is room for none that nobody vouches for
    assert_eq!(store.dmarc_take(&known(report(2, "c", 15, &rows), NOBODY)).unwrap(), Taken::Apart);
    assert_eq!(listed(), named(&[(1, "a"), (1, "b"), (3, "a"), (3, "b")]));
    assert_eq!((kept(store, 1).rows.len(), kept(store, 3).rows.len()), (3, 3));
    // where there is none of those, the oldest day goes
    assert_eq!(store.dmarc_take(&known(report(2, "d", 15, &rows[..1]), VOUCHED)).unwrap(), Taken::Kept);
    assert_eq!(listed(), named(&[(2, "d"), (3, "a"), (3, "b")]));
}

const BOUNDS: Bounds = Bounds { reports_max: 2, rows_max: 3, total_max: 10 };

fn model() -> store::memory::Memory {
    let store = store::memory::Memory::new();
    store.set_dmarc_bounds(BOUNDS);
    store
}

fn bounded_folder(folder: &Folder) -> Embedded {
    Embedded::open(folder.path(), Options { dmarc: BOUNDS, ..folder.options() }).unwrap()
}

#[test]
fn the_model_is_bounded() {
    bounded(&model());
    given_way(&model());
    without_room(&model());
    apart_goes_first(&model());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_is_bounded_and_keeps_it() {
    let folder = Folder::new();
    let store = bounded_folder(&folder);
    bounded(&store);
    drop(store);
    assert_eq!(kept(&folder.open(), 2).reports.len(), 1);
    let folder = Folder::new();
    given_way(&bounded_folder(&folder));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_folder_one_without_room_takes_nothing_away() {
    let folder = Folder::new();
    without_room(&bounded_folder(&folder));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_folder_what_nobody_vouches_for_goes_first() {
    let folder = Folder::new();
    apart_goes_first(&bounded_folder(&folder));
}
