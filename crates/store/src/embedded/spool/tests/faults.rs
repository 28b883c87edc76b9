//! Damage, full disks, failing syncs, and the life of segments.

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::Outcome;
use relay::store::StoreError;

use super::super::disk::Disk;
use super::super::meta;
use super::super::options::Options;
use super::super::record::{HEADER_OCTETS, MARK};
use super::super::scan::{Last, Scanner};
use super::super::segment;
use super::super::{Event, Position, checkpoint};
use super::fake_disk::{FakeDisk, Seeded};
use super::rig::{Rig, content, envelope, is_kept, tiny};

const DELIVERED: [(u16, Outcome); 1] = [(0, Outcome::Delivered { sandbox: false })];
const DEFERRED: [(u16, Outcome); 1] = [(0, Outcome::Deferred { until: Timestamp(9) })];

/// Keeps messages of 3,000 octets; each must be accepted.
pub(super) fn fill(rig: &mut Rig, messages: std::ops::Range<u128>) {
    for message in messages {
        let mut reply = rig.commit(message, 1, 3_000).unwrap();
        rig.drain();
        assert!(is_kept(&mut reply), "message {message}");
    }
}

pub(super) fn settle(rig: &mut Rig, messages: impl IntoIterator<Item = u128>) {
    for message in messages {
        let mut reply = rig.settle(message, &DELIVERED);
        rig.drain();
        assert!(is_kept(&mut reply), "message {message}");
    }
}

fn offset_of(disk: &FakeDisk, name: &str, text: &str) -> usize {
    let image = disk.image(name);
    image.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

/// The damage that is told, in words.
pub(super) fn told(rig: &Rig) -> Vec<String> {
    rig.shared.state().damage.iter().map(ToString::to_string).collect()
}

/// Where a message's record lies: file and offset.
pub(super) fn place(rig: &Rig, message: u128) -> (String, usize) {
    let state = rig.shared.state();
    let position = state.index.position(MessageId(message)).unwrap();
    let segment = state.segment_at(position).unwrap();
    (segment::name(segment.number), (position - segment.header.base) as usize)
}

#[test]
fn a_damaged_acknowledged_record_is_named_and_stepped_over() {
    let named = |what: &str| format!("the {what} of message {}", MessageId(12));
    for (part, what) in [(4, "octets cannot be read".to_owned()), (70, named("record")), (2_000, named("content"))] {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..15);
        let (name, offset) = place(&rig, 12);
        rig.disk.damage(&name, offset + part, 8);
        let rig = {
            let disk = rig.disk.clone();
            rig.restart(disk)
        };
        let damage = told(&rig);
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert!(damage[0].contains(&what) && damage[0].contains(&name), "{damage:?}");
        assert!(damage[0].contains(&format!("octet {offset}")), "{damage:?}");
        for message in [11, 13, 14] {
            assert!(rig.shared.read(MessageId(message)).unwrap().is_some());
        }
        if part == 2_000 {
            assert!(matches!(rig.shared.read(MessageId(12)), Err(StoreError::Damaged(_))));
        } else {
            assert!(rig.shared.read(MessageId(12)).unwrap().is_none());
        }
    }
}

#[test]
fn what_a_failed_sync_left_to_be_seen_is_written_before_it_is_taken_for_mail() {
    // the second start goes on in another segment, because the consumers know a longer log
    for consumed in [Position(0), Position(1 << 30)] {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..13);
        rig.disk.fail_syncs(true);
        let mut reply = rig.commit(13, 1, 3_000).unwrap();
        rig.drain();
        assert!(!is_kept(&mut reply));
        rig.disk.fail_syncs(false);
        // the process starts again, and the system still shows what it will never write by itself
        let mut rig = Rig::over(rig.disk.clone(), tiny(), consumed).unwrap();
        assert!(rig.shared.read(MessageId(13)).unwrap().is_some());
        fill(&mut rig, 14..15);
        for seed in 0..6 {
            let disk = rig.disk.after_power_cut(&mut Seeded(seed));
            let rig = Rig::over(disk, tiny(), consumed).unwrap();
            for message in 11..15 {
                assert!(rig.shared.read(MessageId(message)).unwrap().is_some(), "message {message}");
            }
        }
    }
}

#[test]
fn files_that_a_killed_start_named_are_named_for_good_before_they_are_used() {
    for changes in 0..24 {
        let disk = FakeDisk::new(1 << 30);
        disk.cut_power_after(changes);
        // killed somewhere in its start, or just behind it
        let _ = Rig::over(disk.clone(), tiny(), Position(0));
        disk.keep_power();
        let mut rig = Rig::over(disk, tiny(), Position(0)).unwrap();
        fill(&mut rig, 11..13);
        for seed in 0..6 {
            let disk = rig.disk.after_power_cut(&mut Seeded(seed));
            let rig = Rig::over(disk, tiny(), Position(0)).unwrap();
            for message in 11..13 {
                let read = rig.shared.read(MessageId(message)).unwrap();
                assert!(read.is_some(), "message {message} after {changes} changes");
            }
        }
    }
}

#[test]
fn a_bad_sector_costs_what_is_in_it_and_nothing_else() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..28);
    let (name, offset) = place(&rig, 20);
    rig.disk.make_unreadable(&name, offset + 1_000);
    let mut rig = {
        let disk = rig.disk.clone();
        rig.restart(disk)
    };
    let is_there = |rig: &Rig, message| matches!(rig.shared.read(MessageId(message)), Ok(Some(_)));
    let lost: Vec<u128> = (11..28).filter(|message| !is_there(&rig, *message)).collect();
    assert!(lost.contains(&20) && lost.len() <= 3, "{lost:?}");
    assert!(!rig.shared.state().damage.is_empty());
    rig.consume();
    let told = rig.events.iter().filter(|event| matches!(event, Event::Committed(_))).count();
    assert!(told >= 14, "{told}");
}

#[test]
fn a_damaged_place_where_a_header_lies_does_not_stop_the_start() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..15);
    let (name, _) = place(&rig, 12);
    rig.disk.make_unreadable(&name, 0);
    let disk = rig.disk.clone();
    let rig = rig.restart(disk);
    assert_eq!(rig.live(|_| 3_000).len(), 4);
}

#[test]
fn a_torn_last_write_is_cut_in_silence() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..14);
    // its write fails in the middle: it was never acknowledged
    let (name, offset) = place(&rig, 13);
    let disk = rig.disk.clone();
    rig.disk.cut_power_after(1);
    let mut reply = rig.commit(14, 1, 3_000).unwrap();
    rig.drain();
    assert!(!is_kept(&mut reply));
    for seed in 0..32 {
        let torn = disk.after_power_cut(&mut Seeded(seed));
        let rig = Rig::over(torn, tiny(), Position(0)).unwrap();
        assert_eq!(told(&rig), Vec::<String>::new());
        let live = rig.live(|_| 3_000);
        assert!(live.len() == 3 || live.len() == 4, "{name} {offset} {live:?}");
    }
}

#[test]
fn what_a_crash_left_behind_the_cut_is_never_taken_for_mail() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..13);
    // three records in one write that is never synced: the second is lost, the others reach the disk
    rig.disk.fail_syncs(true);
    let replies: Vec<_> = (21..24).map(|message| rig.commit(message, 1, 3_000).unwrap()).collect();
    rig.drain();
    assert!(replies.into_iter().all(|mut reply| !is_kept(&mut reply)));
    rig.disk.fail_syncs(false);
    let (name, _) = place(&rig, 12);
    let lost = offset_of(&rig.disk, &name, "message 22, again");
    rig.disk.damage(&name, lost, 64);
    // each start writes one boundary further over the remains, up to and over where the third starts
    for _ in 0..70 {
        let disk = rig.disk.clone();
        rig = rig.restart(disk);
        let live: Vec<u128> = rig.live(|_| 3_000).into_keys().collect();
        assert_eq!(live, [11, 12, 21]);
        assert_eq!(told(&rig), Vec::<String>::new());
    }
    fill(&mut rig, 31..33);
}

#[test]
fn a_whole_record_of_an_unfinished_write_is_not_taken_up_when_the_log_grows_to_it() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..13);
    let start = rig.shared.state().synced;
    let record = start - rig.shared.state().index.position(MessageId(12)).unwrap();
    // four in one write that is never synced: the first is lost, the others reach the disk
    rig.disk.fail_syncs(true);
    let _replies: Vec<_> = (21..25).map(|message| rig.commit(message, 1, 3_000).unwrap()).collect();
    rig.drain();
    rig.disk.fail_syncs(false);
    let (name, _) = place(&rig, 12);
    let lost = offset_of(&rig.disk, &name, "message 21, again");
    rig.disk.damage(&name, lost, 64);
    let disk = rig.disk.clone();
    let mut rig = rig.restart(disk);
    // one record that ends exactly where the fourth starts, whose number is still ahead
    let meta = meta::commit_out(&envelope(26, 1), None).len() as u64;
    let octets = start + 3 * record - rig.shared.state().synced - HEADER_OCTETS as u64 - meta;
    let mut reply = rig.commit(26, 1, octets as usize).unwrap();
    rig.drain();
    assert!(is_kept(&mut reply));
    assert_eq!(rig.shared.state().synced, start + 3 * record);
    let disk = rig.disk.clone();
    let rig = rig.restart(disk);
    let live: Vec<u128> = rig.live(|message| if message == 26 { octets as usize } else { 3_000 }).into_keys().collect();
    assert_eq!(live, [11, 12, 26]);
}

#[test]
fn a_failed_sync_latches_until_a_restart() {
    for fail in [FakeDisk::fail_syncs, FakeDisk::fail_writes] {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..12);
        fail(&rig.disk, true);
        let mut commit = rig.commit(12, 1, 100).unwrap();
        rig.drain();
        assert!(matches!(commit.try_recv(), Ok(Err(StoreError::Latched(_)))));
        fail(&rig.disk, false);
        let mut commit = rig.commit(13, 1, 100).unwrap();
        let mut settle = rig.settle(11, &DELIVERED);
        rig.drain();
        assert!(matches!(commit.try_recv(), Ok(Err(StoreError::Latched(_)))));
        assert!(matches!(settle.try_recv(), Ok(Err(StoreError::Latched(_)))));
        assert!(rig.shared.read(MessageId(11)).unwrap().is_some(), "it can still be looked at");
        let disk = rig.disk.clone();
        let mut rig = rig.restart(disk);
        assert!(rig.shared.state().latched.is_none());
        fill(&mut rig, 14..15);
    }
}

#[test]
fn no_room_spares_the_outcomes_and_ends_by_itself() {
    let mut rig = Rig::new(Options { spool_octets_max: 6 * 64 * 1024, ..tiny() });
    let mut last = 10;
    loop {
        rig.keep(1_000);
        let mut reply = rig.commit(last, 1, 3_000).unwrap();
        rig.drain();
        match reply.try_recv().unwrap() {
            Ok(()) => last += 1,
            Err(error) => {
                assert!(matches!(error, StoreError::NoRoom(_)), "{error}");
                break;
            }
        }
    }
    assert!(last > 70, "only {last}");
    rig.keep(1_000);
    assert!(rig.shared.state().no_room.is_some());
    // every outcome has room, though the consumer has read nothing
    settle(&mut rig, 10..last);
    rig.keep(1_000);
    assert!(rig.shared.state().no_room.is_some(), "the consumer holds the log");
    rig.consume();
    for _ in 0..4 {
        rig.keep(1_000);
    }
    assert!(rig.shared.state().no_room.is_none());
    fill(&mut rig, last..last + 40);
}

#[test]
fn an_outcome_that_goes_on_in_the_reserve_costs_new_mail_no_room() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..29);
    let head = rig.shared.state().head().unwrap().number;
    // outcomes fill the head up and go on in another segment
    while rig.shared.state().head().unwrap().number == head {
        let mut reply = rig.settle(11, &DEFERRED);
        rig.drain();
        assert!(is_kept(&mut reply));
    }
    // nothing was made ahead in the meantime: there is room for it on the disk
    fill(&mut rig, 31..33);
}

#[test]
fn where_new_mail_has_no_room_failures_can_still_be_told_and_settled() {
    let mut rig = Rig::new(Options { spool_octets_max: 6 * 64 * 1024, ..tiny() });
    let mut kept = Vec::new();
    for message in (11..1_000).filter(|message| !u128::is_multiple_of(*message, 5)) {
        rig.keep(1_000);
        let mut reply = rig.commit(message, 1, 3_000).unwrap();
        rig.drain();
        if !is_kept(&mut reply) {
            break;
        }
        kept.push(message);
    }
    assert!(rig.shared.state().no_room.is_some());
    // the rig makes every fifth message a notification
    let mut told = Vec::new();
    for notification in (1_000..2_000).step_by(5) {
        let mut reply = rig.commit(notification, 1, 1_000).unwrap();
        rig.drain();
        if !is_kept(&mut reply) {
            break;
        }
        told.push(notification);
    }
    assert!(told.len() > 3 && told.len() < 150, "{} told", told.len());
    for message in kept.into_iter().chain(told) {
        let mut reply = rig.settle(message, &[(0, Outcome::HardBounced)]);
        rig.drain();
        assert!(is_kept(&mut reply), "every outcome has room");
        rig.consume();
        rig.keep(1_000);
    }
    assert!(rig.shared.state().no_room.is_none());
}

#[test]
fn a_full_disk_is_no_room_too() {
    let disk = FakeDisk::new(3 * 64 * 1024 + 16 * 1024);
    let mut rig = Rig::over(disk.clone(), Options { disk_free_octets_min: 4096, ..tiny() }, Position(0)).unwrap();
    let mut last = 10;
    while rig.shared.state().no_room.is_none() {
        rig.keep(1_000);
        let mut reply = rig.commit(last, 1, 3_000).unwrap();
        rig.drain();
        last += u128::from(is_kept(&mut reply));
    }
    assert!(rig.shared.state().latched.is_none());
    assert!(matches!(rig.commit(last, 1, 30_000), Err(StoreError::NoRoom(_))), "nor for a file");
    disk.set_capacity(1 << 30);
    for _ in 0..3 {
        rig.keep(1_000);
    }
    assert!(rig.shared.state().no_room.is_none());
    fill(&mut rig, last..last + 40);
    let all = rig.live(|_| 3_000).len() as u128;
    assert_eq!(all, last + 40 - 10);
}

#[test]
fn segments_are_recycled_once_settled_and_consumed() {
    let mut rig = Rig::new(tiny());
    let mut most = 0;
    for round in 0..60u128 {
        let messages = 100 * round + 10..100 * round + 20;
        fill(&mut rig, messages.clone());
        settle(&mut rig, messages);
        rig.consume();
        rig.keep(1_000);
        most = most.max(rig.disk.names().iter().filter(|name| name.starts_with(segment::FOLDER)).count());
    }
    // 1.8 MB went through
    assert!(most <= 8, "{most} segments");
    assert_eq!(rig.shared.state().index.messages(), 0);
    let rig = rig.reopen();
    assert_eq!(rig.live(|_| 3_000).len(), 0);
}

#[test]
fn in_another_life_of_a_segment_nothing_of_the_earlier_is_a_record() {
    let mut rig = Rig::new(tiny());
    for round in 0..8u128 {
        let messages = 100 * round + 10..100 * round + 30;
        fill(&mut rig, messages.clone());
        settle(&mut rig, messages);
        rig.consume();
        rig.keep(1_000);
    }
    fill(&mut rig, 1_000..1_001);
    let head = *rig.shared.state().head().unwrap();
    let image = rig.disk.image(&segment::name(head.number));
    let remains = image[(head.end - head.header.base) as usize..].windows(4).filter(|window| *window == MARK).count();
    assert!(remains > 1, "this segment had no earlier life");
    let file = rig.disk.open(&segment::name(head.number)).unwrap();
    let mut scanner = Scanner::new(&file, &head.header, u64::MAX);
    assert!(scanner.find(head.end, Last::default()).unwrap().is_none());
}

#[test]
fn a_long_deferred_message_does_not_pin_its_segment() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 10..11);
    let mut reply = rig.settle(10, &DEFERRED);
    rig.drain();
    assert!(is_kept(&mut reply));
    let seal = bytes::Bytes::from_static(b"DKIM-Signature: of ten");
    rig.waiting.push_back(super::super::request::Request::Seal(MessageId(10), seal.clone()));
    rig.drain();
    let before = rig.shared.state().index.position(MessageId(10)).unwrap();
    for round in 1..8u128 {
        let messages = 100 * round + 10..100 * round + 40;
        fill(&mut rig, messages.clone());
        settle(&mut rig, messages);
        rig.consume();
        rig.keep(700_000);
        rig.drain();
        rig.keep(1_000);
    }
    let after = rig.shared.state().index.position(MessageId(10)).unwrap();
    assert!(after > before);
    assert!(rig.shared.state().segment_at(before).is_none(), "its old segment is still there");
    let disk = rig.disk.after_power_cut(&mut Seeded(1));
    let rig = rig.restart(disk);
    assert_eq!(rig.live(|_| 3_000).len(), 1);
    let entry = rig.shared.state().index.entries(None, 1).remove(0);
    assert!(format!("{entry:?}").contains("Waiting { due: 9, attempts: 1 }"), "{entry:?}");
    assert_eq!(rig.shared.read_seal(MessageId(10), entry.seal.unwrap()), Some(seal));
}

#[test]
fn settled_content_is_overwritten_though_others_live_beside_it() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 10..14);
    settle(&mut rig, [11, 12]);
    let is_there = |rig: &Rig, message: u128| {
        let text = content(message, 60);
        let names = rig.disk.names();
        let segments = names.iter().filter(|name| name.starts_with(segment::FOLDER));
        segments.map(|name| rig.disk.image(name)).any(|image| image.windows(60).any(|window| window == text))
    };
    assert!(is_there(&rig, 11));
    rig.keep(1_000);
    assert!(is_there(&rig, 11), "at once is not needed");
    for _ in 0..4 {
        rig.keep(7 * 3_600_000);
        rig.drain();
    }
    assert!(!is_there(&rig, 11) && !is_there(&rig, 12));
    assert_eq!(rig.live(|_| 3_000).len(), 2);
    // a start, with and without what the checkpoint says, sees no damage in it
    let disk = rig.disk.clone();
    let mut rig = rig.restart(disk);
    assert_eq!(told(&rig), Vec::<String>::new());
    settle(&mut rig, [10, 13]);
    rig.consume();
    for _ in 0..6 {
        rig.keep(7 * 3_600_000);
        rig.drain();
    }
    assert!(!is_there(&rig, 10) && !is_there(&rig, 13), "free segments are overwritten too");
}

#[test]
fn a_start_with_and_without_checkpoint_finds_the_same() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 10..40);
    settle(&mut rig, 15..30);
    for message in [10, 35] {
        let mut reply = rig.settle(message, &DEFERRED);
        rig.drain();
        assert!(is_kept(&mut reply));
    }
    checkpoint::write(&rig.shared, false).unwrap();
    fill(&mut rig, 40..50);
    settle(&mut rig, 36..42);
    let live = rig.live(|_| 3_000);
    let (with, without) = (rig.disk.after_power_cut(&mut Seeded(3)), rig.disk.after_power_cut(&mut Seeded(3)));
    let rig = rig.restart(with);
    assert_eq!(rig.live(|_| 3_000), live);
    without.remove("checkpoint").unwrap();
    let mut rig = rig.restart(without);
    assert_eq!(rig.live(|_| 3_000), live);
    assert!(rig.shared.state().damage.is_empty());
    // a damaged one is told, and the log is enough
    checkpoint::write(&rig.shared, false).unwrap();
    fill(&mut rig, 50..51);
    rig.disk.damage("checkpoint", 30, 1);
    let disk = rig.disk.clone();
    let rig = rig.restart(disk);
    assert_eq!(rig.live(|_| 3_000).len(), live.len() + 1);
    assert_eq!(rig.shared.state().damage.len(), 1);
}

#[test]
fn one_damaged_header_of_a_segment_is_not_missed() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 10..40);
    let (name, _) = place(&rig, 10);
    rig.disk.damage(&name, 0, 16);
    let disk = rig.disk.clone();
    let rig = rig.restart(disk);
    assert_eq!(rig.live(|_| 3_000).len(), 30);
    assert!(rig.shared.state().damage.is_empty());
}

#[test]
fn orphans_go_at_start_and_settled_files_at_once() {
    let mut rig = Rig::new(tiny());
    let mut reply = rig.commit(10, 1, 30_000).unwrap();
    rig.drain();
    assert!(is_kept(&mut reply));
    rig.disk.create("content/00000000000000ff").unwrap();
    let files = |rig: &Rig| rig.disk.names().into_iter().filter(|name| name.starts_with("content/")).count();
    assert_eq!(files(&rig), 2);
    let disk = rig.disk.clone();
    let mut rig = rig.restart(disk);
    assert_eq!(files(&rig), 1);
    assert_eq!(rig.live(|_| 30_000).len(), 1);
    settle(&mut rig, [10]);
    rig.keep(1_000);
    assert_eq!(files(&rig), 0);
    assert_eq!(rig.shared.state().files_octets, 0);
}

#[test]
fn consumers_that_know_a_longer_log_are_told_of_later_events() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 10..40);
    rig.consume();
    let consumed = rig.consumed;
    // the folder was lost, the ledger was not
    let mut rig = Rig::over(FakeDisk::new(1 << 30), tiny(), consumed).unwrap();
    fill(&mut rig, 50..52);
    rig.consume();
    assert_eq!(rig.events.len(), 2);
}
